/** What a check of `doctor` is, and what it finds. */
import type { DoctorFacts } from './facts.ts';

/** `failed`: nothing is run, or nothing would come of it. `warning`: less is run or known. `unknown`: it could not be told. */
export const checkStates = ['ok', 'warning', 'failed', 'unknown'] as const;
export type CheckState = (typeof checkStates)[number];

export interface Finding {
  readonly state: CheckState;
  /** What is so, and what follows from it. */
  readonly meaning: string;
  /**
   * What to do, line by line; empty where nothing is. A line that begins with a capital letter is for a person, every
   * other one is a command.
   */
  readonly fix: readonly string[];
}

export interface Check {
  /** What should be so. */
  readonly title: string;
  readonly run: (facts: DoctorFacts) => Finding;
}

export function ok(meaning: string): Finding {
  return { state: 'ok', meaning, fix: [] };
}

export function problem(state: Exclude<CheckState, 'ok'>, meaning: string, fix: readonly string[]): Finding {
  return { state, meaning, fix };
}
