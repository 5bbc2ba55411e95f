/** What the matrix runs, and how it judges: a check that could not fail would prove nothing. */
import { describe, expect, it, test } from 'vitest';
import type { TrialRun } from '../../agent/lab/trial.ts';
import type { FiredRecord } from '../../schema/canary.ts';
import { crashPoints } from '../../schema/crash-point.ts';
import { crashTypes } from '../../schema/crash-type.ts';
import type { Evidence } from '../../schema/evidence.ts';
import { impossiblePair } from '../../schema/scenario.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import { evidenceOf, recordedRun } from '../fixtures/runs/runs.ts';
import { expectedResult, judge } from './judge.ts';
import { detectionRows, fallbackRows, impossiblePairs, isOnAxis, pairs, type Row, rowId } from './rows.ts';

describe('the rows', () => {
  const rows = pairs('6.1');

  it('are every point with every type, but for the impossible, each once', () => {
    const count = namesOf(crashPoints).length * namesOf(crashTypes).length;
    expect(rows.length + impossiblePairs('6.1').size).toBe(count);
    for (const { scenario: s } of rows) expect(impossiblePair(s.crash_point, s.crash_type)).toBeNull();
    const all = [...rows, ...detectionRows('6.1'), ...fallbackRows('6.1'), ...pairs('6.12')];
    expect(new Set(all.map(rowId)).size).toBe(all.length);
  });

  it('the axes come first, and have each point and each type', () => {
    const axes = rows.filter(isOnAxis);
    expect(rows.slice(0, axes.length)).toEqual(axes);
    expect(new Set(axes.map(({ scenario: s }) => s.crash_point)).size).toBe(namesOf(crashPoints).length);
    expect(new Set(axes.map(({ scenario: s }) => s.crash_type)).size).toBe(namesOf(crashTypes).length);
  });

  it('requests are in flight where it is about requests', () => {
    for (const { scenario: s } of rows) expect(s.in_flight_min > 0).toBe(s.load === 'disk');
  });
});

describe('judge', () => {
  const run = recordedRun('virtio_blk');
  const evidence = evidenceOf(run);
  const row: Row = { kernel: '6.1', scenario: run.scenario, triggeredBy: 'crashpoint' };
  const { trigger } = evidence;
  if (trigger === null) throw new Error('the recorded run did not fire');
  const { crash_point: point, crash_type: type, ...flags } = trigger;
  const record: FiredRecord = {
    ...{ state: 'fired', nonce: run.nonce, point, type, ...flags, timeNs: 1n },
    at_crash: { irqs_off: false, preempt_off: true, lock_held: false, console_held: false },
  };
  const log = evidence.crash_log;
  const faultsOf = (
    change: Partial<Evidence>,
    r = row,
    dump = { record, log } as Parameters<typeof judge>[3],
  ) => judge(r, run.kernel, { evidence: { ...evidence, ...change } } as TrialRun, dump).faults;

  it('finds nothing in a run that is as claimed', () => {
    expect(faultsOf({})).toEqual([]);
  });

  it.each<[string, Partial<Evidence>, string]>([
    ['another context', { trigger: { ...trigger, in_nmi: true } }, 'nmi context'],
    ['too few requests', { trigger: { ...trigger, in_flight: 0 } }, '0 requests in flight'],
    ['no trigger line', { trigger: null }, 'no trigger line'],
    ['silence at the crash', { at_crash: null }, 'nothing said at the crash'],
    ['another outcome', { dump: null }, 'not captured'],
    ['a broken harness', { harness_fault: 'no disk' }, 'no disk'],
    ['a processor that the dump does not name', { trigger: { ...trigger, cpu: 7 } }, 'cpu: 7 on the console'],
  ])('finds %s', (_, change, fault) => {
    expect(faultsOf(change).join('; ')).toContain(fault);
  });

  it('finds a dump without a record, and a log without the words of the type', () => {
    expect(faultsOf({}, row, { record: null, log }).join()).toContain('no record of the firing');
    expect(faultsOf({}, row, { record, log: ['all is well'] }).join()).toContain('the log says nothing like');
  });
});

test.each([
  ['loop', 'defaults', 'not detected'],
  ['loop-irqoff', 'panic', 'not detected'],
  ['loop-irqoff', 'rcu-stall', 'captured'],
  ['loop-irqoff', 'watchdog-nmi', 'captured'],
  ['exception', 'defaults', 'survived'],
  ['stack-overflow', 'defaults', 'captured'],
  ['oom', 'panic', 'captured'],
] as const)('%s under %s is expected to be %s', (crash_type, set_up, expected) => {
  const scenario = { crash_point: 'direct', crash_type, load: 'idle', mitigation: 'none', set_up } as const;
  expect(
    expectedResult({ kernel: '6.1', scenario: { ...scenario, in_flight_min: 0 }, triggeredBy: 'crashpoint' }),
  ).toBe(expected);
});
