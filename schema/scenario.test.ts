import { describe, expect, it, test } from 'vitest';
import {
  type Context,
  type CrashPoint,
  contexts,
  contextsOf,
  crashPoints,
  type TaskKind,
} from './crash-point.ts';
import { type CrashType, crashTypes, setUps, sysctlsOf } from './crash-type.ts';
import { contextFaults, crashFaults, type Trigger } from './evidence.ts';
import {
  findScenario,
  impossiblePair,
  loads,
  mitigations,
  type ScenarioSet,
  scenarioId,
  scenarioSetNames,
  scenarioSets,
  triggersOf,
} from './scenario.ts';
import { namesOf } from './vocabulary.ts';

const entries = scenarioSetNames.flatMap((set) =>
  scenarioSets[set].map((s) => ({ set, id: scenarioId(s), ...s })),
);

describe('the scenario sets', () => {
  it('standard/1 is the eight scenarios that every machine can run, as they were published', () => {
    expect(scenarioSets['standard/1'].map((s) => `${scenarioId(s)} ${s.in_flight_min}`)).toEqual([
      'direct/panic/idle/none 0',
      'direct/panic/disk/none 1',
      'direct/exception/idle/none 0',
      'direct/exception/disk/none 1',
      'timer/exception/disk/none 1',
      'tasklet/panic/disk/none 1',
      'block-dispatch/exception/disk/none 2',
      'direct/loop-irqoff/disk/none 1',
    ]);
  });

  it("metal/1 is the same eight in the distribution's own capture environment", () => {
    const ids = (set: ScenarioSet) => scenarioSets[set].map((s) => `${scenarioId(s)} ${s.in_flight_min}`);
    const expected = ids('standard/1').map((id) => id.replace('/none ', '/distribution '));
    expect(ids('metal/1')).toEqual(expected);
  });

  it('an id names one entry, and finds it', () => {
    const names = entries.map(({ set, id }) => `${set} ${id}`);
    expect(new Set(names).size).toBe(names.length);
    for (const { set, id } of entries) {
      const found = findScenario(set, id);
      expect(found && scenarioId(found)).toBe(id);
    }
    for (const id of ['', 'direct', 'direct/panic/idle', 'direct/panic/idle/none/', '__proto__']) {
      expect(findScenario('standard/1', id)).toBeNull();
    }
  });

  it.each(entries)('$set $id can be planted, and makes sense', (s) => {
    expect(impossiblePair(s.crash_point, s.crash_type)).toBeNull();
    expect(triggersOf(s)).toContain('crashpoint');
    expect(namesOf(setUps)).toContain(s.set_up);
    expect(namesOf(loads)).toContain(s.load);
    expect(namesOf(mitigations)).toContain(s.mitigation);
    expect(s.in_flight_min > 0).toBe(s.load === 'disk');
    // A load that keeps the point from being hit would make a scenario that never fires.
    const { stimulus } = crashPoints[s.crash_point];
    if (stimulus === 'net') expect(s.load).toBe('net');
    if (stimulus === 'reclaim') expect(s.load).toBe('memory');
  });

  it.each(['standard/1', 'metal/1'] as const)(
    '%s holds nothing that may damage memory that later reaches a disk',
    (set) => {
      for (const s of scenarioSets[set]) expect(crashTypes[s.crash_type].safety).not.toBe('corrupts');
    },
  );

  it('an id fits the request for a ticket', () => {
    for (const { id } of entries) expect(id.length).toBeLessThanOrEqual(100);
  });
});

test.each<[CrashPoint, CrashType, string | null]>([
  ['direct', 'panic', null],
  ['timer', 'loop', null],
  ['nmi', 'loop-irqoff', null],
  ['nmi', 'loop', 'loop needs task or softirq context; nmi fires in nmi context'],
  ['irq-entry', 'loop', 'loop needs task or softirq context; irq-entry fires in hardirq context'],
  ['timer', 'hung-task', 'hung-task needs task context; timer fires in softirq context'],
  ['nmi', 'external-nmi', 'external-nmi needs task context; nmi fires in nmi context'],
  ['threaded-irq', 'hung-task', null],
  ['scsi-dispatch', 'hung-task', 'hung-task waits, and scsi-dispatch may not sleep'],
  ['block-submit', 'oom', 'oom waits, and block-submit may not sleep'],
])('%s with %s: %s', (point, type, reason) => {
  expect(impossiblePair(point, type)).toBe(reason);
});

describe('contextFaults', () => {
  const trigger = (crash_point: CrashPoint, context: Context): Trigger => ({
    crash_point,
    crash_type: 'panic',
    in_nmi: context === 'nmi',
    in_hardirq: context === 'hardirq',
    in_softirq: context === 'softirq',
    irqs_off: crashPoints[crash_point].irqsOff ?? false,
    preempt: 0,
    task: (crashPoints[crash_point] as { tasks?: readonly TaskKind[] }).tasks?.[0] ?? 'idle',
    cpu: 0,
    in_flight: -1,
  });

  it.each([false, true])(
    'finds none in the contexts that a point lists, and one in every other; realtime: %s',
    (realtime) => {
      for (const point of namesOf(crashPoints)) {
        for (const context of namesOf(contexts)) {
          const faults = contextFaults(trigger(point, context), realtime);
          expect(faults.length, `${point} ${context}`).toBe(
            contextsOf(point, realtime).includes(context) ? 0 : 1,
          );
        }
      }
    },
  );

  it('a hard interrupt that came over a soft one is a hard interrupt', () => {
    expect(contextFaults({ ...trigger('timer', 'softirq'), in_hardirq: true })).toEqual([
      'hardirq context, not softirq',
    ]);
    expect(contextFaults({ ...trigger('irq-handler', 'hardirq'), in_softirq: true })).toEqual([]);
    expect(contextFaults({ ...trigger('irq-handler', 'hardirq'), in_nmi: true })).toHaveLength(1);
  });

  it('names what else differs', () => {
    expect(contextFaults({ ...trigger('irq-entry', 'hardirq'), irqs_off: false })).toEqual(['interrupts on']);
    expect(contextFaults({ ...trigger('workqueue', 'task'), task: 'kthread' })).toEqual([
      'task kthread, not kworker',
    ]);
    expect(contextFaults({ ...trigger('driver-irq', 'task') }, true)).toEqual([]);
  });
});

test.each<[CrashType, boolean, number, boolean, string[]]>([
  ['panic', false, 0, false, []],
  ['loop', false, 1, false, []],
  ['loop', true, 1, false, ['interrupts off']],
  ['loop', false, 0, false, ['preemption on']],
  ['loop-irqoff', true, 0, false, []],
  ['loop-irqoff', false, 1, false, ['interrupts on']],
  ['spinlock-held', true, 1, true, []],
  ['spinlock-held', true, 1, false, ['the lock is not held']],
])(
  'at the crash %s, interrupts off %s, preemption count %i, lock held %s: %j',
  (type, irqs_off, preempt, lock_held, faults) => {
    expect(crashFaults(type, { irqs_off, preempt, lock_held })).toEqual(faults);
  },
);

describe('triggersOf', () => {
  const of = (crash_point: CrashPoint, crash_type: CrashType, in_flight_min = 0) =>
    triggersOf({ crash_point, crash_type, in_flight_min });

  it('the module runs everything, the fallbacks only what crashes the task that writes to them', () => {
    expect(of('direct', 'panic')).toEqual(['crashpoint', 'lkdtm', 'sysrq']);
    expect(of('direct', 'exception')).toEqual(['crashpoint', 'lkdtm']);
    expect(of('direct', 'oom')).toEqual(['crashpoint']);
    expect(of('timer', 'panic')).toEqual(['crashpoint']);
    expect(of('direct', 'panic', 1)).toEqual(['crashpoint']);
  });
});

test('a set-up takes the sysctls of the type, none, or its own', () => {
  expect(sysctlsOf('bug', 'panic')).toEqual({ panic_on_oops: 1 });
  expect(sysctlsOf('bug', 'defaults')).toEqual({});
  expect(sysctlsOf('loop-irqoff', 'rcu-stall')).toEqual({ panic_on_rcu_stall: 1 });
});

test('every LKDTT point and type of 2006 is there', () => {
  const points = new Set<string | null>(Object.values(crashPoints).map(({ lkdtt }) => lkdtt));
  const types = new Set<string | null>(Object.values(crashTypes).map(({ lkdtt }) => lkdtt));
  for (const name of [
    ...['INT_HARDWARE_ENTRY', 'INT_HW_IRQ_EN', 'INT_TASKLET_ENTRY', 'TASKLET', 'FS_DEVRW', 'MEM_SWAPOUT'],
    ...['TIMERADD', 'SCSI_DISPATCH_CMD', 'IDE_CORE_CP'],
  ]) {
    expect(points).toContain(name);
  }
  for (const name of ['PANIC', 'BUG', 'EXCEPTION', 'LOOP', 'OVERFLOW']) expect(types).toContain(name);
});

test('a set is named by its name and version', () => {
  for (const set of scenarioSetNames) expect(set satisfies ScenarioSet).toMatch(/^[a-z]+\/\d+$/);
});
