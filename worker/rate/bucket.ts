/** Token buckets: how often something may be done, in a burst and over time. Kept in memory, and only so many. */

/** `burst` at once, and `perSecond` over time. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Buckets by name. The one that was used least lately goes first where there are too many. */
export interface Buckets {
  readonly rate: Rate;
  readonly capacity: number;
  readonly byName: Map<string, Bucket>;
}

export function createBuckets(rate: Rate, capacity: number): Buckets {
  return { rate, capacity, byName: new Map() };
}

/** Sums of fractions may miss a whole token by less than this. */
const rounding = 1e-9;

/** Takes a token. Gives 0, or how many milliseconds to wait for one: then none was taken. */
export function take({ rate, capacity, byName }: Buckets, name: string, nowMs: number): number {
  const { tokens: before, atMs } = byName.get(name) ?? { tokens: rate.burst, atMs: nowMs };
  const refilled = before + (Math.max(0, nowMs - atMs) / 1000) * rate.perSecond;
  const tokens = Math.min(rate.burst, refilled);
  const waitMs = tokens >= 1 - rounding ? 0 : ((1 - tokens) / rate.perSecond) * 1000;
  byName.delete(name);
  byName.set(name, { tokens: waitMs === 0 ? tokens - 1 : tokens, atMs: nowMs });
  const oldest = byName.keys().next().value;
  if (byName.size > capacity && oldest !== undefined) byName.delete(oldest);
  return waitMs;
}
