/** Each stage at which a trial may end, each cause, and what holds for whatever evidence is sent. */
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  type AfterReboot,
  dumpLayouts,
  dumpStates,
  resetReasons,
  watchdogStatuses,
} from '../after-reboot.ts';
import { crashPoints, taskKinds } from '../crash-point.ts';
import { crashTypes, setUps } from '../crash-type.ts';
import { channels, type DumpFinding, type Evidence, evidence, exits } from '../evidence.ts';
import { type Outcome, outcome } from '../outcome.ts';
import { loads, mitigations, type Scenario, scenarioSets } from '../scenario.ts';
import {
  type Cause,
  causes,
  type Mechanism,
  mechanisms,
  namesOf,
  type Stage,
  stages,
} from '../vocabulary.ts';
import { classify } from './classify.ts';
import { judgeDump } from './judge.ts';

const order = mechanisms.kdump.stages;
const all: Stage[] = [...order];

const scenario: Scenario = {
  crash_point: 'timer',
  crash_type: 'exception',
  load: 'disk',
  mitigation: 'none',
  set_up: 'panic',
  in_flight_min: 1,
};

const wholeDump: DumpFinding = {
  format: 'flattened',
  fault: null,
  byte_count: 64_482_396,
  truncated: false,
  incomplete_flag: false,
  pages: { promised: 21_244, present: 21_244, undecodable: 0 },
  armed: 'present',
  fired: 'present',
  canaries: { planted: 11, good: 11, changed: 0, missing: 0 },
  kernel_release: '6.1.0-56-amd64',
  vmcoreinfo: 'resolved',
  log_lines: 486,
};
const noDump: DumpFinding = {
  ...wholeDump,
  format: 'empty',
  byte_count: 0,
  pages: { promised: 0, present: 0, undecodable: 0 },
  armed: 'missing',
  fired: 'missing',
  canaries: { planted: 11, good: 0, changed: 0, missing: 11 },
  kernel_release: null,
  vmcoreinfo: 'absent',
  log_lines: null,
};

const trigger: Evidence['trigger'] = {
  crash_point: 'timer',
  crash_type: 'exception',
  in_nmi: false,
  in_hardirq: false,
  in_softirq: true,
  irqs_off: false,
  preempt: 257,
  task: 'idle',
  cpu: 0,
  in_flight: 8,
};

/** Evidence of a run whose channel saw the stages up to `last`, and could have seen all. */
function upTo(last: Stage | null, change: Partial<Evidence> = {}, couldSee: Stage[] = all): Evidence {
  const count = last === null ? 0 : order.indexOf(last as (typeof order)[number]) + 1;
  const saw = order.slice(0, count).map((stage, i) => ({ stage, at_ms: 100 * i, line: stage }));
  return evidence.parse({
    channel: { name: 'serial', could_see: couldSee, saw },
    trigger: count >= 2 ? trigger : null,
    at_crash: null,
    survived: null,
    dump: count === order.length ? wholeDump : noDump,
    watchdog: { present: true, fired: false, timeout_ms: 60_000 },
    exit: 'reboot',
    harness_fault: null,
    crash_log: ['BUG: kernel NULL pointer dereference, address: 0'],
    capture_log: [],
    duration_ms: 30_000,
    after_reboot: null,
    ...change,
  });
}

function kdump(e: Evidence, s: Scenario = scenario): Outcome {
  return outcome.parse(classify(e, s, 'kdump'));
}

test('a verified dump is captured, and nothing is charged', () => {
  expect(kdump(upTo('dump_written'))).toEqual({
    result: 'captured',
    reached: { proven: 'dump_written', excluded: null },
    verdict: 'verified',
    verdict_reason: 'verified',
    recovery: 'self',
    cause: null,
    signature: null,
  });
});

describe('a trial may end at each stage', () => {
  it.each<[Stage, Stage | null, Cause, string, Partial<Evidence>]>([
    ['fired', 'detected', 'detection', 'fired/timer/silent', { exit: 'watchdog', crash_log: [] }],
    ['detected', 'handed_over', 'core-kernel', 'detected/timer/null-dereference', { exit: 'watchdog' }],
    ['handed_over', 'capture_booted', 'unknown', 'handed_over/timer/silent', { exit: 'watchdog' }],
    ['capture_booted', 'target_ready', 'unknown', 'capture_booted/timer/silent', { exit: 'timeout' }],
    ['target_ready', 'dump_written', 'unknown', 'target_ready/timer/silent', {}],
    ['dump_written', null, 'unknown', 'dump_written/timer/empty', { dump: noDump }],
  ])('%s', (last, excluded, cause, signature, change) => {
    expect(kdump(upTo(last, change))).toMatchObject({
      result: 'failed',
      reached: { proven: last, excluded },
      cause,
      signature,
    });
  });

  it('armed, and the machine hangs before anything fires', () => {
    const hang = upTo('armed', { exit: 'watchdog', crash_log: [] });
    expect(kdump(hang)).toMatchObject({
      result: 'failed',
      reached: { proven: 'armed', excluded: 'fired' },
      recovery: 'watchdog',
      cause: 'unknown',
      signature: 'armed/timer/silent',
    });
  });
});

describe('cause of a failure in the capture kernel', () => {
  const inCapture = (...lines: string[]) => kdump(upTo('capture_booted', { capture_log: lines }));

  it.each<[Cause, string, string]>([
    ['resource', 'out-of-memory', 'Out of memory: Killed process 77 (makedumpfile)'],
    ['resource', 'no-space', 'dumpsurvey: writing to sda failed: No space left on device'],
    ['capture-environment', 'module-missing', 'dumpsurvey: module nvme.ko refused'],
    ['device', 'irq-nobody-cared', 'irq 10: nobody cared (try booting with the "irqpoll" option)'],
    ['device', 'command-timeout', 'nvme nvme0: I/O 12 QID 1 timeout, aborting'],
    ['device', 'io-error', 'Buffer I/O error on dev sda, logical block 0'],
    ['device', 'target-missing', 'dumpsurvey: target sda missing'],
    ['unknown', 'panic', 'Kernel panic - not syncing: VFS: Unable to mount root fs'],
    [
      'unknown',
      'silent',
      'megaraid_sas 0000:00:03.0: FW provided TM TaskAbort/Reset timeout\t: 0 secs/0 secs',
    ],
    ['unknown', 'silent', 'nvme nvme0: Shutdown timeout set to 8 seconds'],
  ])('%s: %s', (cause, symptom, line) => {
    expect(inCapture('Run /init as init process', line)).toMatchObject({
      cause,
      signature: `capture_booted/timer/${symptom}`,
    });
  });

  it('is the device where a module is on top of the trace, the core kernel where its own code is', () => {
    const fault = 'BUG: kernel NULL pointer dereference, address: 0';
    expect(inCapture(fault, 'RIP: 0010:esp_reset_cleanup+0x26/0x290 [esp_scsi]')).toMatchObject({
      cause: 'device',
      signature: 'capture_booted/timer/null-dereference in esp_reset_cleanup [esp_scsi]',
    });
    expect(inCapture(fault, 'RIP: 0010:kmem_cache_alloc+0x1/0x2', ' x+0x1/0x2 [y]')).toMatchObject({
      cause: 'core-kernel',
      signature: 'capture_booted/timer/null-dereference in kmem_cache_alloc < x [y]',
    });
  });

  it('every cause but the harness can be charged to a failure', () => {
    const charged = new Set<Cause | null>(['harness', 'detection', 'core-kernel']);
    for (const line of ['', 'Out of memory', 'dumpsurvey: module x missing', 'failed command: READ DMA']) {
      charged.add(inCapture(line).cause);
    }
    expect(charged).toEqual(new Set(namesOf(causes)));
  });
});

describe('what the channel could not see stays unknown', () => {
  const blind: Partial<Evidence> = { channel: { name: 'none', could_see: [], saw: [] }, crash_log: [] };

  it('nothing is excluded by a channel that sees nothing', () => {
    expect(kdump(upTo(null, blind))).toMatchObject({
      result: 'failed',
      reached: { proven: null, excluded: null },
      cause: 'unknown',
      signature: 'nothing/timer/silent',
    });
  });

  it('the first stage that it would have shown is excluded, those between are neither proven nor excluded', () => {
    const e = upTo('fired', {}, ['armed', 'fired', 'capture_booted', 'dump_written']);
    expect(kdump(e)).toMatchObject({
      reached: { proven: 'fired', excluded: 'capture_booted' },
      cause: 'unknown',
    });
    const detected = upTo('detected', {}, ['armed', 'detected', 'dump_written']);
    expect(kdump(detected)).toMatchObject({
      reached: { proven: 'detected', excluded: 'dump_written' },
      cause: 'unknown',
    });
  });

  it('nothing is excluded of a run whose end is not known', () => {
    const lost = kdump(upTo('fired', { exit: 'lost' }));
    expect(lost).toMatchObject({
      reached: { proven: 'fired', excluded: null },
      recovery: 'unknown',
      cause: 'unknown',
    });
  });

  it('a later stage proves the earlier ones, even if they were not seen', () => {
    const { channel } = upTo('dump_written');
    const e = upTo('armed', { channel: { ...channel, saw: channel.saw.slice(4, 5) } });
    expect(kdump(e)).toMatchObject({
      result: 'failed',
      reached: { proven: 'capture_booted', excluded: 'target_ready' },
    });
  });

  it('the dump itself proves what no channel saw', () => {
    expect(kdump(upTo(null, { ...blind, dump: wholeDump }))).toMatchObject({
      result: 'captured',
      reached: { proven: 'dump_written', excluded: null },
    });
    const cut = { ...wholeDump, truncated: true };
    expect(kdump(upTo('armed', { dump: cut }))).toMatchObject({
      result: 'failed',
      reached: { proven: 'target_ready', excluded: 'dump_written' },
      verdict: 'incomplete',
      verdict_reason: 'truncated',
    });
  });

  it('the trigger line proves the firing', () => {
    expect(kdump(upTo('armed', { trigger })).reached.proven).toBe('fired');
  });
});

describe('a machine that nobody watched', () => {
  const found: AfterReboot = {
    layout: 'debian',
    dump_state: 'none',
    watchdog_status: 'not-reported',
    reset_reason: null,
    pstore_records: 0,
    capture_log_found: false,
    receiver: null,
  };
  const unwatched: Evidence = {
    ...upTo(null, { exit: 'restart', dump: null, crash_log: [] }),
    channel: { name: 'none', could_see: [], saw: [] },
    after_reboot: found,
  };
  const foundAfter = (change: Partial<AfterReboot>, more: Partial<Evidence> = {}) =>
    kdump({ ...unwatched, ...more, after_reboot: { ...found, ...change } });

  it('and that left nothing: no dump was written, and nothing else is known', () => {
    expect(foundAfter({})).toEqual({
      result: 'failed',
      reached: { proven: null, excluded: 'dump_written' },
      verdict: null,
      verdict_reason: null,
      recovery: 'unknown',
      cause: 'unknown',
      signature: 'nothing/timer/silent',
    });
  });

  it.each<[string, Partial<AfterReboot>, Partial<Evidence>, Outcome['reached']]>([
    [
      'an unfinished dump',
      { dump_state: 'incomplete' },
      {},
      { proven: 'target_ready', excluded: 'dump_written' },
    ],
    [
      'a dump of this trial that was cut',
      { dump_state: 'complete' },
      { dump: { ...wholeDump, truncated: true } },
      { proven: 'target_ready', excluded: null },
    ],
    [
      'a dump of another trial',
      { dump_state: 'complete' },
      { dump: { ...wholeDump, armed: 'other-trial', fired: 'other-trial' } },
      { proven: null, excluded: null },
    ],
    [
      'a whole dump',
      { dump_state: 'complete' },
      { dump: wholeDump },
      { proven: 'dump_written', excluded: null },
    ],
    [
      "the capture kernel's log alone",
      { capture_log_found: true },
      {},
      { proven: 'capture_booted', excluded: 'dump_written' },
    ],
    ['a directory that cannot be read', { dump_state: 'unreadable' }, {}, { proven: null, excluded: null }],
    ['a dump elsewhere', { dump_state: 'elsewhere' }, {}, { proven: null, excluded: null }],
  ])('%s', (_, change, more, reached) => {
    expect(foundAfter(change, more).reached).toEqual(reached);
  });

  it('with beacons: what they could have shown and did not is excluded', () => {
    const saw = [{ stage: 'capture_booted', at_ms: 0, line: 'capture_booted success' }] as const;
    const channel: Evidence['channel'] = {
      name: 'ramoops',
      could_see: ['capture_booted', 'target_ready'],
      saw: [...saw],
    };
    expect(foundAfter({}, { channel }).reached).toEqual({
      proven: 'capture_booted',
      excluded: 'target_ready',
    });
    expect(foundAfter({}, { channel: { ...channel, saw: [] } }).reached).toEqual({
      proven: null,
      excluded: 'capture_booted',
    });
  });

  it('is a failure, not charged to a driver as anything but unknown, where the dump cannot be vouched for', () => {
    expect(foundAfter({ dump_state: 'elsewhere' }, { dump: wholeDump })).toMatchObject({
      result: 'failed',
      verdict: 'unverifiable',
      verdict_reason: 'elsewhere',
      cause: 'unknown',
    });
  });

  it('that never went down, under a log that would have shown the firing, is inconclusive', () => {
    const channel: Evidence['channel'] = { name: 'kernel-log', could_see: ['armed', 'fired'], saw: [] };
    const wentOn = { ...unwatched, channel, exit: 'went-on', after_reboot: null } as const;
    expect(kdump(wentOn)).toMatchObject({ result: 'inconclusive', recovery: 'not-needed', cause: 'harness' });
  });
});

describe('what does not count', () => {
  it.each<[string, Partial<Evidence>]>([
    ['even a verified dump, where the harness is to blame', { harness_fault: 'no space on this disk' }],
    ['an empty reason is a reason', { harness_fault: '' }],
  ])('%s', (_, change) => {
    expect(kdump(upTo('dump_written', change))).toMatchObject({
      result: 'inconclusive',
      cause: 'harness',
      signature: null,
    });
  });

  it.each<[string, Evidence['exit'], Outcome['result']]>([
    ['not fired, and the machine switched itself off', 'power-off', 'inconclusive'],
    ['not fired, and the machine rebooted', 'reboot', 'inconclusive'],
    ['not fired, and the watchdog ended it', 'watchdog', 'failed'],
    ['not fired, and the harness ended it', 'timeout', 'failed'],
    ['not known', 'lost', 'failed'],
  ])('%s', (_, exit, result) => {
    expect(kdump(upTo('armed', { exit })).result).toBe(result);
  });

  it('never armed, and the machine went on', () => {
    expect(kdump(upTo(null))).toMatchObject({ result: 'inconclusive', cause: 'harness' });
  });

  it('a machine that crashed by itself while it was armed', () => {
    const dump = { ...wholeDump, fired: 'unfired' } as const;
    expect(kdump(upTo('dump_written', { dump, trigger: null }))).toMatchObject({
      result: 'inconclusive',
      verdict: 'foreign',
      verdict_reason: 'armed-not-fired',
      cause: 'unknown',
      signature: null,
    });
    const blind: Evidence['channel'] = { name: 'none', could_see: [], saw: [] };
    expect(kdump(upTo(null, { channel: blind, dump })).reached).toEqual({ proven: 'armed', excluded: null });
  });

  it('but a trigger line outweighs a record that was not written back', () => {
    const dump = { ...wholeDump, fired: 'unfired' } as const;
    expect(kdump(upTo('dump_written', { dump }))).toMatchObject({ result: 'failed', verdict: 'foreign' });
  });

  it('firing is unknown, not disproven, where the channel would not have shown it', () => {
    const e = upTo('armed', { exit: 'power-off' }, ['armed', 'capture_booted', 'dump_written']);
    expect(kdump(e)).toMatchObject({
      result: 'failed',
      reached: { proven: 'armed', excluded: 'capture_booted' },
    });
  });
});

describe('a mechanism that takes the log only', () => {
  it.each<[Stage, Outcome['result']]>([
    ['log_captured', 'captured'],
    ['detected', 'failed'],
  ])('that reached %s has %s', (stage, result) => {
    const saw = [{ stage, at_ms: 0, line: stage }];
    const e = upTo('fired', { channel: { name: 'serial', could_see: [stage], saw }, dump: null });
    expect(classify(e, scenario, 'pstore').result).toBe(result);
    expect(classify({ ...e, dump: wholeDump }, scenario, 'pstore').result).toBe(result);
  });
});

describe('survived', () => {
  const e = upTo('fired', { survived: 'survived: expected a panic', exit: 'power-off' });

  it.each(namesOf(crashTypes))('%s, set up to be noticed: surviving it is a failure', (crash_type) => {
    expect(kdump(e, { ...scenario, crash_type })).toMatchObject({ result: 'failed', cause: 'detection' });
  });

  it.each(namesOf(crashTypes))(
    '%s, as the distribution ships: surviving is no failure where a sysctl would have changed it',
    (crash_type) => {
      const { sysctls } = crashTypes[crash_type];
      const result = Object.keys(sysctls).length > 0 ? 'survived' : 'failed';
      expect(kdump(e, { ...scenario, crash_type, set_up: 'defaults' }).result).toBe(result);
    },
  );
});

test.each<[Evidence['exit'], Outcome['recovery']]>([
  ['power-off', 'self'],
  ['reboot', 'self'],
  ['watchdog', 'watchdog'],
  ['timeout', 'none'],
  ['lost', 'unknown'],
  ['restart', 'unknown'],
  ['went-on', 'not-needed'],
])('after %s the machine came back: %s', (exit, recovery) => {
  expect(kdump(upTo('detected', { exit })).recovery).toBe(recovery);
});

describe('signature', () => {
  const log = (at: string, cpu: number, stamp: string, name = 'esp_reset_cleanup') => [
    `[    ${stamp}] BUG: kernel NULL pointer dereference, address: ${at}`,
    `[    ${stamp}] CPU: ${cpu} PID: 9${cpu} Comm: insmod Not tainted 6.1.0-56-amd64 #1`,
    `[    ${stamp}] RIP: 0010:${name}+0x${at.slice(-2)}/0x290 [esp_scsi]`,
    `[    ${stamp}] RAX: ${at} RBX: ffff88801f24e0${cpu}0`,
    `[    ${stamp}]  scsi_esp_intr.isra.${cpu}+0x1${at.slice(-2)}/0x1d0 [esp_scsi]`,
  ];
  const signature = (lines: string[], s = scenario) =>
    kdump(upTo('capture_booted', { capture_log: lines }), s).signature;

  it('is the same for the same fault at other addresses, on another processor, at another time', () => {
    const one = signature(log('0000000000000010', 0, '4.107834'));
    expect(one).toBe(
      'capture_booted/timer/null-dereference in esp_reset_cleanup [esp_scsi] < scsi_esp_intr [esp_scsi]',
    );
    expect(signature(log('00000000deadbee8', 1, '17.000001'))).toBe(one);
    expect(
      signature(['[    0.1] something before'].concat(log('0000000000000010', 0, '4.1'), 'Rebooting')),
    ).toBe(one);
  });

  it('differs by function, by symptom, by crash point and by stage', () => {
    const lines = log('0000000000000010', 0, '4.107834');
    const bug = lines.map((line) => line.replace(/BUG: .*/, 'kernel BUG at drivers/scsi/esp_scsi.c:1!'));
    const signatures = [
      signature(lines),
      signature(log('0000000000000010', 0, '4.107834', 'esp_probe')),
      signature(bug),
      signature(lines, { ...scenario, crash_point: 'tasklet' }),
      kdump(upTo('target_ready', { capture_log: lines })).signature,
    ];
    expect(new Set(signatures).size).toBe(signatures.length);
  });

  it('is cut to what a report may carry', () => {
    const name = (c: string) => ` ${c.repeat(300)}+0x1/0x2`;
    const long = signature(['kernel BUG at x.c:1!', name('a'), name('b'), name('c')]);
    expect(long).toHaveLength(400);
  });
});

const bool = fc.boolean();
const count = fc.oneof(fc.constantFrom(0, 1, 11, 20_000), fc.nat());
const line = fc.oneof(
  fc.string({ maxLength: 400 }),
  fc.constantFrom(
    '[    4.1] BUG: kernel NULL pointer dereference, address: 0',
    ' esp_reset_cleanup+0x26/0x290 [esp_scsi]',
    `RIP: 0010:${'f'.repeat(380)}+0x1/0x2`,
    ` ${'m'.repeat(190)}+0x1/0x2 [${'x'.repeat(190)}]`,
    'irq 10: nobody cared',
    `[<00000000f09f6dc1>] ${'h'.repeat(370)}`,
    'dumpsurvey: target sda missing',
    'Kernel panic - not syncing: crashpoint',
    '</IRQ>',
  ),
);
const stage = fc.constantFrom(...namesOf(stages));
const finding: fc.Arbitrary<DumpFinding> = fc.record({
  format: fc.oneof(fc.constant('flattened' as const), fc.constantFrom(...dumpFormats())),
  fault: fc.option(fc.string({ maxLength: 300 }), { freq: 3 }),
  byte_count: count,
  truncated: mostly(false),
  incomplete_flag: mostly(false),
  pages: fc.oneof(
    fc.constant({ promised: 9, present: 9, undecodable: 0 }),
    fc.record({ promised: count, present: count, undecodable: count }),
  ),
  armed: fc.oneof(
    fc.constant('present' as const),
    fc.constantFrom(...(['absent', 'other-trial', 'changed', 'missing'] as const)),
  ),
  fired: fc.oneof(
    fc.constant('present' as const),
    fc.constantFrom(...(['unfired', 'absent', 'other-trial', 'changed', 'missing'] as const)),
  ),
  canaries: fc.oneof(
    fc.constant({ planted: 11, good: 11, changed: 0, missing: 0 }),
    fc.record({ planted: count, good: count, changed: count, missing: count }),
  ),
  kernel_release: fc.option(fc.string({ maxLength: 100 })),
  vmcoreinfo: fc.oneof(
    fc.constant('resolved' as const),
    fc.constantFrom(...(['unresolved', 'absent'] as const)),
  ),
  log_lines: fc.option(count, { freq: 9 }),
});

function dumpFormats(): DumpFinding['format'][] {
  return [
    'kdump-compressed',
    'flattened',
    'elf',
    'diskdump',
    'lkcd',
    'netdump',
    'mkdump',
    'empty',
    'unknown',
  ];
}

function mostly(value: boolean): fc.Arbitrary<boolean> {
  return fc.oneof(fc.constant(value), fc.constant(value), bool);
}

const foundAfterReboot: fc.Arbitrary<AfterReboot> = fc.record({
  layout: fc.option(fc.constantFrom(...namesOf(dumpLayouts))),
  dump_state: fc.constantFrom(...namesOf(dumpStates)),
  watchdog_status: fc.constantFrom(...namesOf(watchdogStatuses)),
  reset_reason: fc.option(fc.constantFrom(...namesOf(resetReasons))),
  pstore_records: fc.nat(10_000),
  capture_log_found: bool,
  receiver: fc.option(
    fc.constant({
      payload: 'e30=',
      payloadType: 't',
      signatures: [{ keyid: 'ab'.repeat(32), sig: 'QQ==' }],
    }),
  ),
});

const anyEvidence: fc.Arbitrary<Required<Evidence>> = fc.record({
  channel: fc.record({
    name: fc.constantFrom(...channels),
    could_see: fc.array(stage, { maxLength: 16 }),
    saw: fc.array(fc.record({ stage, at_ms: fc.integer(), line }), { maxLength: 32 }),
  }),
  trigger: fc.option(
    fc.record({
      crash_point: fc.constantFrom(...namesOf(crashPoints)),
      crash_type: fc.constantFrom(...namesOf(crashTypes)),
      in_nmi: bool,
      in_hardirq: bool,
      in_softirq: bool,
      irqs_off: bool,
      preempt: count,
      task: fc.constantFrom(...namesOf(taskKinds)),
      cpu: count,
      in_flight: fc.integer({ min: -1, max: 1_000_000 }),
    }),
  ),
  at_crash: fc.option(fc.record({ irqs_off: bool, preempt: count, lock_held: bool })),
  survived: fc.option(line),
  dump: fc.option(finding),
  watchdog: fc.record({ present: bool, fired: bool, timeout_ms: count }),
  exit: fc.constantFrom(...exits),
  harness_fault: fc.oneof(fc.constant(null), fc.constant(null), fc.string({ maxLength: 300 })),
  crash_log: fc.array(line, { maxLength: 60 }),
  capture_log: fc.array(line, { maxLength: 120 }),
  duration_ms: count,
  after_reboot: fc.option(foundAfterReboot, { nil: null }),
});

const anyScenario: fc.Arbitrary<Scenario> = fc.oneof(
  fc.constantFrom(...Object.values(scenarioSets).flat()),
  fc.record({
    crash_point: fc.constantFrom(...namesOf(crashPoints)),
    crash_type: fc.constantFrom(...namesOf(crashTypes)),
    load: fc.constantFrom(...namesOf(loads)),
    mitigation: fc.constantFrom(...namesOf(mitigations)),
    set_up: fc.constantFrom(...namesOf(setUps)),
    in_flight_min: fc.nat(1024),
  }),
);

test('whatever evidence a report may carry has an outcome that it may carry, and the rules hold', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(
      anyEvidence,
      anyScenario,
      fc.constantFrom(...namesOf(mechanisms)),
      (e, s, mechanism: Mechanism) => {
        expect(evidence.safeParse(e).error).toBeUndefined();
        const given = structuredClone(e);
        const o = classify(e, s, mechanism);
        expect(e).toEqual(given);
        expect(classify(given, s, mechanism)).toEqual(o);
        expect(outcome.parse(o)).toEqual(o);
        seen.add(o.result);

        const unvouched = e.after_reboot?.dump_state === 'elsewhere' && e.after_reboot.receiver === null;
        const verified = !unvouched && e.dump !== null && judgeDump(e.dump).verdict === 'verified';
        const taken =
          mechanisms[mechanism].captures === 'log' ? o.reached.proven === 'log_captured' : verified;
        expect(o.result === 'captured').toBe(taken && e.harness_fault === null);
        if (o.result === 'inconclusive') expect(['harness', 'unknown']).toContain(o.cause);
        if (o.cause === 'harness') expect(o.result).toBe('inconclusive');
        expect(o.cause === null).toBe(o.result === 'captured' || o.result === 'survived');
        expect(o.signature === null).toBe(o.result !== 'failed');
        expect(o.verdict === null).toBe(e.dump === null && !unvouched);
        expect(o.verdict_reason === null).toBe(o.verdict === null);
        if (unvouched) expect(o.verdict).toBe('unverifiable');

        const stagesOf: readonly Stage[] = mechanisms[mechanism].stages;
        const { proven, excluded } = o.reached;
        for (const reached of [proven, excluded]) if (reached !== null) expect(stagesOf).toContain(reached);
        const provenAt = proven === null ? -1 : stagesOf.indexOf(proven);
        if (excluded !== null) {
          expect(stagesOf.indexOf(excluded)).toBeGreaterThan(provenAt);
          const state = e.after_reboot?.dump_state;
          const wasLookedAt = state === 'none' || state === 'incomplete';
          if (!(excluded === 'dump_written' && wasLookedAt)) expect(e.channel.could_see).toContain(excluded);
          expect(e.exit).not.toBe('lost');
        }
        for (const { stage: sighted } of e.channel.saw)
          expect(stagesOf.indexOf(sighted)).toBeLessThanOrEqual(provenAt);
      },
    ),
    { numRuns: 1500 },
  );
  expect([...seen].sort()).toEqual(['captured', 'failed', 'inconclusive', 'survived']);
});
