/** Counts what was looked at, and keeps what is wrong. */
import { type Check, checks, type Outcome, outcomes } from './checks.ts';

/** Something that is not as it must be. */
export interface Finding {
  readonly check: Check;
  /** The entry, or null where it is about something else. */
  readonly log_index: number | null;
  readonly expected: string;
  readonly found: string;
  readonly means: string;
  /** Signed texts that prove it to others. */
  readonly evidence: readonly string[];
}

export type Counts = Readonly<Record<Outcome, number>>;

export interface Tally {
  readonly count: (check: Check, outcome: Exclude<Outcome, 'mismatch'>, times?: number) => void;
  /** Counts a mismatch and keeps it; of each check, the first ones. */
  readonly find: (
    check: Check,
    logIndex: number | null,
    expected: string,
    found: string,
    evidence?: readonly string[],
  ) => void;
  /** Something that a reader should know, and that accuses nobody. Each text once. */
  readonly note: (text: string) => void;
  readonly counts: () => Readonly<Record<Check, Counts>>;
  readonly findings: () => readonly Finding[];
  readonly notes: () => readonly string[];
}

/** Findings of each check that are kept; more are only counted. */
export const keptFindings = 20;

/** What hostile texts are cut to. */
const shownCharacters = 400;

/** A text from a hostile source, fit to be printed: on one line, without control characters, not too long. */
export function shown(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ');
  return line.length > shownCharacters ? `${line.slice(0, shownCharacters)}…` : line;
}

export function createTally(): Tally {
  const names = Object.keys(checks) as Check[];
  const zeros = Object.fromEntries(Object.keys(outcomes).map((name) => [name, 0])) as Record<Outcome, number>;
  const counts = Object.fromEntries(names.map((name) => [name, { ...zeros }])) as Record<
    Check,
    Record<Outcome, number>
  >;
  const findings: Finding[] = [];
  const notes = new Set<string>();
  return {
    count: (check, outcome, times = 1) => {
      counts[check][outcome] += times;
    },
    find: (check, log_index, expected, found, evidence = []) => {
      counts[check].mismatch++;
      if (counts[check].mismatch > keptFindings) return;
      findings.push({
        check,
        log_index,
        expected: shown(expected),
        found: shown(found),
        means: checks[check].means,
        evidence,
      });
    },
    note: (text) => {
      if (notes.size < 100) notes.add(shown(text));
    },
    counts: () => counts,
    findings: () => findings,
    notes: () => [...notes],
  };
}
