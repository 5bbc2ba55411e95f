import { describe, expect, it, test } from 'vitest';
import { inClaimedContext, type Trigger } from './evidence.ts';
import {
  type Context,
  type CrashPoint,
  type CrashType,
  contexts,
  crashPoints,
  crashTypes,
  findScenario,
  impossiblePair,
  loads,
  mitigations,
  type ScenarioSet,
  scenarioId,
  scenarioSetNames,
  scenarioSets,
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
    expect(crashPoints[s.crash_point].planted).toBe(true);
    expect(crashTypes[s.crash_type].planted).toBe(true);
    expect(impossiblePair(s.crash_point, s.crash_type)).toBeNull();
    expect(namesOf(loads)).toContain(s.load);
    expect(namesOf(mitigations)).toContain(s.mitigation);
    expect(s.in_flight_min > 0).toBe(s.load === 'disk');
  });

  it('standard/1 holds nothing that may damage memory that later reaches a disk', () => {
    for (const s of scenarioSets['standard/1']) expect(crashTypes[s.crash_type].safety).not.toBe('corrupts');
  });

  it('an id fits the request for a ticket', () => {
    for (const { id } of entries) expect(id.length).toBeLessThanOrEqual(100);
  });
});

test.each<[CrashPoint, CrashType, string | null]>([
  ['direct', 'panic', null],
  ['timer', 'loop', null],
  ['nmi', 'loop-irqoff', null],
  ['nmi', 'loop', 'loop needs task or softirq or hardirq context; nmi fires in nmi context'],
  ['timer', 'hung-task', 'hung-task needs task context; timer fires in softirq context'],
  ['direct', 'external-nmi', 'external-nmi needs nmi context; direct fires in task context'],
  ['scsi-dispatch', 'hung-task', null],
])('%s with %s: %s', (point, type, reason) => {
  expect(impossiblePair(point, type)).toBe(reason);
});

describe('inClaimedContext', () => {
  const trigger = (crash_point: CrashPoint, context: Context): Trigger => ({
    crash_point,
    crash_type: 'panic',
    in_nmi: context === 'nmi',
    in_hardirq: context === 'hardirq',
    in_softirq: context === 'softirq',
    irqs_off: false,
    preempt: 0,
    cpu: 0,
    in_flight: -1,
  });

  it('holds in the contexts that a point lists, and in no other', () => {
    for (const point of namesOf(crashPoints)) {
      const listed: readonly Context[] = crashPoints[point].contexts;
      for (const context of namesOf(contexts)) {
        expect(inClaimedContext(trigger(point, context))).toBe(listed.includes(context));
      }
    }
  });

  it('a hard interrupt that came over a soft one is a hard interrupt', () => {
    expect(inClaimedContext({ ...trigger('timer', 'softirq'), in_hardirq: true })).toBe(false);
    expect(inClaimedContext({ ...trigger('irq-handler', 'hardirq'), in_softirq: true })).toBe(true);
    expect(inClaimedContext({ ...trigger('irq-handler', 'hardirq'), in_nmi: true })).toBe(false);
  });
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
