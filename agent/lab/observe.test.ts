/** From lines to evidence, one thing at a time. Whole runs, as they were recorded: test/recorded-runs.test.ts. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { classify } from '../../schema/classify/classify.ts';
import { symptomOf } from '../../schema/classify/symptom.ts';
import { type DumpFinding, watchedEvidence } from '../../schema/evidence.ts';
import { findScenario } from '../../schema/scenario.ts';
import { parseAtCrash, parseTrigger } from '../trial/module-lines.ts';
import {
  assembleEvidence,
  beaconsIn,
  controlEvidence,
  type Ending,
  excerpt,
  type Observation,
} from './observe.ts';

const nonce = '57b7ff5c08a898a4faabdbd7e203eb8b';
const ended: Ending = { atMs: 30_000.4, overdue: false, broken: null };
const triggerLine = `[    7.643713] crashpoint: v=2 nonce=${nonce} point=timer type=exception in_nmi=0 in_hardirq=0 in_softirq=1 irqs_off=0 preempt=00000101 task=idle cpu=1 inflight=7`;
const linux = '[    0.000000] Linux version 6.1.0-56-amd64 (debian-kernel@lists.debian.org)';

/** Observations of lines such as `beacon ds armed`, one each 10 ms. */
function observed(...lines: string[]): Observation[] {
  return lines.map((line, i) => {
    const [, channel = 'console', text = ''] = /^(beacon|event|console) (.*)$/s.exec(line) ?? [];
    return { channel: channel as Observation['channel'], text, atMs: 10 * i };
  });
}

function assemble(lines: string[], ending = ended) {
  return watchedEvidence.parse(assembleEvidence(nonce, observed(...lines), ending, null, 60_000));
}

const armed = 'beacon ds armed inflight=7';

describe('parseTrigger', () => {
  it('reads the line that the module prints, whatever stands before it', () => {
    const flags = { in_nmi: false, in_hardirq: false, in_softirq: true, irqs_off: false };
    const trigger = {
      crash_point: 'timer',
      crash_type: 'exception',
      ...flags,
      preempt: 0x101,
      task: 'idle',
      cpu: 1,
      in_flight: 7,
      nonce,
    };
    expect(parseTrigger(triggerLine)).toEqual(trigger);
    expect(parseTrigger(triggerLine.slice(triggerLine.indexOf('crashpoint')))).toEqual(trigger);
    expect(parseTrigger(`${triggerLine}  `)).toEqual(trigger);
    expect(parseTrigger(triggerLine.replace('inflight=7', 'inflight=-1'))?.in_flight).toBe(-1);
  });

  it.each([
    ['another version', triggerLine.replace('v=2', 'v=1')],
    ['another module', triggerLine.replace('crashpoint:', 'lkdtm:')],
    ['a point of no catalogue', triggerLine.replace('point=timer', 'point=swap')],
    ['a type of no catalogue', triggerLine.replace('type=exception', 'type=oops')],
    ['no kind of task', triggerLine.replace('task=idle', 'task=sh')],
    ['no processor', triggerLine.replace('cpu=1', 'cpu=')],
    ['a cut line', triggerLine.slice(0, -'cpu=1 inflight=7'.length)],
    ['a garbled number', triggerLine.replace('inflight=7', 'inflight=7[    7.64')],
    ['nothing', ''],
    ['a flag that was lost', triggerLine.replace(' in_nmi=0', '')],
    ['a flag of another kind', triggerLine.replace('in_nmi=0', 'in_nmi=2')],
    ['a short preemption count', triggerLine.replace('preempt=00000101', 'preempt=101')],
  ])('takes no line with %s', (_, line) => {
    expect(parseTrigger(line)).toBeNull();
  });
});

test('a beacon is a line of its own: a word, and what belongs to it', () => {
  const lines = observed(
    'beacon ds armed inflight=7',
    'beacon ds booted',
    'beacon x ds armed',
    'console ds armed',
    'beacon ds ',
  );
  expect(beaconsIn(lines)).toEqual([
    { word: 'armed', rest: 'inflight=7', atMs: 0 },
    { word: 'booted', rest: '', atMs: 10 },
  ]);
});

describe('parseAtCrash', () => {
  const line = `[    7.64] crashpoint: at crash v=1 nonce=${nonce} irqs_off=1 preempt=00000001 lock_held=0`;

  it('reads the line that the module prints', () => {
    expect(parseAtCrash(line)).toEqual({ nonce, irqs_off: true, preempt: 1, lock_held: false });
  });

  it.each([
    ['a cut line', line.slice(0, -3)],
    ['a garbled word', line.replace('preempt=00000001', 'preempt=0000 0001')],
    ['another version', line.replace('v=1', 'v=2')],
    ['the trigger line', triggerLine],
  ])('is null for %s', (_, text) => {
    expect(parseAtCrash(text)).toBeNull();
  });

  it('counts behind the trigger of the same trial only', () => {
    expect(assemble([armed, `console ${triggerLine}`, `console ${line}`]).at_crash).toEqual({
      irqs_off: true,
      preempt: 1,
      lock_held: false,
    });
    expect(assemble([armed, `console ${line}`]).at_crash).toBeNull();
    const other = line.replace(nonce, '0'.repeat(32));
    expect(assemble([armed, `console ${triggerLine}`, `console ${other}`]).at_crash).toBeNull();
  });
});

describe('the fallback triggers', () => {
  const of = (by: 'sysrq' | 'lkdtm', ...lines: string[]) =>
    assembleEvidence(nonce, observed(...lines), ended, null, 60_000, by);
  const stagesIn = (e: { channel: { saw: readonly { stage: string }[] } }) =>
    e.channel.saw.map((s) => s.stage);

  it.each([
    ['sysrq', '[   12.3] sysrq: Trigger a crash'],
    ['lkdtm', '[   12.3] lkdtm: Performing direct entry PANIC'],
  ] as const)('%s fires by the line that it prints', (by, line) => {
    const e = of(by, armed, `console ${line}`, 'console Kernel panic - not syncing: x');
    expect(stagesIn(e)).toEqual(['armed', 'fired', 'detected']);
    expect(e.trigger).toBeNull();
    expect(stagesIn(of(by, `console ${line}`, armed))).toEqual(['armed']);
    expect(stagesIn(of(by === 'sysrq' ? 'lkdtm' : 'sysrq', armed, `console ${line}`))).toEqual(['armed']);
    expect(stagesIn(assemble([armed, `console ${line}`]))).toEqual(['armed']);
  });
});

test('what reached no console is taken from the log in the dump, and only what is of this trial', () => {
  const line = `[    7.64] crashpoint: at crash v=1 nonce=${nonce} irqs_off=1 preempt=00110001 lock_held=0`;
  const from = (logged: string[]) =>
    assembleEvidence(nonce, observed(armed), ended, null, 60_000, 'crashpoint', logged);
  expect(from([triggerLine, line])).toMatchObject({
    trigger: { crash_point: 'timer', in_flight: 7 },
    at_crash: { irqs_off: true, preempt: 0x110001 },
  });
  expect(from([triggerLine, line]).trigger).not.toHaveProperty('nonce');
  expect(from([triggerLine, line].map((l) => l.replace(nonce, '0'.repeat(32))))).toMatchObject({
    trigger: null,
    at_crash: null,
  });
  expect(from([triggerLine]).channel.saw.map(({ stage }) => stage)).toEqual(['armed']);
});

test("what was survived is told in the module's words", () => {
  const said = 'type=exception: expected an oops; panic_on_oops=1 would have made it a panic';
  expect(assemble([armed, `console ${triggerLine}`, `beacon ds survived ${said}`]).survived).toBe(said);
});

describe('stages', () => {
  it('are seen in order, with the time since the arming', () => {
    const e = assemble([
      'beacon ds booted 6.1.0-56-amd64',
      armed,
      `console ${triggerLine}`,
      'console BUG: kernel NULL pointer dereference, address: 0000000000000000',
      'console Kernel panic - not syncing: Fatal exception',
      `console ${linux}`,
      'beacon ds capture_booted 6.1.0-56-amd64',
      'beacon ds target_ready /dev/vda',
      'beacon ds dump_written',
      'event SHUTDOWN',
    ]);
    expect(e.channel.saw.map(({ stage, at_ms }) => [stage, at_ms])).toEqual([
      ['armed', 0],
      ['fired', 10],
      ['detected', 20],
      ['handed_over', 40],
      ['capture_booted', 50],
      ['target_ready', 60],
      ['dump_written', 70],
    ]);
    expect(e).toMatchObject({ exit: 'reboot', harness_fault: null, survived: null, duration_ms: 30_000 });
    expect(e.crash_log).toHaveLength(3);
    expect(e.capture_log).toEqual([linux]);
  });

  it.each([
    'Kernel panic - not syncing: crashpoint',
    'BUG: kernel NULL pointer dereference, address: 0000000000000000',
    'BUG: unable to handle page fault for address: ffffc90000413000',
    'kernel BUG at kmod/types.c:30!',
    'Oops: 0002 [#1] PREEMPT SMP NOPTI',
    'general protection fault, probably for non-canonical address 0x6b6b: 0000 [#1]',
    'BUG: TASK stack guard page was hit at 00000000e2b1 (stack is 0000..0000)',
    'traps: PANIC: double fault, error_code: 0x0',
    'Kernel panic - not syncing: softlockup: hung tasks',
    'Kernel panic - not syncing: Hard LOCKUP',
    'Kernel panic - not syncing: RCU Stall',
  ])('detected: %s', (line) => {
    const stages = assemble([armed, `console ${triggerLine}`, `console ${line}`]).channel.saw.map(
      (s) => s.stage,
    );
    expect(stages).toContain('detected');
  });

  it.each([
    'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
    'rcu: INFO: rcu_preempt self-detected stall on CPU',
    'watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [dd:201]',
    'BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 31s!',
    'INFO: task dd:201 blocked for more than 120 seconds.',
  ])('only a warning: %s', (line) => {
    const stages = assemble([armed, `console ${triggerLine}`, `console ${line}`]).channel.saw.map(
      (s) => s.stage,
    );
    expect(stages).toEqual(['armed', 'fired']);
  });

  it('nothing before the trigger counts: not an old panic, not the first kernel itself', () => {
    const e = assemble([
      `console ${linux}`,
      'console Kernel panic - not syncing: x',
      armed,
      `console ${triggerLine}`,
    ]);
    expect(e.channel.saw.map((s) => s.stage)).toEqual(['armed', 'fired']);
  });

  it('the trigger of another trial is none', () => {
    const other = triggerLine.replace(nonce, '0'.repeat(32));
    expect(assemble([armed, `console ${other}`, 'console Kernel panic - not syncing: x'])).toMatchObject({
      trigger: null,
      crash_log: [],
      channel: { saw: [{ stage: 'armed' }] },
    });
  });
});

describe('faults', () => {
  it.each<[string, string[], Ending, string | null]>([
    [
      'the guest gave up',
      ['beacon ds fault kexec did not load', 'event SHUTDOWN'],
      ended,
      'kexec did not load',
    ],
    [
      'a module was refused before arming',
      ['beacon ds fault dumpsurvey: module x.ko refused', armed],
      ended,
      'dumpsurvey: module x.ko refused',
    ],
    [
      'QEMU broke',
      [armed],
      { ...ended, broken: 'QEMU ended by itself (1): no disk' },
      'QEMU ended by itself (1): no disk',
    ],
    ['it was never armed', ['beacon ds booted'], ended, 'the guest ended before it was armed'],
    ['nothing', [armed], ended, null],
    [
      'nothing before the capture kernel',
      [armed, 'beacon ds capture_booted', 'beacon ds fault dumpsurvey: target vda missing'],
      ended,
      null,
    ],
  ])('of the harness: %s', (_, lines, ending, fault) => {
    expect(assemble(lines, ending).harness_fault).toBe(fault);
  });

  it('in the capture kernel stand first in its log', () => {
    const e = assemble([
      armed,
      `console ${triggerLine}`,
      `console ${linux}`,
      'beacon ds capture_booted',
      'beacon ds fault dumpsurvey: module nvme.ko refused',
      'beacon ds fault dumpsurvey: target nvme0n1 missing',
    ]);
    expect(e.capture_log).toEqual([
      'dumpsurvey: module nvme.ko refused',
      'dumpsurvey: target nvme0n1 missing',
      linux,
    ]);
  });

  it('every fault that the capture environment can report is a symptom', () => {
    const scripts = ['capture.sh', 'lab.sh'].map((f) =>
      readFileSync(new URL(`guest/${f}`, import.meta.url), 'utf8'),
    );
    const said = [...scripts.join('\n').matchAll(/fault "(dumpsurvey: [^"]*)/g)].map((m) => m[1] ?? '');
    expect(said.length).toBeGreaterThanOrEqual(4);
    // Of these two the program's own words decide.
    const own = /makedumpfile failed|writing to .* failed/;
    expect(said.filter((line) => symptomOf([line]) === null && !own.test(line))).toEqual([]);
  });
});

test.each<[string, string[], Partial<Ending>, string]>([
  ['by the watchdog', [armed, 'event WATCHDOG', 'event SHUTDOWN'], {}, 'watchdog'],
  ['by the harness', [armed], { overdue: true }, 'timeout'],
  ['by itself', [armed, 'event SHUTDOWN'], {}, 'reboot'],
  ['by a fault of QEMU', [armed], { broken: 'killed' }, 'lost'],
])('ended %s', (_, lines, ending, exit) => {
  expect(assemble(lines, { ...ended, ...ending }).exit).toBe(exit);
});

describe('excerpt', () => {
  const boot = Array.from({ length: 400 }, (_, i) => `[    0.${i}] boot line ${i}`);
  const innocent = [
    'NET: Registered PF_XDP protocol family',
    'AMD-Vi: AMD IOMMUv2 functionality not available on this system - This is not a bug.',
    'nvme nvme0: Shutdown timeout set to 8 seconds',
  ];
  const fault = 'BUG: kernel NULL pointer dereference, address: 0000000000000000';

  it('begins three lines before what went wrong, not at what only looks like it', () => {
    const lines = [...innocent, ...boot, 'a', 'b', 'c', fault, ...boot];
    expect(excerpt(lines, 100).slice(0, 5)).toEqual(['a', 'b', 'c', fault, boot[0]]);
    expect(excerpt(lines, 100)).toHaveLength(100);
    expect(excerpt([fault, 'x'], 100)).toEqual([fault, 'x']);
  });

  it('gives the last lines where nothing went wrong: they say how far it got', () => {
    const lines = [...boot, ...innocent];
    expect(excerpt(lines, 100)).toEqual(lines.slice(-20));
    expect(excerpt(lines, 5)).toEqual(lines.slice(-5));
    expect(excerpt([], 100)).toEqual([]);
  });

  it('shows the same symptom as the whole log', () => {
    const line = fc.constantFrom(
      fault,
      'nvme nvme0: I/O 1 QID 1 timeout, aborting',
      'Kernel panic - x',
      ...innocent,
      'x',
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 300 }), (lines) => {
        expect(symptomOf(excerpt(lines, 100))).toBe(symptomOf(lines));
      }),
    );
  });

  it('holds nothing that a terminal would act on', () => {
    expect(excerpt(['Kernel panic \u001b[2J\u0007\t\u00e9'], 1)).toEqual(['Kernel panic  [2J']);
    expect(excerpt([`Kernel panic ${'x'.repeat(2000)}`], 1)[0]).toHaveLength(400);
  });
});

test('whatever a guest prints, what becomes of it fits a report', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 2000 }),
    fc.constantFrom(triggerLine, linux, 'Kernel panic - x', 'irq 10: nobody cared'),
    fc
      .tuple(
        fc.constantFrom('fault', 'armed', 'survived', 'capture_booted', 'dump_written'),
        fc.string({ maxLength: 900 }),
      )
      .map(([word, rest]) => `ds ${word} ${rest}`),
  );
  const observation = fc.record({
    channel: fc.constantFrom(...(['console', 'beacon', 'beacon', 'event'] as const)),
    text,
    atMs: fc.integer({ min: 0, max: 1e9 }),
  });
  const ending = fc.record({
    atMs: fc.double({ min: -1, max: 1e9, noNaN: true }),
    overdue: fc.boolean(),
    broken: fc.option(text),
  });
  fc.assert(
    fc.property(fc.array(observation, { maxLength: 300, size: 'max' }), ending, (observations, end) => {
      const e = assembleEvidence(nonce, observations, end, null, 60_000);
      expect(watchedEvidence.safeParse(e).error).toBeUndefined();
    }),
    { numRuns: 150 },
  );
});

describe('the evidence of a control trial', () => {
  const crash = [`console ${triggerLine}`, 'console [    7.7] Kernel panic - not syncing: crashpoint'];
  const control = (line: string, ...more: string[]) =>
    controlEvidence(assemble([`beacon ds armed ${line}`, ...crash, ...more]));
  const notLoaded = 'inflight=7 kexec_crash_loaded=0';

  it('says in the report’s own lines that the mechanism was disabled', () => {
    const e = control(notLoaded);
    expect(e.harness_fault).toBeNull();
    expect(e.channel.saw[0]).toMatchObject({ stage: 'armed', line: `armed ${notLoaded}` });
  });

  it.each([
    ['a capture kernel was loaded', 'inflight=7 kexec_crash_loaded=1'],
    ['the kernel does not say it', 'inflight=7 kexec_crash_loaded='],
    ['the guest said nothing of it', 'inflight=7'],
    ['the line is garbled', 'inflight=7 kexec_crash_loaded=01'],
  ])('proves nothing where %s: the harness is to blame', (_, line) => {
    const e = watchedEvidence.parse(control(line));
    expect(e.harness_fault).toMatch(/control trial.*did not say/);
    expect(e.harness_fault).toContain(`armed ${line}`.trim());
  });

  it('leaves an earlier fault as it is, and what never was armed', () => {
    expect(control('inflight=7', 'beacon ds fault no disk').harness_fault).toBe('no disk');
    expect(controlEvidence(assemble([])).harness_fault).toBe('the guest ended before it was armed');
  });

  it('is a failure between the crash and the hand-over, of a machine that came back', () => {
    const nothing: DumpFinding = {
      format: 'empty',
      fault: null,
      byte_count: 0,
      truncated: false,
      incomplete_flag: false,
      pages: { promised: 0, present: 0, undecodable: 0 },
      armed: 'missing',
      fired: 'missing',
      canaries: { planted: 11, good: 0, changed: 0, missing: 11 },
      kernel_release: null,
      vmcoreinfo: 'absent',
      log_lines: null,
    };
    const scenario = findScenario('standard/1', 'timer/exception/disk/none');
    expect(scenario && classify({ ...control(notLoaded), dump: nothing }, scenario, 'kdump')).toMatchObject({
      result: 'failed',
      reached: { proven: 'detected', excluded: 'handed_over' },
      verdict: 'unreadable',
      verdict_reason: 'empty',
      recovery: 'self',
      cause: 'core-kernel',
    });
  });
});
