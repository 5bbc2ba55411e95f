import { expect, it } from 'vitest';
import { type Findings, type Found, isGood, page } from './report.ts';

const of = <T>(found: T): Found<T> => ({ run: '2026-11-25, commit 0123abc, load average 0.10', found });

const good: Findings = {
  campaign: of({
    steps: [{ what: 'enroll', tookMs: 7400, result: 'Enrolled | done', isGood: true }],
    rows: [
      {
        scenario: 'a',
        result: 'captured',
        reached: 'dump_written',
        verdict: 'verified',
        recovery: 'self',
        tookS: 61,
      },
    ],
  }),
  powerCuts: of({
    cuts: [{ afterMs: 31_000, step: 'arming', faults: [] }],
    trials: 1,
    captured: 0,
    faults: [],
  }),
  broken: [of({ name: 'it hangs', told: 'failed', next: 'wait', faults: [] })],
};

it('a page has a table for each part, and says that all is well', () => {
  const text = page(['Date: today'], good);
  expect(isGood(good)).toBe(true);
  expect(text).toContain('| enroll | 7 s | Enrolled \\| done |');
  expect(text).toContain('| a | captured | dump_written | verified | self | 61 s |');
  expect(text.match(/Run: 2026-11-25, commit 0123abc, load average 0.10\./g)).toHaveLength(3);
  expect(text).toContain('killed 1 times');
  expect(text).toContain('31 s (arming)');
  expect(text).toContain('| it hangs | failed | wait | as it should be |');
  expect(text).not.toContain('NOT AS IT SHOULD BE');
});

it.each<[string, Partial<Findings>]>([
  ['a step', { campaign: of({ steps: [{ what: 'x', tookMs: 1, result: 'no', isGood: false }], rows: [] }) }],
  ['a cut', { powerCuts: of({ cuts: [], trials: 0, captured: 0, faults: ['lost'] }) }],
  ['a broken machine', { broken: [of({ name: 'x', told: '', next: '', faults: ['wrong'] })] }],
])('%s that is not as it should be makes all of it not so', (_, part) => {
  expect(isGood({ ...good, ...part })).toBe(false);
  expect(page([], { ...good, ...part })).toMatch(/NOT AS IT SHOULD BE|wrong/);
});

it('what was not run is not shown', () => {
  const text = page([], { campaign: null, powerCuts: null, broken: null });
  expect(text).not.toContain('##');
});
