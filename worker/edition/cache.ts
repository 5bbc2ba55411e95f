/**
 * Answers of one edition, kept in memory by query. An edition never changes, so an answer holds until the next
 * one; then all are dropped. Bounded: the oldest goes first. Keeps values and never promises: under Workers, one
 * request must not wait for the I/O of another.
 */

/** A cache that `remember` works on. One for each process or isolate. */
export interface AnswerCache {
  number: number;
  readonly answers: Map<string, unknown>;
  readonly capacity: number;
}

export function createCache(capacity = 500): AnswerCache {
  return { number: 0, answers: new Map(), capacity };
}

/** The answer to a query of an edition: remembered, or computed. What fails is not remembered. */
export async function remember<T>(
  cache: AnswerCache,
  number: number,
  query: string,
  compute: () => Promise<T>,
): Promise<T> {
  if (number > cache.number) {
    cache.answers.clear();
    cache.number = number;
  }
  const isCurrent = number === cache.number;
  if (isCurrent && cache.answers.has(query)) return cache.answers.get(query) as T;
  const answer = await compute();
  if (number !== cache.number) return answer;
  cache.answers.set(query, answer);
  const oldest = cache.answers.keys().next().value;
  if (cache.answers.size > cache.capacity && oldest !== undefined) cache.answers.delete(oldest);
  return answer;
}
