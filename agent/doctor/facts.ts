/** What `doctor` judges by, gathered once. Files are read, programs are asked, the survey is asked; nothing is changed. */
import { appended, captureWords } from '../machine/capture-command-line.ts';
import { distributionOf } from '../machine/distribution.ts';
import { crashKernelMib, memoryMib, secureBoot } from '../machine/hardware.ts';
import { kernelRelease } from '../machine/kernel.ts';
import { mountAt, mountsOf } from '../machine/mounts.ts';
import { toolVersions } from '../machine/tools.ts';
import type { SystemTree } from '../machine/tree.ts';
import { hasGrub, reservesNextTime, waitsForPerson } from '../machine/unattended.ts';
import type { Programs } from '../metal/programs.ts';
import type { WatchdogProof } from '../metal/proof.ts';
import type { SafetyFacts } from '../metal/safety/facts.ts';
import { safetyFacts } from '../metal/safety/gather.ts';
import type { MetalSettings } from '../metal/settings.ts';
import { type Watchdog, watchdogsOf } from '../metal/watchdog.ts';

/** What the survey answers, or why it does not. */
export type SurveySeen =
  | {
      readonly url: string;
      readonly reached: true;
      readonly clockAheadMs: number | null;
      readonly sets: readonly string[];
    }
  | { readonly url: string; readonly reached: false; readonly why: string };

/** A unit, as `systemctl show` says it. */
export interface UnitFacts {
  readonly isFound: boolean;
  readonly isEnabled: boolean;
  readonly isFailed: boolean;
}

/** What is known without asking the system: from the data directory and from the network. */
export interface KnownToDoctor {
  readonly consent: boolean;
  readonly nowMs: number;
  readonly settings: MetalSettings | null;
  readonly isEnrolled: boolean;
  /** Why the agent stopped, or null. */
  readonly stopped: string | null;
  readonly watchdogProof: WatchdogProof['state'] | null;
  readonly survey: SurveySeen;
  readonly isRoot: boolean;
  /** The state directory is there and readable, or is not there at all. */
  readonly isStateReadable: boolean;
}

export interface DoctorFacts extends SafetyFacts, Omit<KnownToDoctor, 'consent' | 'nowMs'> {
  readonly distribution: string;
  readonly release: string;
  readonly memoryMib: number;
  readonly crashKernelMib: number;
  /** Whether GRUB starts the system. */
  readonly hasGrub: boolean;
  readonly tools: Readonly<Record<string, string>>;
  /** The service that loads the capture kernel. */
  readonly kdumpUnit: UnitFacts;
  /** Whether the tooling's own switch is on (USE_KDUMP of Debian). */
  readonly isKdumpSwitchedOn: boolean;
  /** The words of the capture kernel's command line; empty where the tooling is not known. */
  readonly captureWords: readonly string[];
  /** What of them the tooling adds. */
  readonly captureAppended: string;
  readonly module: {
    readonly isLoaded: boolean;
    /** A module for the running kernel is installed. */
    readonly isInstalled: boolean;
    /** The source that DKMS builds from is there. */
    readonly hasSource: boolean;
    readonly hasHeaders: boolean;
    readonly hasDkms: boolean;
    /** The kernel refuses modules that nobody signed. */
    readonly mustBeSigned: boolean;
  };
  readonly hasDebugfs: boolean;
  readonly secureBoot: boolean | null;
  readonly watchdogs: readonly Watchdog[];
  /** Watchdogs that something else already feeds. */
  readonly busyWatchdogs: readonly string[];
  /** `kernel.panic`: seconds until a kernel that panics starts anew, 0 for never. */
  readonly panicS: number | null;
  readonly isClockSynchronized: boolean | null;
  /** What would wait for a person at the next start; null where that cannot be read. */
  readonly waitsForPerson: readonly string[] | null;
  /** The boot loader sets memory aside for a capture kernel at the next start. */
  readonly reservesNextTime: boolean;
  readonly agentUnits: readonly UnitFacts[];
  /** Whether the directory for the disk load lies on the dump target's file system; null where none is named. */
  readonly isScratchOnTarget: boolean | null;
}

/** The name of the kdump service of each tooling. */
export const kdumpUnits = {
  debian: 'kdump-tools.service',
  fedora: 'kdump.service',
  suse: 'kdump.service',
} as const;

/** The units that go on with a campaign. */
export const agentUnits = ['dumpsurvey.service', 'dumpsurvey.timer'] as const;

async function unitFacts(programs: Programs, unit: string): Promise<UnitFacts> {
  const { stdout } = await programs('systemctl', ['show', unit, '-p', 'LoadState,UnitFileState,ActiveState']);
  const said = new Map([...stdout.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
  return {
    isFound: said.get('LoadState') === 'loaded',
    isEnabled: /^(enabled|static|generated)/.test(said.get('UnitFileState') ?? ''),
    isFailed: said.get('ActiveState') === 'failed',
  };
}

async function moduleFacts(
  tree: SystemTree,
  programs: Programs,
  release: string,
): Promise<DoctorFacts['module']> {
  const info = await programs('modinfo', ['-k', release, '-F', 'vermagic', 'crashpoint']);
  const dkms = await programs('dkms', ['--version']);
  return {
    isLoaded: tree.list('/sys/module/crashpoint').length > 0,
    isInstalled: info.code === 0 && info.stdout.startsWith(`${release} `),
    hasSource: tree.list('/usr/src').some((name) => /^crashpoint-/.test(name)),
    hasHeaders: tree.list(`/lib/modules/${release}/build`).includes('Makefile'),
    hasDkms: dkms.code === 0,
    mustBeSigned: /^[Y1]$/.test(tree.read('/sys/module/module/parameters/sig_enforce')?.trim() ?? ''),
  };
}

async function clockSynchronized(programs: Programs): Promise<boolean | null> {
  const { code, stdout } = await programs('timedatectl', ['show', '-p', 'NTPSynchronized', '--value']);
  const said = stdout.trim();
  return code !== 0 || said === '' ? null : said === 'yes';
}

/** Gathers all facts. Never rejects for what a system lacks. */
export async function doctorFacts(
  tree: SystemTree,
  programs: Programs,
  known: KnownToDoctor,
): Promise<DoctorFacts> {
  const { consent, nowMs, ...told } = known;
  const safety = await safetyFacts(tree, programs, known.settings, { consent, nowMs });
  const { family, target } = safety;
  const { id, version } = distributionOf(tree);
  const { release } = kernelRelease(tree);
  const mounts = mountsOf(tree);
  const scratch = known.settings?.scratch ?? null;
  const panic = tree.read('/proc/sys/kernel/panic')?.trim() ?? '';
  const switchOff = /^\s*USE_KDUMP=["']?0/m.test(tree.read('/etc/default/kdump-tools') ?? '');
  const missing: UnitFacts = { isFound: false, isEnabled: false, isFailed: false };
  const units: UnitFacts[] = [];
  for (const unit of agentUnits) units.push(await unitFacts(programs, unit));
  const watchdogs = watchdogsOf(tree);
  return {
    ...safety,
    ...told,
    distribution: id === null ? 'a system without os-release' : [id, version ?? ''].join(' ').trim(),
    release,
    memoryMib: memoryMib(tree),
    crashKernelMib: crashKernelMib(tree),
    hasGrub: hasGrub(tree),
    tools: await toolVersions(programs, family),
    kdumpUnit: family === null ? missing : await unitFacts(programs, kdumpUnits[family]),
    isKdumpSwitchedOn: family !== 'debian' || !switchOff,
    captureAppended: family === null ? '' : appended(tree, family),
    captureWords: family === null ? [] : captureWords(tree, family),
    module: await moduleFacts(tree, programs, release),
    hasDebugfs: mounts.some(({ type }) => type === 'debugfs'),
    secureBoot: secureBoot(tree),
    watchdogs,
    busyWatchdogs: watchdogs
      .filter(({ name }) => tree.read(`/sys/class/watchdog/${name}/state`)?.trim() === 'active')
      .map(({ name }) => name),
    panicS: /^-?\d+$/.test(panic) ? Number(panic) : null,
    isClockSynchronized: await clockSynchronized(programs),
    waitsForPerson: waitsForPerson(tree),
    reservesNextTime: reservesNextTime(tree),
    agentUnits: units,
    isScratchOnTarget:
      scratch === null ? null : mountAt(mounts, scratch)?.device === (target.mount?.device ?? 'none'),
  };
}
