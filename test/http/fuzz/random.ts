/** Randomness that a seed repeats. */

export interface Random {
  /** In [0, 1). */
  readonly fraction: () => number;
  /** In [0, below). */
  readonly below: (below: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <T>(list: readonly [T, ...T[]]) => T;
  /** One of a list that may be empty. */
  readonly maybe: <T>(list: readonly T[]) => T | undefined;
  /** By weight. */
  readonly weighted: <T>(list: readonly (readonly [weight: number, value: T])[]) => T;
}

/** Numbers that follow from a seed (mulberry32: 32 bits of state, enough to choose requests). */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const fraction = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number) => Math.floor(fraction() * limit);
  return {
    fraction,
    below,
    chance: (probability) => fraction() < probability,
    pick: (list) => list[below(list.length)] ?? list[0],
    maybe: (list) => list[below(list.length)],
    weighted: (list) => {
      let left = fraction() * list.reduce((sum, [weight]) => sum + weight, 0);
      const found = list.find(([weight]) => {
        left -= weight;
        return left < 0;
      });
      const chosen = found ?? list.at(-1);
      if (chosen === undefined) throw new Error('there is nothing to choose from');
      return chosen[1];
    },
  };
}
