/**
 * The limits that a process or an isolate keeps in memory. They forget with it, and several count apart: what must
 * hold across all of them is counted in the store (daily.ts).
 */
import type { Counts } from '../metrics/counts.ts';
import type { RateQuotas } from '../quotas.ts';
import { Refusal } from '../refusal.ts';
import { createBuckets, take } from './bucket.ts';

/** Each throws the `too-many-requests` refusal, which says when to come back. */
export interface Limiter {
  /** A request from a network. */
  readonly request: (prefix: string) => void;
  /** A signed request, whose signature was verified: nobody can use up what another key may do. */
  readonly key: (key: string) => void;
}

/** Whoever sends from the machine itself is its owner. */
export const noLimits: Limiter = { request: () => undefined, key: () => undefined };

/** The refusal to do something before a time has passed. */
export function tooMany(detail: string, waitMs: number): Refusal {
  const retryAfter = Math.max(1, Math.ceil(waitMs / 1000));
  return new Refusal('too-many-requests', `${detail} Come back in ${retryAfter} s.`, {
    'retry-after': String(retryAfter),
  });
}

/** How many networks and keys are remembered: about 10 MB. */
const capacity = 50_000;

/** Begins to count. `monotonicMs` is the only clock. */
export function createLimiter(quotas: RateQuotas, counts: Counts, monotonicMs: () => number): Limiter {
  const networks = createBuckets(quotas.requestsPerPrefix, capacity);
  const keys = createBuckets(quotas.admissionsPerKey, capacity);
  return {
    request: (prefix) => {
      const waitMs = take(networks, prefix, monotonicMs());
      if (waitMs === 0) return;
      counts.limited('requests-per-prefix');
      throw tooMany('This network has sent too many requests in a short time.', waitMs);
    },
    key: (key) => {
      const waitMs = take(keys, key, monotonicMs());
      if (waitMs === 0) return;
      counts.limited('admissions-per-key');
      throw tooMany(`Key ${key} has signed too many requests in a short time.`, waitMs);
    },
  };
}
