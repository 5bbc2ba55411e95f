/** What every section measures with: rounds that take turns, and medians. Times are milliseconds. */

/** The middle value; of an even number, the mean of the two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  if (low === undefined || high === undefined) throw new Error('there is no median of nothing');
  return (low + high) / 2;
}

/** How long work takes. */
export async function timeOf(work: () => unknown): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/**
 * Runs measurements in turns, A B C A B C …, and gives the median of each: what else the machine does in the
 * meantime then meets all of them alike.
 */
export async function inTurns<Name extends string>(
  rounds: number,
  measurements: Readonly<Record<Name, () => Promise<number>>>,
): Promise<Record<Name, number>> {
  const values = new Map<string, number[]>();
  for (let round = 0; round < rounds; round++) {
    for (const [name, measure] of Object.entries<() => Promise<number>>(measurements)) {
      values.set(name, [...(values.get(name) ?? []), await measure()]);
    }
  }
  const medians = [...values].map(([name, all]) => [name, median(all)] as const);
  return Object.fromEntries(medians) as Record<Name, number>;
}
