/** What `doctor` finds: each check on a machine on which all else is as it should be, and on three systems in files. */
import { describe, expect, it, test } from 'vitest';
import { answering } from '../../test/fixtures/metal/answers.ts';
import { plainTarget, soundMachine } from '../../test/fixtures/metal/facts.ts';
import { system, type TreeName } from '../../test/fixtures/metal/plant.ts';
import { defaultSettings } from '../metal/settings.ts';
import type { CheckState } from './check.ts';
import { type CheckId, checkAll, checks, isInOrder, wantedCrashMib } from './checks.ts';
import { type DoctorFacts, doctorFacts, type KnownToDoctor } from './facts.ts';
import { report } from './print.ts';

const open = (facts: DoctorFacts) => checkAll(facts).filter(({ state }) => state !== 'ok');
const states = (facts: DoctorFacts): [CheckId, CheckState][] =>
  open(facts).map(({ id, state }) => [id, state]);

test('a machine on which everything is as it should be is all green', () => {
  expect(states(soundMachine)).toEqual([]);
  expect(isInOrder(checkAll(soundMachine))).toBe(true);
});

const reached = { url: 'https://survey.test', reached: true, clockAheadMs: 0, sets: ['metal/1'] } as const;
const unit = { isFound: true, isEnabled: true, isFailed: false };

describe('one thing is wrong', () => {
  it.each<[CheckId, CheckState, string, Partial<DoctorFacts>]>([
    ['consent', 'failed', 'install --spare-machine', { consent: false }],
    ['off', 'failed', 'dumpsurvey.off', { commandLine: ['dumpsurvey.off'] }],
    ['stopped', 'failed', 'dumpsurvey run --again', { stopped: '3 starts within 30 minutes' }],
    ['distribution', 'failed', 'apt-get install kdump-tools', { tools: { makedumpfile: '1.7.2' } }],
    ['makedumpfile', 'failed', 'apt-get install makedumpfile', { tools: { 'kdump-tools': '1:1.8.1' } }],
    ['crash-memory', 'warning', 'crashkernel=256M', { crashKernelMib: 128 }],
    ['crash-memory', 'failed', 'crashkernel=256M', { crashKernelMib: 64 }],
    ['capture-panic', 'failed', 'panic=10', { captureWords: ['nr_cpus=1'], captureAppended: 'nr_cpus=1' }],
    ['capture-panic', 'failed', 'panic=10', { captureWords: ['panic=10', 'panic=0'], captureAppended: '' }],
    ['capture-panic', 'failed', 'kdump-config reload', { captureWords: ['nr_cpus=1'] }],
    ['capture-kernel', 'failed', 'systemctl restart kdump-tools', { isCrashKernelLoaded: false }],
    [
      'capture-kernel',
      'failed',
      'journalctl',
      { isCrashKernelLoaded: false, kdumpUnit: { ...unit, isFailed: true } },
    ],
    ['capture-kernel', 'failed', 'systemctl enable', { kdumpUnit: { ...unit, isEnabled: false } }],
    ['capture-kernel', 'failed', 'USE_KDUMP=1', { isKdumpSwitchedOn: false }],
    ['lockdown', 'unknown', 'securityfs', { lockdown: 'unknown' }],
    [
      'module',
      'failed',
      'dkms install crashpoint/1',
      { module: { ...soundMachine.module, isInstalled: false } },
    ],
    ['module', 'failed', 'sig_enforce', { module: { ...soundMachine.module, mustBeSigned: true } }],
    ['debugfs', 'failed', 'sys-kernel-debug.mount', { hasDebugfs: false }],
    [
      'raid',
      'failed',
      'plain partition',
      { target: { ...plainTarget, layers: [{ kind: 'md', name: 'md0' }] } },
    ],
    ['bmc', 'failed', 'plain partition', { hasBmc: true, target: { ...plainTarget, interface: 'eno1' } }],
    ['space', 'warning', 'Remove', { freeBytes: 2 * soundMachine.dumpBytes }],
    ['space', 'failed', 'Remove', { freeBytes: soundMachine.dumpBytes - 1 }],
    ['space', 'unknown', 'df -h /', { freeBytes: null }],
    ['scratch', 'warning', '--scratch', { isScratchOnTarget: null }],
    ['scratch', 'warning', '--scratch', { isScratchOnTarget: false }],
    ['watchdog', 'warning', 'iTCO_wdt', { watchdogs: [] }],
    ['watchdog', 'warning', 'RuntimeWatchdogSec=off', { busyWatchdogs: ['watchdog0'] }],
    ['watchdog', 'warning', 'firmware', { watchdogProof: 'failed' }],
    ['panic', 'warning', 'kernel.panic = 10', { panicS: 0 }],
    ['panic', 'unknown', '', { panicS: null }],
    ['unattended', 'failed', 'password', { waitsForPerson: ['GRUB asks for a password'] }],
    ['unattended', 'unknown', 'sudo dumpsurvey doctor', { waitsForPerson: null }],
    ['battery', 'failed', 'power supply', { onBattery: true }],
    ['arrays', 'failed', 'mdstat', { brokenArrays: ['md0 lacks 1 disk'] }],
    ['file-systems', 'failed', 'fsck.mode=force', { fileSystemFaults: [{ mountPoint: '/', what: 'x' }] }],
    ['time', 'failed', 'set-ntp', { nowMs: 0 }],
    ['time', 'failed', 'set-ntp', { survey: { ...reached, clockAheadMs: 11 * 60_000 } }],
    ['time', 'failed', 'set-ntp', { survey: { ...reached, clockAheadMs: -11 * 60_000 } }],
    [
      'survey',
      'warning',
      'install --url',
      { survey: { url: 'https://x', reached: false, why: 'no answer' } },
    ],
    ['survey', 'failed', 'install --url', { survey: { ...reached, sets: ['standard/1'] } }],
    ['enrolled', 'failed', 'dumpsurvey enroll --url https://survey.test', { isEnrolled: false }],
    ['units', 'failed', 'dumpsurvey install', { agentUnits: [unit, { ...unit, isEnabled: false }] }],
  ])('%s is %s: %s', (id, state, fix, change) => {
    const found = open({ ...soundMachine, ...change });
    expect(found.map((f) => [f.id, f.state])).toEqual([[id, state]]);
    expect(found[0]?.fix.join('\n')).toContain(fix);
    expect(found[0]?.meaning).toMatch(/^\S.*\.$|^The agent stopped itself: /);
    expect(isInOrder(found)).toBe(state === 'warning');
  });
});

describe('what belongs together', () => {
  it('without memory for it nothing is said of loading a capture kernel', () => {
    const found = open({
      ...soundMachine,
      crashKernelMib: 0,
      isCrashKernelLoaded: false,
      reservesNextTime: false,
      commandLine: [],
    });
    expect(found.map(({ id, fix }) => [id, fix.length > 0])).toEqual([
      ['crash-memory', true],
      ['capture-kernel', false],
    ]);
  });

  it('memory that will be there after the next start needs that start alone', () => {
    const found = open({ ...soundMachine, crashKernelMib: 0, isCrashKernelLoaded: true, commandLine: [] });
    expect(found).toMatchObject([{ id: 'crash-memory', fix: ['reboot'] }]);
  });

  it('where it is not known where dumps go, nothing is claimed of what lies below', () => {
    const target = { ...plainTarget, layers: [], mount: null, fault: 'there is no /etc/kdump.conf' };
    expect(states({ ...soundMachine, target, freeBytes: null })).toEqual([
      ['target', 'failed'],
      ['encrypted', 'unknown'],
      ['raid', 'unknown'],
      ['shared', 'unknown'],
      ['bmc', 'unknown'],
      ['space', 'unknown'],
    ]);
  });

  it('a locked-down kernel loads no module of ours', () => {
    expect(states({ ...soundMachine, lockdown: 'integrity' }).map(([id]) => id)).toEqual([
      'lockdown',
      'module',
    ]);
  });

  it('dumps that go elsewhere need no room here', () => {
    const facts = {
      ...soundMachine,
      target: { ...plainTarget, interface: 'eno1', mount: null },
      freeBytes: null,
    };
    expect(states(facts)).toEqual([]);
  });

  it('a state directory that only root may read says nothing, and so nothing is said of it', () => {
    const unread = {
      isStateReadable: false,
      consent: false,
      isEnrolled: false,
      settings: null,
      isScratchOnTarget: null,
    };
    const found = open({ ...soundMachine, ...unread });
    expect(found.map(({ id, state, fix }) => [id, state, fix])).toEqual(
      ['consent', 'stopped', 'scratch', 'enrolled'].map((id) => [id, 'unknown', ['sudo dumpsurvey doctor']]),
    );
  });

  it('an unproven watchdog is no fault: it is proven when it is needed', () => {
    expect(states({ ...soundMachine, watchdogProof: null })).toEqual([]);
  });

  it('a clock that nothing sets is right where it agrees with the survey', () => {
    expect(states({ ...soundMachine, isClockSynchronized: false })).toEqual([]);
    const survey = { url: 'https://x', reached: false, why: 'no answer' } as const;
    expect(states({ ...soundMachine, isClockSynchronized: false, survey })).toEqual([
      ['time', 'warning'],
      ['survey', 'warning'],
    ]);
  });
});

test.each([
  [512, 128],
  [1024, 128],
  [2048, 192],
  [4096, 192],
  [8192, 256],
  [65_536, 256],
  [131_072, 512],
])('of %i MiB, %i MiB for the capture kernel are enough', (memoryMib, mib) => {
  expect(wantedCrashMib(memoryMib)).toBe(mib);
  expect(states({ ...soundMachine, memoryMib, crashKernelMib: mib })).toEqual([]);
});

describe.each(['debian', 'fedora', 'suse'] as const)('on %s', (family) => {
  const installs = { debian: 'apt-get install ', fedora: 'dnf install ', suse: 'zypper install ' };
  const bare: Partial<DoctorFacts> = {
    family,
    tools: {},
    crashKernelMib: 0,
    reservesNextTime: false,
    commandLine: [],
    captureWords: [],
    captureAppended: 'nr_cpus=1',
    isCrashKernelLoaded: false,
    module: {
      ...soundMachine.module,
      isInstalled: false,
      hasSource: false,
      hasHeaders: false,
      hasDkms: false,
    },
    release: family === 'suse' ? '6.4.0-1-default' : soundMachine.release,
  };
  const fixes = Object.fromEntries(
    open({ ...soundMachine, ...bare }).map(({ id, fix }) => [id, fix.join('\n')]),
  );

  it('installs with its own package manager', () => {
    for (const id of ['distribution', 'makedumpfile', 'module'])
      expect(fixes[id]).toContain(installs[family]);
    for (const other of Object.values(installs).filter((name) => name !== installs[family]))
      expect(Object.values(fixes).join('\n')).not.toContain(other);
  });

  it('sets memory aside in its own way, and reboots', () => {
    const way = { debian: 'update-grub', fedora: 'grubby', suse: 'grub2-mkconfig' };
    expect(fixes['crash-memory']).toContain(way[family]);
    expect(fixes['crash-memory']).toMatch(/crashkernel=256M[\s\S]*\nreboot$/);
  });

  it('adds panic= in its own file, keeping what the tooling adds itself', () => {
    const file = {
      debian: `'KDUMP_CMDLINE_APPEND="nr_cpus=1 panic=10"' >> /etc/default/kdump-tools`,
      fedora: `'KDUMP_COMMANDLINE_APPEND="nr_cpus=1 panic=10"' >> /etc/sysconfig/kdump`,
      suse: `'KDUMP_COMMANDLINE_APPEND="nr_cpus=1 panic=10"' >> /etc/sysconfig/kdump`,
    };
    expect(fixes['capture-panic']).toContain(file[family]);
  });

  it('names the headers of the running kernel', () => {
    const headers = {
      debian: 'linux-headers-6.1.0-28-amd64',
      fedora: 'kernel-devel-6.1.0-28-amd64',
      suse: 'kernel-default-devel',
    };
    expect(fixes.module).toContain(headers[family]);
  });
});

test('a line of a fix is a command, or begins with a capital letter and is for a person', () => {
  const worst: Partial<DoctorFacts> = {
    consent: false,
    commandLine: ['dumpsurvey.off'],
    stopped: 'x',
    tools: {},
    crashKernelMib: 0,
    reservesNextTime: false,
    isCrashKernelLoaded: false,
    kdumpUnit: { isFound: true, isEnabled: false, isFailed: true },
    isKdumpSwitchedOn: false,
    captureWords: [],
    captureAppended: '',
    lockdown: 'integrity',
    module: { ...soundMachine.module, isInstalled: false, hasHeaders: false, hasSource: false },
    hasDebugfs: false,
    hasBmc: true,
    target: {
      ...plainTarget,
      interface: 'eno1',
      layers: (['crypt', 'md', 'iscsi'] as const).map((kind) => ({ kind, name: kind })),
    },
    freeBytes: 0,
    isScratchOnTarget: null,
    watchdogs: [],
    panicS: 0,
    waitsForPerson: ['GRUB asks for a password'],
    onBattery: true,
    brokenArrays: ['md0 lacks 1 disk'],
    fileSystemFaults: [{ mountPoint: '/', what: 'x' }],
    nowMs: 0,
    survey: { url: 'https://x', reached: false, why: 'no answer' },
    isEnrolled: false,
    agentUnits: [{ isFound: false, isEnabled: false, isFailed: false }],
  };
  const programs =
    /^(apt-get|dnf|zypper|dkms|dumpsurvey|systemctl|journalctl|kdump-config|kdumpctl|update-grub|grubby|grub2-mkconfig|reboot|echo|sed|mkdir|modprobe|sysctl|timedatectl|cat|df|mount|sudo)( |$)/;
  for (const family of ['debian', 'fedora', 'suse', null] as const) {
    const lines = checkAll({ ...soundMachine, ...worst, family }).flatMap(({ fix }) => fix);
    expect(lines.length).toBeGreaterThan(25);
    expect(lines.filter((line) => !/^[A-Z]/.test(line) && !programs.test(line))).toEqual([]);
    expect(
      lines.filter(
        (line) => /^[A-Z]/.test(line) && !/[.:]$|: dnf | --help$|: mokutil |: systemctl /.test(line),
      ),
    ).toEqual([]);
  }
});

describe('systems in files', () => {
  const known: KnownToDoctor = {
    consent: true,
    nowMs: soundMachine.nowMs,
    settings: { ...defaultSettings, scratch: '/var/tmp/x' },
    isEnrolled: true,
    stopped: null,
    watchdogProof: null,
    survey: reached,
    isRoot: true,
    isStateReadable: true,
  };
  const show = (name: string) => `systemctl show ${name} -p LoadState,UnitFileState,ActiveState`;
  const enabled = 'LoadState=loaded\nUnitFileState=enabled\nActiveState=active\n';
  const common = {
    'makedumpfile -v': 'makedumpfile: version 1.7.2 (released on 7 Nov 2022)\n',
    'loginctl list-sessions --no-legend --no-pager': '',
    df: '     Avail\n900000000000\n',
    'dkms --version': 'dkms-3.0.10\n',
    'timedatectl show -p NTPSynchronized --value': 'yes\n',
    [show('dumpsurvey.service')]: 'LoadState=loaded\nUnitFileState=static\n',
    [show('dumpsurvey.timer')]: enabled,
  };
  const seen = async (name: TreeName, answers: Record<string, string>, changes = '') =>
    states(await doctorFacts(system(name, changes), answering({ ...common, ...answers }), known));

  const debian = {
    'dpkg-query': 'installed 1:1.8.1',
    [show('kdump-tools.service')]: enabled,
    'modinfo -k 6.1.0-28-amd64 -F vermagic crashpoint': '6.1.0-28-amd64 SMP preempt mod_unload modversions\n',
  };

  it('a notebook with Debian as its packages leave it: what is left to do', async () => {
    expect(await seen('debian-nvme-lvm', debian)).toEqual([
      ['crash-memory', 'warning'],
      ['capture-panic', 'failed'],
      ['panic', 'warning'],
    ]);
  });

  it('and after its owner did that: all green', async () => {
    const mended = `@ /sys/kernel/kexec_crash_size = 268435456
@ /proc/sys/kernel/panic = 10
@ /etc/default/kdump-tools
USE_KDUMP=1
KDUMP_CMDLINE_APPEND="reset_devices systemd.unit=kdump-tools-dump.service nr_cpus=1 irqpoll usbcore.nousb panic=10"
`;
    expect(await seen('debian-nvme-lvm', debian, mended)).toEqual([]);
  });

  it('kdump-tools that is switched off, a module for another kernel, no headers', async () => {
    const off = `@ /etc/default/kdump-tools
USE_KDUMP=0
KDUMP_CMDLINE_APPEND="panic=10"
@ /lib/modules/6.1.0-28-amd64/build gone
@ /sys/kernel/kexec_crash_loaded = 0
`;
    const answers = { ...debian, 'modinfo -k 6.1.0-28-amd64 -F vermagic crashpoint': '6.1.0-27-amd64 SMP\n' };
    const found = await seen('debian-nvme-lvm', answers, off);
    expect(found).toEqual(
      expect.arrayContaining([
        ['capture-kernel', 'failed'],
        ['module', 'failed'],
      ]),
    );
  });

  it('a server with Fedora', async () => {
    const answers = {
      'rpm -q --qf installed %{VERSION}-%{RELEASE} kdump-utils': 'installed 1.0.52-1.fc41',
      [show('kdump.service')]: enabled,
    };
    expect(await seen('fedora-nfs-bond', answers)).toEqual([
      ['lockdown', 'failed'],
      ['module', 'failed'],
      ['bmc', 'failed'],
      ['scratch', 'warning'],
      ['watchdog', 'warning'],
    ]);
  });

  it('a guest with SUSE', async () => {
    const answers = {
      rpm: 'installed 2.0.6-150600.1.3',
      [show('kdump.service')]: enabled,
      modinfo: '6.4.0-150600.23.25-default SMP preempt\n',
    };
    expect(await seen('suse-multipath-btrfs', answers)).toEqual([
      ['debugfs', 'failed'],
      ['shared', 'failed'],
      ['watchdog', 'warning'],
    ]);
  });

  it('a system of which nothing is known fails, and never throws', async () => {
    const facts = await doctorFacts(system(null, '@ /x = 1\n'), answering({}), { ...known, settings: null });
    expect(isInOrder(checkAll(facts))).toBe(false);
  });
});

describe('the report', () => {
  it('has one line for what is as it should be', () => {
    const lines = report(checkAll(soundMachine)).split('\n');
    expect(lines).toHaveLength(Object.keys(checks).length + 2);
    expect(lines.slice(0, -2).every((line) => /^ok {7}\S/.test(line))).toBe(true);
    expect(lines.at(-1)).toBe('This machine can be tested.');
  });

  it('shows what is so and the commands below what is not', () => {
    const text = report(checkAll({ ...soundMachine, hasDebugfs: false, panicS: 0 }));
    expect(text).toContain(`FAILED   debugfs is mounted
         debugfs is not mounted: the module could not be armed.
           systemctl unmask sys-kernel-debug.mount
           systemctl start sys-kernel-debug.mount`);
    expect(text).toMatch(/\n1 of \d+ checks is to be mended first; nothing was changed\.$/);
    expect(report(checkAll({ ...soundMachine, panicS: 0 }))).toMatch(
      /can be tested; a warning says what is lost\.$/,
    );
  });
});
