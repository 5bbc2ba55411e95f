/** The price of a crowd of invented owners. */
import { expect, it } from 'vitest';
import { costOf } from './sybil.ts';

it.each([
  [0, 3, { days: 0, reports: 0 }],
  [1, 3, { days: 0, reports: 0 }],
  [2, 3, { days: 0, reports: 0 }],
  [3, 3, null],
  // 1 + 3 at once; 3 of these invite 9 after 14 days; 3 of those invite the last 7 after 14 more.
  [0, 20, { days: 28, reports: 6 }],
  // 1 + 3 at once, 9 more after 14 days; these are the last in the line, so the rest waits for day 90 and day 104.
  [1, 20, { days: 104, reports: 3 }],
  // 3 every 90 days: 19 are 7 times 3.
  [2, 20, { days: 540, reports: 0 }],
  [3, 20, null],
])('from an owner at depth %i, %i owners cost %j', (depth, wanted, cost) => {
  expect(costOf(wanted, depth)).toEqual(cost);
});

it('grows with the number of owners, and with the distance from the operator', () => {
  const days = (wanted: number, depth: number) => costOf(wanted, depth)?.days ?? Number.POSITIVE_INFINITY;
  for (let wanted = 2; wanted < 40; wanted++) {
    for (let depth = 0; depth < 3; depth++) {
      expect(days(wanted, depth)).toBeGreaterThanOrEqual(days(wanted - 1, depth));
      expect(days(wanted, depth + 1)).toBeGreaterThanOrEqual(days(wanted, depth));
    }
  }
});
