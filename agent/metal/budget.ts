/** The daily budget: how many times in any 24 hours this machine is crashed on purpose. Pure. */

const dayMs = 24 * 3600_000;

/** What an owner who chose nothing of the kind gets. */
export const defaultTrialsPerDay = 4;

/**
 * When the next crash may be, in milliseconds since the epoch: `nowMs` or earlier where one is left. `crashesMs` are the
 * times of all crashes on purpose. One that lies in the future was before the clock was set back: it counts as of now,
 * so that no change of the clock makes room for more.
 */
export function nextCrashMs(crashesMs: readonly number[], perDay: number, nowMs: number): number {
  const recent = crashesMs
    .map((at) => Math.min(at, nowMs))
    .filter((at) => at > nowMs - dayMs)
    .toSorted((a, b) => a - b);
  const oldestThatCounts = recent.at(-perDay);
  return oldestThatCounts === undefined || recent.length < perDay ? nowMs : oldestThatCounts + dayMs;
}

/** How many crashes of the last 24 hours there were. */
export function spentOf(crashesMs: readonly number[], nowMs: number): number {
  return crashesMs.filter((at) => Math.min(at, nowMs) > nowMs - dayMs).length;
}
