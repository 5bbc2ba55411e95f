/**
 * The exact interval of a proportion (Clopper and Pearson, "The use of confidence or fiducial limits illustrated in
 * the case of the binomial", Biometrika 26, 1934), through quantiles of the beta distribution.
 */
import { betaQuantile } from './beta.ts';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The interval for `x` successes in `n` independent trials, 0 <= x <= n, n >= 1. Its coverage is at least
 * `confidence` whatever the true proportion is. Not for trials that depend on each other, as those of one real
 * machine do. Throws a RangeError for counts that are none.
 */
export function clopperPearson(x: number, n: number, confidence = 0.95): Interval {
  if (!Number.isInteger(x) || !Number.isInteger(n) || x < 0 || n < 1 || x > n) {
    throw new RangeError(`${x} of ${n} is not a count of successes among trials`);
  }
  const tail = (1 - confidence) / 2;
  return {
    low: x === 0 ? 0 : betaQuantile(tail, x, n - x + 1),
    high: x === n ? 1 : 1 - betaQuantile(tail, n - x, x + 1),
  };
}
