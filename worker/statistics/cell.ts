/** From counts to a published cell. */
import type { Cell } from '../../schema/statistics.ts';
import { clopperPearson } from './clopper-pearson.ts';

/** Part of the hash of an edition: raised whenever the same rows would give other cells. */
export const statisticsVersion = 2;

/**
 * In one cell, at most so many trials of one owner count: whoever lies must lie under many vouched names to move a
 * figure. The survey's own machines are not capped.
 */
export const ownerTrialsMax = 30;

/** The counts of a cell, over distinct trials. `trials` leaves out the inconclusive ones and holds `no_reply`. */
export type Counts = Pick<Cell, 'machines' | 'trials' | 'captured' | 'no_reply' | 'inconclusive'>;

/** A number with 4 significant digits, which every runtime computes alike. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** The published cell of some counts. Without trials there is nothing to estimate. */
export function cellOf(counts: Counts): Cell {
  const { machines, trials, captured, no_reply, inconclusive } = counts;
  const plain = { machines, trials, captured, no_reply, inconclusive };
  if (trials === 0) return { ...plain, estimate: null, low: null, high: null };
  const { low, high } = clopperPearson(captured, trials);
  return { ...plain, estimate: rounded(captured / trials), low: rounded(low), high: rounded(high) };
}
