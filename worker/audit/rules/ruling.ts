/** What the rules say of one entry. Rules are pure: they look at the entry and at what the entries before it said. */
import type { Absent } from '../checks.ts';

/** A rule that was broken. */
export interface Broken {
  readonly expected: string;
  readonly found: string;
}

export interface Ruling {
  readonly broken: readonly Broken[];
  /** Why some rule could not be asked, or null where all were. */
  readonly absent: Absent | null;
  /** A rule: broken unless it holds. */
  readonly must: (holds: boolean, expected: string, found: string) => void;
  /** The words of a rule that the server has, too: broken unless null. */
  readonly mustNot: (fault: { readonly detail: string } | null, expected: string) => void;
  /** A rule could not be asked. */
  readonly cannot: (why: Absent) => void;
}

export function ruling(): Ruling {
  const broken: Broken[] = [];
  let absent: Absent | null = null;
  return {
    broken,
    get absent() {
      return absent;
    },
    must: (holds, expected, found) => {
      const isTold = broken.some((rule) => rule.expected === expected && rule.found === found);
      if (!holds && !isTold) broken.push({ expected, found });
    },
    mustNot: (fault, expected) => {
      if (fault !== null) broken.push({ expected, found: fault.detail });
    },
    cannot: (why) => {
      absent ??= why;
    },
  };
}

/** What an entry must say by the signed request behind it; or why that cannot be told. */
export type Derived<T> = { readonly row: T } | { readonly absent: Absent } | { readonly fault: string };
