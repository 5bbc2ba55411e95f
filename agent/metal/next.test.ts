import { describe, expect, it } from 'vitest';
import { type Scenario, scenarioId, scenarioSets } from '../../schema/scenario.ts';
import type { TrialState } from '../trial/journal.ts';
import { firstScenario, itemAt, type MetalCampaign, needsWatchdog } from './campaign.ts';
import { next, nextInWords, type Obstacle, type Situation } from './next.ts';
import type { WatchdogProof } from './proof.ts';

const nowMs = Date.parse('2026-11-24T12:00:00Z');
const hourMs = 3600_000;

const campaign: MetalCampaign = {
  version: 1,
  id: 'ab'.repeat(16),
  seed: 7,
  set: 'metal/1',
  first_ordinal: 0,
  trials: 8,
  started_at: '2026-11-24T11:00:00.000Z',
};
const closed: TrialState = { closed: true, controls: 0 };
const proof = (state: WatchdogProof['state'], why: string | null = null): WatchdogProof => ({
  version: 1,
  state,
  boot_id: 'b',
  at_ms: nowMs - 3 * hourMs,
  device: 'watchdog0',
  identity: 'i6300ESB timer',
  timeout_ms: 60_000,
  why,
});
const situation: Situation = {
  trials: new Map(),
  campaign,
  obstacles: () => [],
  stopped: null,
  proof: null,
  noWatchdog: null,
  trialsPerDay: 4,
  crashesMs: [],
  notBeforeMs: 0,
  nowMs,
};
const obstacle = (id: string): Obstacle => ({ id, why: `because of ${id}`, fix: [`mend ${id}`] });
const closedBut = (open: (s: Scenario) => boolean): Map<number, TrialState> =>
  new Map(
    Array.from({ length: 8 }, (_, ordinal) => itemAt(campaign, ordinal))
      .filter(({ scenario }) => !open(scenario))
      .map(({ ordinal }) => [ordinal, closed]),
  );

describe('the order of a campaign', () => {
  it('has every scenario of the set once in each round, and the safest first of all', () => {
    const ids = (from: number) =>
      Array.from({ length: 8 }, (_, i) => scenarioId(itemAt(campaign, from + i).scenario));
    const all = scenarioSets['metal/1'].map((s) => scenarioId(s)).sort();
    expect(ids(0)[0]).toBe(firstScenario);
    for (const from of [0, 8, 16]) expect(ids(from).sort()).toEqual(all);
    expect(ids(8)).not.toEqual(ids(0));
  });

  it('is another one under another seed, and the same under the same', () => {
    const order = (seed: number) =>
      Array.from({ length: 8 }, (_, i) => scenarioId(itemAt({ ...campaign, seed }, i).scenario)).join();
    expect(order(1)).toBe(order(1));
    expect(new Set([1, 2, 3, 4, 5].map(order)).size).toBeGreaterThan(2);
  });
});

describe('what comes next', () => {
  it('is the first trial', () => {
    expect(next(situation)).toMatchObject({ do: 'trial', ordinal: 0 });
    expect(nextInWords(next(situation))).toBe('crash this machine: direct/panic/idle/distribution (trial 0)');
  });

  const arming = {
    step: 'arming',
    ordinal: 3,
    armed_at: '2026-11-24T11:30:00.000Z',
    sysctls: {},
    listing: '{}',
  } as const;
  it.each<[string, Partial<TrialState>]>([
    ['was armed', { arming }],
    ['has a report that is not in the outbox', { arming, payload: 'e30=' }],
  ])('is to finish a trial that %s, whatever speaks against crashing', (_, state) => {
    const trials = new Map([[3, { closed: false, controls: 0, ...state }]]);
    const against = { stopped: obstacle('guard'), campaign: null, obstacles: () => [obstacle('consent')] };
    expect(next({ ...situation, ...against, trials })).toEqual({ do: 'finish', ordinal: 3 });
  });

  it('is nothing while the guard has stopped it, nor without a campaign, nor when all are closed', () => {
    expect(next({ ...situation, stopped: obstacle('guard') })).toMatchObject({
      do: 'stop',
      why: 'because of guard',
    });
    expect(next({ ...situation, campaign: null })).toMatchObject({ do: 'done' });
    expect(next({ ...situation, trials: closedBut(() => false) })).toMatchObject({ do: 'done' });
  });

  it.each([
    ['users', 'wait'],
    ['battery', 'wait'],
    ['consent', 'stop'],
    ['lockdown', 'stop'],
  ])('with %s against it is to %s', (id, what) => {
    const n = next({ ...situation, obstacles: () => [obstacle(id)] });
    expect(n.do).toBe(what);
    expect(nextInWords(n)).toContain(`because of ${id}`);
    if (n.do === 'stop') expect(n.fix).toEqual([`mend ${id}`]);
  });

  it('is never another trial than the safest while that one was not run', () => {
    const n = next({
      ...situation,
      obstacles: (s) => (scenarioId(s) === firstScenario ? [obstacle('trouble')] : []),
    });
    expect(n.do).toBe('stop');
  });

  it('leaves a scenario out that cannot be run, and goes on with the others', () => {
    const s = { ...situation, trials: new Map([[0, closed]]) };
    const first = next(s);
    if (first.do !== 'trial') throw new Error(first.do);
    const n = next({
      ...s,
      proof: proof('proven'),
      obstacles: (o) => (o === first.scenario ? [obstacle('trouble')] : []),
    });
    expect(n).toMatchObject({ do: 'trial' });
    expect(n).not.toEqual(first);
  });

  it('waits for the budget, and for the owner of a machine that has just started', () => {
    const crashesMs = [1, 2, 3, 4].map((h) => nowMs - h * hourMs);
    expect(next({ ...situation, crashesMs })).toMatchObject({ do: 'wait', untilMs: nowMs + 20 * hourMs });
    expect(next({ ...situation, notBeforeMs: nowMs + 5000 })).toMatchObject({
      do: 'wait',
      untilMs: nowMs + 5000,
    });
  });
});

describe('a scenario that hangs', () => {
  const trials = closedBut(needsWatchdog);

  it('comes after the proof of a watchdog', () => {
    expect(next({ ...situation, trials })).toMatchObject({ do: 'prove-watchdog' });
    expect(next({ ...situation, trials, proof: proof('interrupted') })).toMatchObject({
      do: 'prove-watchdog',
    });
    expect(next({ ...situation, trials, proof: proof('proven') })).toMatchObject({ do: 'trial' });
  });

  it('is not run without one, and the reason is said', () => {
    expect(next({ ...situation, trials, noWatchdog: 'there is none' })).toMatchObject({ do: 'stop' });
    const failed = next({ ...situation, trials, proof: proof('failed', 'it did not reset the machine') });
    expect(nextInWords(failed)).toContain('it did not reset the machine');
  });

  it('holds no other scenario up', () => {
    const others = closedBut((s) => needsWatchdog(s) || s.crash_point === 'tasklet');
    expect(next({ ...situation, trials: others, noWatchdog: 'there is none' })).toMatchObject({
      do: 'trial',
    });
  });
});
