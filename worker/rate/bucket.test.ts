import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBuckets, take } from './bucket.ts';

describe('a bucket', () => {
  it('gives a burst, then a token for each time that it takes to refill one', () => {
    const buckets = createBuckets({ burst: 3, perSecond: 2 }, 10);
    const taken = [0, 0, 0, 0, 100, 499, 500, 500, 1000, 60_000, 60_000, 60_000, 60_000].map((atMs) =>
      Math.round(take(buckets, 'a', atMs)),
    );
    expect(taken).toEqual([0, 0, 0, 500, 400, 1, 0, 500, 0, 0, 0, 0, 500]);
  });

  it('lets nobody have more than the burst and the refill, whenever they ask', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 3000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(
        gaps,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 10 }),
        (steps, burst, perSecond) => {
          const buckets = createBuckets({ burst, perSecond }, 10);
          let nowMs = 0;
          const grantedAtMs: number[] = [];
          for (const step of steps) {
            nowMs += step;
            const waitMs = take(buckets, 'a', nowMs);
            if (waitMs === 0) grantedAtMs.push(nowMs);
            // Whoever waits as long as it says is let in, where nobody else asks.
            else
              expect(
                take({ ...buckets, byName: new Map(buckets.byName) }, 'a', nowMs + Math.ceil(waitMs)),
              ).toBe(0);
          }
          for (const [i, from] of grantedAtMs.entries()) {
            for (const [j, to] of grantedAtMs.entries()) {
              if (j >= i)
                expect(j - i + 1).toBeLessThanOrEqual(burst + ((to - from) / 1000) * perSecond + 1e-6);
            }
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is not refilled by a clock that goes back', () => {
    const buckets = createBuckets({ burst: 1, perSecond: 1 }, 10);
    expect([take(buckets, 'a', 5000), take(buckets, 'a', 1000), take(buckets, 'a', 1000)]).toEqual([
      0, 1000, 1000,
    ]);
  });
});

describe('many buckets', () => {
  it('do not take from each other, and are only so many: who was seen least lately is forgotten', () => {
    const buckets = createBuckets({ burst: 1, perSecond: 0.001 }, 3);
    for (const name of ['a', 'b', 'c']) expect(take(buckets, name, 0)).toBe(0);
    expect(take(buckets, 'a', 0)).toBeGreaterThan(0);
    expect(take(buckets, 'd', 0)).toBe(0);
    expect([...buckets.byName.keys()]).toEqual(['c', 'a', 'd']);
    for (let i = 0; i < 10_000; i++) take(buckets, `attacker ${i}`, 0);
    expect(buckets.byName.size).toBe(3);
  });
});
