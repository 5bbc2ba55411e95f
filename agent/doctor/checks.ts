/**
 * What `doctor` looks at: a table of checks, each with what its finding means and how to mend it. Pure. What the agent
 * refuses to run on stands in the table of refusals, so that `run` and `doctor` never disagree.
 */
import { limits } from '../../schema/wire.ts';
import { type RefusalId, refusalRules } from '../metal/safety/refusals.ts';
import { goOn } from '../metal/stopped.ts';
import { type Check, type Finding, ok, problem } from './check.ts';
import { type DoctorFacts, kdumpUnits } from './facts.ts';
import {
  buildingModule,
  installing,
  installingKdump,
  kdumpPackages,
  loadingCaptureKernel,
  makedumpfilePackages,
  reserving,
  restartingCapture,
} from './fixes.ts';

const installAgent = 'dumpsurvey install --spare-machine';
const mib = (bytes: number) => `${Math.ceil(bytes / 2 ** 20)} MiB`;

/** MiB for the capture kernel that are enough as a rule: a distribution's kernel and initrd, and makedumpfile's bitmaps. */
export function wantedCrashMib(memoryMib: number): number {
  if (memoryMib <= 1024) return 128;
  if (memoryMib <= 4096) return 192;
  return memoryMib <= 64 * 1024 ? 256 : 512;
}

/** Less than this no distribution's capture kernel starts in. */
const leastCrashMib = 96;

function crashMemory({
  family,
  hasGrub,
  crashKernelMib: got,
  memoryMib,
  commandLine,
  reservesNextTime,
}: DoctorFacts) {
  const wanted = wantedCrashMib(memoryMib);
  const fix = reserving(family, hasGrub, wanted);
  if (got >= wanted) return ok(`${got} MiB are set aside for the capture kernel.`);
  if (got >= leastCrashMib)
    return problem(
      'warning',
      `${got} MiB are set aside for the capture kernel; ${wanted} MiB are safer. Too little shows as a capture kernel that runs out of memory.`,
      fix,
    );
  if (got > 0)
    return problem(
      'failed',
      `Only ${got} MiB are set aside for the capture kernel: none starts in that.`,
      fix,
    );
  if (commandLine.some((word) => word.startsWith('crashkernel=')))
    return problem(
      'failed',
      'The kernel was told to set memory aside for the capture kernel, and could not.',
      fix,
    );
  if (reservesNextTime)
    return problem('failed', 'Memory for the capture kernel will be set aside at the next start.', [
      'reboot',
    ]);
  return problem('failed', 'No memory is set aside for a capture kernel: nothing can be captured.', fix);
}

function clock(facts: DoctorFacts): Finding {
  const { survey, isClockSynchronized, nowMs } = facts;
  const refused = refusalRules.clock.find(facts);
  if (refused !== null) return problem('failed', refused.why, refused.fix);
  const aheadMs = survey.reached ? survey.clockAheadMs : null;
  const fix = ['timedatectl set-ntp true'];
  if (aheadMs !== null && Math.abs(aheadMs) > limits.futureMaxMs)
    return problem(
      'failed',
      `The clock is ${Math.round(Math.abs(aheadMs) / 60_000)} minutes ${aheadMs > 0 ? 'ahead of' : 'behind'} the survey's: it refuses reports from the future, and tickets would be out of date.`,
      fix,
    );
  if (aheadMs !== null) return ok("The clock agrees with the survey's.");
  const said = new Date(nowMs).toISOString().slice(0, 16);
  if (isClockSynchronized === true) return ok(`The clock is synchronized; it says ${said} UTC.`);
  return problem(
    'warning',
    `Nothing sets the clock, and the survey could not be asked. It says ${said} UTC.`,
    fix,
  );
}

function moduleBuilt(facts: DoctorFacts): Finding {
  const { family, release, module: m, lockdown, isRoot } = facts;
  if (m.mustBeSigned)
    return problem(
      'failed',
      'The kernel loads signed modules only (module.sig_enforce), and ours is not signed.',
      [
        'Take module.sig_enforce off the kernel command line, or switch Secure Boot off in the firmware; then reboot.',
      ],
    );
  const has = { headers: m.hasHeaders, dkms: m.hasDkms, source: m.hasSource };
  if (!m.isInstalled && !m.isLoaded)
    return problem(
      'failed',
      `crashpoint.ko is not built for ${release}: without it nothing is planted, and no dump could be verified.`,
      buildingModule(family, release, has),
    );
  if (!m.isLoaded && lockdown !== 'none' && lockdown !== 'unknown')
    return problem('failed', 'crashpoint.ko is built, but a locked-down kernel does not load it.', [
      ...(refusalRules.lockdown.find(facts)?.fix ?? []),
    ]);
  return ok(
    `crashpoint.ko is built for ${release}${m.isLoaded ? ' and loaded' : isRoot ? '; it is loaded for a trial only' : ''}.`,
  );
}

function watchdog({ watchdogs, busyWatchdogs, watchdogProof }: DoctorFacts): Finding {
  const [dog] = watchdogs;
  if (dog === undefined)
    return problem(
      'warning',
      'There is no hardware watchdog: scenarios that may hang are not run, and if the machine hangs, somebody has to reset it.',
      [
        'Most machines have one whose driver is not loaded by itself, such as iTCO_wdt (Intel), sp5100_tco (AMD) or ipmi_watchdog (servers):',
        'modprobe iTCO_wdt; modprobe sp5100_tco; ls /sys/class/watchdog',
      ],
    );
  if (busyWatchdogs.length === watchdogs.length)
    return problem(
      'warning',
      `${dog.name} (${dog.identity}) is fed by something else: the agent cannot use it.`,
      [
        'Set RuntimeWatchdogSec=off in /etc/systemd/system.conf, then: systemctl daemon-reexec',
        'systemctl disable --now watchdog.service',
      ],
    );
  if (watchdogProof === 'failed')
    return problem('warning', `${dog.name} (${dog.identity}) was tried, and did not reset the machine.`, [
      'Look in the firmware whether the watchdog is enabled.',
    ]);
  const when =
    watchdogProof === 'proven'
      ? 'and has reset this machine'
      : 'and is tried by a real reset before the first scenario that may hang';
  return ok(`${dog.name} (${dog.identity}) is there, ${when}.`);
}

function survey({ survey: seen }: DoctorFacts): Finding {
  if (!seen.reached)
    return problem('warning', `The survey at ${seen.url} does not answer: ${seen.why}.`, [
      'dumpsurvey install --url URL',
      'A machine without a network takes tickets and gives reports in files: dumpsurvey submit --help',
    ]);
  if (!seen.sets.includes('metal/1'))
    return problem(
      'failed',
      `The survey at ${seen.url} does not know the scenarios for real machines (metal/1).`,
      ['dumpsurvey install --url URL'],
    );
  return ok(`${seen.url} answers.`);
}

function space({ freeBytes, dumpBytes, target }: DoctorFacts): Finding {
  if (freeBytes === null) {
    if (target.interface !== null)
      return ok('Dumps go to another machine; whether it has room for them cannot be seen from here.');
    return problem('unknown', 'How much room the dump target has could not be told.', [
      `df -h ${target.mount?.point ?? '/var/crash'}`,
    ]);
  }
  if (freeBytes >= 3 * dumpBytes)
    return ok(`${mib(freeBytes)} are free; a dump needs at most about ${mib(dumpBytes)}.`);
  const where = target.place.kind === 'directory' ? ` below ${target.place.directory}` : '';
  const fix = [`Remove older dumps${where} that were reported, or other files that nobody needs.`];
  return freeBytes >= dumpBytes
    ? problem('warning', `${mib(freeBytes)} are free: room for few dumps of up to ${mib(dumpBytes)}.`, fix)
    : problem('failed', `${mib(freeBytes)} are free, and a dump may need ${mib(dumpBytes)}.`, fix);
}

const unread = problem('unknown', 'The state directory of the agent can be read by root only.', [
  'sudo dumpsurvey doctor',
]);

/** A check of what the state directory holds, which only root may be able to read. */
function ofState(run: Check['run']): Check['run'] {
  return (facts) => (facts.isStateReadable ? run(facts) : unread);
}

/** The checks of this table's own. */
const ownChecks = {
  stopped: {
    title: 'the agent did not stop itself',
    run: ofState(({ stopped }) =>
      stopped === null
        ? ok('The boot-loop guard has found nothing.')
        : problem('failed', `The agent stopped itself: ${stopped}`, [goOn]),
    ),
  },
  distribution: {
    title: 'the kdump tooling is known',
    run: ({ family, distribution, tools }) => {
      if (family === null)
        return problem('failed', `${distribution} has no kdump tooling that the agent knows.`, [
          'The agent knows Debian, Ubuntu, Fedora, RHEL and SUSE, and what is made of them.',
        ]);
      const name = kdumpPackages[family];
      const version = tools[name] ?? (family === 'fedora' ? tools['kexec-tools'] : undefined);
      return version === undefined
        ? problem(
            'failed',
            `${name} is not installed: nothing loads a capture kernel.`,
            installingKdump(family),
          )
        : ok(`${distribution}, ${name} ${version}.`);
    },
  },
  makedumpfile: {
    title: 'makedumpfile is there',
    run: ({ family, tools }) =>
      tools.makedumpfile === undefined
        ? problem(
            'failed',
            'makedumpfile is not installed: the capture kernel could copy all of memory at best.',
            installing(family, makedumpfilePackages),
          )
        : ok(`makedumpfile ${tools.makedumpfile}.`),
  },
  'crash-memory': { title: 'memory is set aside for the capture kernel', run: crashMemory },
  'capture-kernel': {
    title: 'a capture kernel is loaded',
    run: ({ isCrashKernelLoaded: isLoaded, family, kdumpUnit, isKdumpSwitchedOn, crashKernelMib }) => {
      const unit = family === null ? 'kdump' : kdumpUnits[family];
      const fix = loadingCaptureKernel(family, unit, {
        isSwitchedOn: isKdumpSwitchedOn,
        isFailed: kdumpUnit.isFailed,
      });
      if (!isLoaded)
        return problem(
          'failed',
          crashKernelMib === 0
            ? 'No capture kernel is loaded: there is no memory for it yet.'
            : 'No capture kernel is loaded: a crash would only reboot the machine.',
          crashKernelMib === 0 ? [] : fix,
        );
      if (!kdumpUnit.isEnabled || !isKdumpSwitchedOn)
        return problem(
          'failed',
          `A capture kernel is loaded, but ${unit} will not load one at the next start.`,
          fix,
        );
      return ok(`A capture kernel is loaded, and ${unit} loads one at each start.`);
    },
  },
  'capture-panic': {
    title: 'a capture kernel that panics starts the machine anew',
    run: ({ captureWords, family, captureAppended }) => {
      if (family === null) return problem('unknown', "The capture kernel's command line is not known.", []);
      const seconds = captureWords.findLast((word) => word.startsWith('panic='))?.slice('panic='.length);
      return seconds !== undefined && seconds !== '' && Number(seconds) !== 0
        ? ok(`Its command line has panic=${seconds}.`)
        : problem(
            'failed',
            'Its command line has no panic=: a capture kernel that panics would stand still until somebody resets the machine.',
            restartingCapture(family, captureAppended),
          );
    },
  },
  module: { title: "the survey's kernel module is built and can be loaded", run: moduleBuilt },
  debugfs: {
    title: 'debugfs is mounted',
    run: ({ hasDebugfs }) =>
      hasDebugfs
        ? ok('The module is armed through it.')
        : problem('failed', 'debugfs is not mounted: the module could not be armed.', [
            'systemctl unmask sys-kernel-debug.mount',
            'systemctl start sys-kernel-debug.mount',
          ]),
  },
  watchdog: { title: 'a hardware watchdog brings the machine back', run: watchdog },
  space: { title: 'the dump target has room', run: space },
  scratch: {
    title: 'the disk load has a directory on the dump target',
    run: ofState(({ settings, isScratchOnTarget }) => {
      if (isScratchOnTarget === true) return ok(`It writes to ${settings?.scratch}.`);
      return problem(
        'warning',
        isScratchOnTarget === null
          ? 'No directory is named: scenarios with disk load, which are most of them, are not run.'
          : `${settings?.scratch} is not on the file system that dumps go to: the load would keep another disk busy.`,
        ['dumpsurvey install --scratch DIRECTORY'],
      );
    }),
  },
  time: { title: 'the clock is right', run: clock },
  survey: { title: 'the survey can be reached', run: survey },
  enrolled: {
    title: 'the machine is enrolled',
    run: ofState(({ isEnrolled, survey: { url } }) =>
      isEnrolled
        ? ok('It has a key of its own.')
        : problem('failed', 'The machine has no key: the survey would take nothing from it.', [
            `dumpsurvey enroll --url ${url}`,
          ]),
    ),
  },
  units: {
    title: 'the agent goes on after a reboot',
    run: ({ agentUnits }) =>
      agentUnits.every(({ isFound, isEnabled }) => isFound && isEnabled)
        ? ok('Its units are installed and enabled.')
        : problem('failed', 'Its units are not enabled: after a crash nothing would go on by itself.', [
            installAgent,
          ]),
  },
  unattended: {
    title: 'the machine starts without a person',
    run: ({ waitsForPerson: waits }) => {
      if (waits === null)
        return problem('unknown', "The boot loader's configuration can be read by root only.", [
          'sudo dumpsurvey doctor',
        ]);
      return waits.length === 0
        ? ok('Nothing waits for a password. What the firmware waits for cannot be seen from here.')
        : problem('failed', `After a crash it would stand still: ${waits.join(', ')}.`, [
            'Take the password or the wait off, on this spare machine.',
          ]);
    },
  },
  panic: {
    title: 'a kernel that panics starts the machine anew',
    run: ({ panicS }) => {
      if (panicS === null) return problem('unknown', '/proc/sys/kernel/panic cannot be read.', []);
      return panicS !== 0
        ? ok(`kernel.panic is ${panicS}.`)
        : problem(
            'warning',
            'kernel.panic is 0: a panic that no capture kernel takes over would stand still. The agent sets it for its own trials.',
            ["echo 'kernel.panic = 10' > /etc/sysctl.d/90-panic.conf", 'sysctl --system'],
          );
    },
  },
} as const satisfies Record<string, Check>;

type MachineRule = {
  [K in RefusalId]: (typeof refusalRules)[K]['scope'] extends 'machine' ? K : never;
}[RefusalId];
/** The clock has a check that knows more. */
type SharedId = Exclude<MachineRule, 'clock'>;
export type CheckId = keyof typeof ownChecks | SharedId;

/** What can only be judged where it is known where dumps go. */
const aboutTarget: readonly SharedId[] = ['encrypted', 'raid', 'shared', 'bmc'];

/** Why nothing can be said of it, or null. */
function unknowable(id: SharedId, { target, lockdown }: DoctorFacts): Finding | null {
  if (aboutTarget.includes(id) && target.fault !== null)
    return problem('unknown', 'Where dumps go is not known.', []);
  if (id === 'lockdown' && lockdown === 'unknown')
    return problem('unknown', 'Whether the kernel is locked down could not be told.', [
      'mount -t securityfs securityfs /sys/kernel/security',
    ]);
  return null;
}

/** What the agent refuses, as a check: what says nothing against a trial is as it should be. */
function ofRefusal(id: SharedId): Check {
  const { title, find } = refusalRules[id];
  return {
    title,
    run: (facts) => {
      if (id === 'consent' && !facts.isStateReadable) return unread;
      const found = find(facts);
      if (found !== null) return problem('failed', found.why, found.fix);
      return unknowable(id, facts) ?? ok('Nothing speaks against it.');
    },
  };
}

/** All checks, in the order in which a person would mend them. */
export const checks: Readonly<Record<CheckId, Check>> = {
  consent: ofRefusal('consent'),
  off: ofRefusal('off'),
  stopped: ownChecks.stopped,
  distribution: ownChecks.distribution,
  makedumpfile: ownChecks.makedumpfile,
  'crash-memory': ownChecks['crash-memory'],
  'capture-panic': ownChecks['capture-panic'],
  'capture-kernel': ownChecks['capture-kernel'],
  lockdown: ofRefusal('lockdown'),
  module: ownChecks.module,
  debugfs: ownChecks.debugfs,
  target: ofRefusal('target'),
  encrypted: ofRefusal('encrypted'),
  raid: ofRefusal('raid'),
  shared: ofRefusal('shared'),
  bmc: ofRefusal('bmc'),
  space: ownChecks.space,
  scratch: ownChecks.scratch,
  watchdog: ownChecks.watchdog,
  panic: ownChecks.panic,
  unattended: ownChecks.unattended,
  battery: ofRefusal('battery'),
  arrays: ofRefusal('arrays'),
  'file-systems': ofRefusal('file-systems'),
  time: ownChecks.time,
  survey: ownChecks.survey,
  enrolled: ownChecks.enrolled,
  units: ownChecks.units,
};

/** A finding with the check that made it. */
export interface Checked extends Finding {
  readonly id: CheckId;
  readonly title: string;
}

/** Runs all checks. */
export function checkAll(facts: DoctorFacts): Checked[] {
  return (Object.entries(checks) as [CheckId, Check][]).map(([id, { title, run }]) => ({
    id,
    title,
    ...run(facts),
  }));
}

/** Whether something is to be done before anything is run. Warnings leave less to be run, or less to be known. */
export function isInOrder(findings: readonly Finding[]): boolean {
  return findings.every(({ state }) => state === 'ok' || state === 'warning');
}
