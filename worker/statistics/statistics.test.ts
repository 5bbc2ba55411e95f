/** The interval against published tables, against jStat's beta quantile, and against what every exact interval must be. */
import fc from 'fast-check';
import jstat from 'jstat';
import { describe, expect, it } from 'vitest';
import { betaQuantile, incompleteBeta } from './beta.ts';
import { cellOf, rounded } from './cell.ts';
import { clopperPearson } from './clopper-pearson.ts';

describe('clopperPearson', () => {
  // Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I,
  // method 5; the last three as R's binom.test prints them.
  it.each([
    [81, 263, 0.2527, 0.3676],
    [15, 148, 0.0578, 0.1617],
    [0, 20, 0, 0.1684],
    [1, 29, 0.0009, 0.1776],
    [8, 10, 0.4439, 0.9748],
    [10, 10, 0.6915, 1],
    [50, 100, 0.3983, 0.6017],
  ])('%i of %i is [%f, %f], as published', (x, n, low, high) => {
    const interval = clopperPearson(x, n);
    expect(interval.low).toBeCloseTo(low, 4);
    expect(interval.high).toBeCloseTo(high, 4);
  });

  it('agrees with jStat to 6 digits on a grid up to 2000 trials', () => {
    for (const n of [1, 2, 3, 5, 8, 13, 40, 99, 432, 2000]) {
      for (const x of new Set([0, 1, 2, n >> 2, n >> 1, n - 1, n].filter((k) => k >= 0 && k <= n))) {
        const { low, high } = clopperPearson(x, n);
        if (x > 0) expect(low / jstat.beta.inv(0.025, x, n - x + 1)).toBeCloseTo(1, 6);
        if (x < n) expect(high / jstat.beta.inv(0.975, x + 1, n - x)).toBeCloseTo(1, 6);
      }
    }
  });

  it('has the closed forms of no success and of no failure', () => {
    for (const n of [1, 7, 100, 10_000, 1_000_000]) {
      expect(clopperPearson(0, n).high / -Math.expm1(Math.log(0.025) / n)).toBeCloseTo(1, 7);
      expect(clopperPearson(n, n).low).toBeCloseTo(0.025 ** (1 / n), 9);
    }
  });

  const counts = fc
    .integer({ min: 1, max: 3000 })
    .chain((n) => fc.record({ n: fc.constant(n), x: fc.integer({ min: 0, max: n }) }));

  it('contains the proportion, and lies within [0, 1]', () => {
    fc.assert(
      fc.property(counts, ({ x, n }) => {
        const { low, high } = clopperPearson(x, n);
        return low >= 0 && low <= x / n && x / n <= high && high <= 1;
      }),
    );
  });

  it('is the mirror image for failures', () => {
    fc.assert(
      fc.property(counts, ({ x, n }) => {
        const here = clopperPearson(x, n);
        const there = clopperPearson(n - x, n);
        expect(here.low).toBeCloseTo(1 - there.high, 9);
      }),
    );
  });

  it('moves up with every success, and narrows with confidence', () => {
    fc.assert(
      fc.property(counts, ({ x, n }) => {
        const wide = clopperPearson(x, n, 0.99);
        const here = clopperPearson(x, n);
        expect(wide.low).toBeLessThanOrEqual(here.low);
        expect(wide.high).toBeGreaterThanOrEqual(here.high);
        if (x === n) return;
        const more = clopperPearson(x + 1, n);
        expect(more.low).toBeGreaterThan(here.low);
        expect(more.high).toBeGreaterThan(here.high);
      }),
    );
  });

  it.each([
    [-1, 3],
    [4, 3],
    [0, 0],
    [0.5, 3],
  ])('refuses %f of %f', (x, n) => {
    expect(() => clopperPearson(x, n)).toThrow(RangeError);
  });
});

describe('incompleteBeta', () => {
  it('is the tail of the binomial distribution (DLMF 8.17.5)', () => {
    const [n, p] = [12, 0.3];
    for (let x = 1; x <= n; x++) {
      let tail = 0;
      for (let k = x; k <= n; k++) tail += jstat.binomial.pdf(k, n, p);
      expect(incompleteBeta(p, x, n - x + 1)).toBeCloseTo(tail, 12);
    }
  });

  it('is undone by its quantile', () => {
    for (const [a, b] of [
      [1, 1],
      [2, 9],
      [400, 3],
      [5000, 5000],
    ] as const) {
      for (const p of [0.001, 0.025, 0.5, 0.975]) {
        expect(incompleteBeta(betaQuantile(p, a, b), a, b)).toBeCloseTo(p, 9);
      }
    }
  });
});

describe('cellOf', () => {
  it('estimates nothing without trials', () => {
    const cell = cellOf({ machines: 1, trials: 0, captured: 0, no_reply: 0, inconclusive: 3 });
    expect(cell).toMatchObject({ estimate: null, low: null, high: null, inconclusive: 3 });
  });

  it('publishes 4 significant digits, and keeps the estimate inside its interval', () => {
    expect(cellOf({ machines: 1, trials: 3, captured: 1, no_reply: 1, inconclusive: 0 })).toMatchObject({
      estimate: 0.3333,
      low: 0.008404,
      high: 0.9057,
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(500), (trials, some) => {
        const captured = Math.min(some, trials);
        const { estimate, low, high } = cellOf({
          machines: 1,
          trials,
          captured,
          no_reply: 0,
          inconclusive: 0,
        });
        return low !== null && estimate !== null && high !== null && low <= estimate && estimate <= high;
      }),
    );
  });

  it.each([
    [0.123456, 0.1235],
    [0.0000123456, 0.00001235],
    [1, 1],
    [0, 0],
  ])('rounds %f to %f', (value, published) => {
    expect(rounded(value)).toBe(published);
  });
});
