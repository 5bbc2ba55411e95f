/** What the agent refuses: each rule alone, on a machine on which all else is as it should be. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { crashTypes } from '../../../schema/crash-type.ts';
import { scenarioSets } from '../../../schema/scenario.ts';
import { mechanisms, namesOf } from '../../../schema/vocabulary.ts';
import { answering } from '../../../test/fixtures/metal/answers.ts';
import { firstTrial, plainTarget, soundFacts } from '../../../test/fixtures/metal/facts.ts';
import { system, type TreeName } from '../../../test/fixtures/metal/plant.ts';
import type { SafetyFacts } from './facts.ts';
import { safetyFacts } from './gather.ts';
import { type PlannedTrial, type RefusalId, refusalRules, refusalsOf } from './refusals.ts';

const proven = { watchdogProven: true };
const unproven = { watchdogProven: false };
const ids = (facts: SafetyFacts, trial = firstTrial, history = proven) =>
  refusalsOf(facts, trial, history).map(({ id }) => id);
const onLayer = (kind: SafetyFacts['target']['layers'][number]['kind']): SafetyFacts['target'] => ({
  ...plainTarget,
  layers: [{ kind, name: 'x' }, ...plainTarget.layers],
});
const overNetwork: SafetyFacts['target'] = {
  ...plainTarget,
  layers: [
    { kind: 'nic', name: 'eno1' },
    { kind: 'nfs', name: 'nfs' },
  ],
  interface: 'eno1',
  mount: null,
};

test('on a sound machine nothing speaks against the first trial, nor against any of the set for real machines', () => {
  expect(ids(soundFacts, firstTrial, unproven)).toEqual([]);
  for (const scenario of scenarioSets['metal/1'])
    expect(ids(soundFacts, { scenario, mechanism: 'kdump', control: false })).toEqual([]);
});

describe('one thing is wrong', () => {
  it.each<[RefusalId, Partial<SafetyFacts>]>([
    ['consent', { consent: false }],
    ['off', { commandLine: ['quiet', 'dumpsurvey.off'] }],
    ['battery', { onBattery: true }],
    ['users', { otherSessionCount: 1 }],
    ['users', { otherSessionCount: null }],
    ['arrays', { brokenArrays: ['md0 lacks 1 disk'] }],
    ['file-systems', { fileSystemFaults: [{ mountPoint: '/home', what: '3 errors recorded' }] }],
    ['encrypted', { target: onLayer('crypt') }],
    ['raid', { target: onLayer('md') }],
    ['raid', { target: onLayer('dm-raid') }],
    ['shared', { target: onLayer('iscsi') }],
    ['shared', { target: onLayer('fc') }],
    ['shared', { target: onLayer('nvme-of') }],
    ['shared', { target: onLayer('drbd') }],
    ['shared', { target: { ...plainTarget, mount: { ...plainTarget.mount, type: 'gfs2' } as never } }],
    ['target', { target: { ...plainTarget, layers: [], fault: 'nothing is mounted at /var/crash' } }],
    ['bmc', { hasBmc: true, target: overNetwork }],
    ['lockdown', { lockdown: 'integrity' }],
    ['lockdown', { lockdown: 'confidentiality' }],
    ['crash-kernel', { isCrashKernelLoaded: false }],
    ['space', { freeBytes: soundFacts.dumpBytes - 1 }],
    ['clock', { nowMs: 1000 }],
    ['nvram', { keepsLogInFirmware: true, notifiersFirst: true }],
  ])('%s: %j', (id, change) => {
    expect(ids({ ...soundFacts, ...change })).toEqual([id]);
  });

  it.each<[string, Partial<SafetyFacts>]>([
    ['a machine on mains', { onBattery: false }],
    ['a BMC where dumps stay local', { hasBmc: true }],
    ['dumps over a network where there is no BMC', { target: overNetwork }],
    ['room that is not known', { freeBytes: null }],
    ['just enough room', { freeBytes: soundFacts.dumpBytes }],
    ['a word that only begins so', { commandLine: ['dumpsurvey.offline'] }],
    ['a log in firmware that an armed kdump keeps out of the way', { keepsLogInFirmware: true }],
    ['LVM, multipath and partitions', { target: onLayer('multipath') }],
  ])('%s is no reason', (_, change) => {
    expect(ids({ ...soundFacts, ...change })).toEqual([]);
  });
});

describe('what the trial is, decides', () => {
  const trial = (
    change: Partial<PlannedTrial['scenario']>,
    rest: Partial<PlannedTrial> = {},
  ): PlannedTrial => ({
    ...firstTrial,
    ...rest,
    scenario: { ...firstTrial.scenario, ...change },
  });

  it.each(namesOf(crashTypes))('%s, by its safety class', (crash_type) => {
    const { safety } = crashTypes[crash_type];
    const without = ids(soundFacts, trial({ crash_type }), unproven);
    const withProof = ids(soundFacts, trial({ crash_type }), proven);
    expect(without).toEqual(safety === 'hangs' ? ['hang'] : safety === 'corrupts' ? ['corrupts'] : []);
    expect(withProof).toEqual(safety === 'corrupts' ? ['corrupts'] : []);
  });

  it.each(['reset-flr', 'reset-pm', 'reset-bus', 'restore', 'hardened'] as const)(
    '%s is for the lab',
    (mitigation) => {
      expect(ids(soundFacts, trial({ mitigation }))).toEqual(['mitigation']);
    },
  );

  it('a control needs no capture kernel and no room', () => {
    const facts = { ...soundFacts, isCrashKernelLoaded: false, freeBytes: 0 };
    expect(ids(facts, trial({}, { control: true }))).toEqual([]);
  });

  it('a control has nothing that keeps the log out of the firmware', () => {
    const facts = { ...soundFacts, keepsLogInFirmware: true };
    expect(ids(facts, trial({}, { control: true }))).toEqual(['nvram']);
    expect(ids(facts, trial({}, { mechanism: 'pstore' }))).toEqual(['nvram']);
  });

  it('a load on the network is refused beside a BMC', () => {
    const facts = { ...soundFacts, hasBmc: true };
    expect([
      ids(facts, trial({ load: 'net' })),
      ids(facts, trial({ load: 'all' })),
      ids(facts, trial({ load: 'disk' })),
    ]).toEqual([['bmc-load'], ['bmc-load'], []]);
  });
});

test('every rule says in sentences what is so, and refuses in its own name', () => {
  const seen = new Set<RefusalId>();
  const worst: SafetyFacts = {
    ...soundFacts,
    consent: false,
    commandLine: ['dumpsurvey.off'],
    nowMs: 0,
    onBattery: true,
    otherSessionCount: 3,
    brokenArrays: ['md0 lacks 1 disk'],
    fileSystemFaults: [{ mountPoint: '/', what: 'read-only against /etc/fstab' }],
    target: {
      ...overNetwork,
      layers: ['crypt', 'md', 'iscsi'].map(
        (kind) => ({ kind, name: kind }) as SafetyFacts['target']['layers'][number],
      ),
      fault: 'no route leads to the host',
    },
    hasBmc: true,
    lockdown: 'integrity',
    isCrashKernelLoaded: false,
    keepsLogInFirmware: true,
    notifiersFirst: true,
    freeBytes: 0,
  };
  for (const crash_type of ['loop', 'corrupt-stack'] as const)
    for (const { id, why, fix } of refusalsOf(
      worst,
      { scenario: { crash_type, load: 'net', mitigation: 'restore' }, mechanism: 'kdump', control: false },
      unproven,
    )) {
      seen.add(id);
      expect(why).toMatch(/^\S.*\.$/);
      for (const line of fix) expect(line.length).toBeGreaterThan(3);
    }
  expect(seen).toEqual(new Set(namesOf(refusalRules)));
});

test('without consent, switched off or on battery nothing is ever run, whatever else is so', () => {
  const yesNo = fc.boolean();
  const trials = fc.record({
    scenario: fc.record({
      crash_type: fc.constantFrom(...namesOf(crashTypes)),
      load: fc.constantFrom('idle', 'disk', 'net', 'all'),
      mitigation: fc.constantFrom('distribution', 'none', 'restore'),
    }),
    mechanism: fc.constantFrom(...namesOf(mechanisms)),
    control: yesNo,
  }) as fc.Arbitrary<PlannedTrial>;
  fc.assert(
    fc.property(trials, yesNo, yesNo, yesNo, yesNo, (trial, consent, off, battery, watchdogProven) => {
      const facts = {
        ...soundFacts,
        consent,
        onBattery: battery,
        commandLine: off ? ['dumpsurvey.off'] : [],
      };
      const found = ids(facts, trial, { watchdogProven });
      expect(found.includes('consent')).toBe(!consent);
      expect(found.includes('off')).toBe(off);
      expect(found.includes('battery')).toBe(battery);
      expect(new Set(found).size).toBe(found.length);
    }),
  );
});

describe('a rule about the machine does not look at the trial', () => {
  it.each(namesOf(refusalRules).filter((id) => refusalRules[id].scope === 'machine'))('%s', (id) => {
    expect(refusalRules[id].find.length).toBeLessThanOrEqual(1);
  });
});

describe('the facts of systems in files', () => {
  const answers = {
    'loginctl list-sessions --no-legend --no-pager': '',
    'df -B1 --output=avail /': '     Avail\n54321\n',
  };
  const known = { consent: true, nowMs: soundFacts.nowMs };
  const factsOf = (name: TreeName, changes = '', programs: Record<string, string | number> = answers) =>
    safetyFacts(system(name, changes), answering(programs), null, known);

  it('a notebook with Debian: only room is short', async () => {
    const facts = await factsOf('debian-nvme-lvm');
    expect(facts).toMatchObject({
      family: 'debian',
      onBattery: false,
      otherSessionCount: 0,
      brokenArrays: [],
      fileSystemFaults: [],
      hasBmc: false,
      lockdown: 'none',
      isCrashKernelLoaded: true,
      keepsLogInFirmware: false,
      notifiersFirst: false,
      freeBytes: 54_321,
    });
    expect(ids(facts)).toEqual(['space']);
  });

  it('a server with Fedora: locked down, and its BMC may share the cards', async () => {
    const facts = await factsOf('fedora-nfs-bond');
    expect(facts).toMatchObject({ hasBmc: true, keepsLogInFirmware: true, freeBytes: null });
    expect(ids(facts)).toEqual(['bmc', 'lockdown']);
  });

  it('a guest with SUSE: its disk is shared', async () => {
    const facts = await factsOf('suse-multipath-btrfs', '', { ...answers, df: '1\n' });
    expect(facts).toMatchObject({ isCrashKernelLoaded: true, freeBytes: 1 });
    expect(ids(facts)).toEqual(['shared', 'space']);
  });

  it('programs that fail leave what they would say unknown', async () => {
    const facts = await factsOf('debian-nvme-lvm', '', {});
    expect(facts).toMatchObject({ otherSessionCount: null, freeBytes: null, brokenArrays: [] });
    expect(ids(facts)).toEqual(['users']);
  });

  it('reads the notifiers, the arrays of device mapper and the command line', async () => {
    const changes = `@ /sys/module/kernel/parameters/crash_kexec_post_notifiers = Y
@ /sys/module/pstore/parameters/backend = erst
@ /proc/cmdline = quiet dumpsurvey.off
`;
    const raid = { ...answers, 'dmsetup status --target raid': 'vg-a: 0 8 raid raid1 2 AD 8/8 idle 0 0 -\n' };
    const facts = await factsOf('debian-nvme-lvm', changes, raid);
    expect(facts).toMatchObject({
      notifiersFirst: true,
      keepsLogInFirmware: true,
      brokenArrays: ['vg-a (AD)'],
    });
    expect(ids({ ...facts, freeBytes: null })).toEqual(['off', 'arrays', 'nvram']);
  });

  it.each([
    '@ /sys/bus/platform/devices/IPI0001:00/x = 1\n',
    '@ /sys/bus/platform/devices/dmi-ipmi-si.0/x = 1\n',
    '@ /sys/firmware/dmi/entries/38-0/type = 38\n',
  ])('sees a management controller in %j', async (changes) => {
    expect((await factsOf('debian-nvme-lvm', changes)).hasBmc).toBe(true);
  });

  it('of a raw target all of the device is free', async () => {
    const changes = `@ /etc/kdump.conf\nraw /dev/vdb1
@ /sys/devices/virtual/block/vdb/vdb1/partition = 1
@ /sys/devices/virtual/block/vdb/vdb1/size = 2048
@ /sys/class/block/vdb1 -> /sys/devices/virtual/block/vdb/vdb1
`;
    expect((await factsOf('fedora-nfs-bond', changes)).freeBytes).toBe(2048 * 512);
  });
});
