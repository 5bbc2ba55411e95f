import { expect, test } from 'vitest';
import type { Outcome } from '../../schema/outcome.ts';
import { type Mechanism, mechanisms, namesOf, results, type Stage } from '../../schema/vocabulary.ts';
import { failedOutcome, failure, scenario } from './sample.ts';
import { failureTitle, outcomeSentence, stageStates } from './words.ts';

function failed(proven: Stage | null, excluded: Stage | null, verdict: Outcome['verdict'] = null): Outcome {
  return { ...failedOutcome, reached: { proven, excluded }, verdict };
}

test.each([
  [failed('fired', 'detected'), 'The crash point fired, but the kernel did not notice the crash.'],
  [failed('detected', 'handed_over'), 'The kernel noticed the crash, but the capture kernel did not start.'],
  [
    failed('capture_booted', 'target_ready'),
    "The capture kernel's user space ran, but the capture kernel did not find the dump device, or could not use it.",
  ],
  [
    failed('target_ready', 'dump_written', 'incomplete'),
    'The capture kernel found the dump device, but the dump was not written to its end. What the verifier found: pages that should be there are not.',
  ],
  [
    failed('dump_written', null, 'inaccurate'),
    'The dump was written to its end, but it does not count. What the verifier found: sampled pages do not hold what was planted.',
  ],
  [
    failed('fired', 'dump_written'),
    'The crash point fired. The evidence does not show how much further it got (detected, handed_over, capture_booted, target_ready). In the end, the dump was not written to its end.',
  ],
] as const)('outcomeSentence %#', (outcome, sentence) => {
  expect(outcomeSentence('kdump', outcome)).toBe(sentence);
});

test('every result of every mechanism has a sentence', () => {
  for (const mechanism of namesOf(mechanisms)) {
    for (const result of namesOf(results)) {
      for (const proven of [null, ...mechanisms[mechanism].stages]) {
        const outcome = { ...failed(proven, null), result };
        expect(outcomeSentence(mechanism as Mechanism, outcome)).toMatch(/^[A-Z].*\.$/);
      }
    }
  }
});

test('between proven and excluded a stage is not known', () => {
  expect(stageStates('hypervisor', { proven: 'armed', excluded: 'dump_written' })).toEqual([
    { stage: 'armed', state: 'reached' },
    { stage: 'fired', state: 'unknown' },
    { stage: 'detected', state: 'unknown' },
    { stage: 'dump_written', state: 'not-reached' },
  ]);
});

test('a failure is titled by driver, stage and scenario', () => {
  expect(failureTitle(failure)).toBe('am53c974: not captured after capture_booted (timer/exception/disk)');
  expect(failureTitle({ ...failure, scenario: { ...scenario, mitigation: 'denylist' } })).toBe(
    'am53c974: not captured after capture_booted (timer/exception/disk/denylist)',
  );
  expect(failureTitle({ ...failure, outcome: failed(null, null) })).toContain('with no stage proven');
});
