/**
 * What the entries so far have said: all that rules and rows of later entries depend on. It grows by some hundred
 * bytes for each machine and by about a kilobyte for each ticket; signed requests are not kept.
 */
import type { TicketRow } from '../../../schema/log/row.ts';
import type { Profile } from '../../../schema/profile.ts';
import type { DecisionSubject, EntryKind } from '../../../schema/vocabulary.ts';
import type { Absent } from '../checks.ts';
import { type Chains, createChains } from './chains.ts';

/** The first keys whose withdrawal takes the contents of an entry away. */
export interface About {
  readonly machine: string | null;
  readonly owner: string | null;
}

export interface Trial {
  readonly index: number;
  readonly row: TicketRow;
  /** Of the request for the ticket; null where it is not shown. */
  readonly machine: string | null;
  readonly profileSha256: string | null;
  /** False where the ticket was withdrawn since, and is known from an earlier copy only. */
  readonly isShown: boolean;
  isArmed: boolean;
  /** `report_hash` is null where the report is not shown. */
  report: { readonly log_index: number; readonly report_hash: string | null } | null;
  amendment: { readonly log_index: number } | null;
}

/** The request whose tickets the last entries were. */
export interface OpenRequest {
  readonly hash: string;
  /** The first entry that it made. */
  readonly index: number;
  /** The scenarios that it asks for, one ticket each. */
  readonly ids: readonly string[];
  /** How many of them the log has. */
  next: number;
}

/** An entry whose contents are gone. */
export interface Missing {
  readonly kind: EntryKind;
  /** Known from an earlier copy; null without one. */
  readonly about: About | null;
}

export interface History {
  readonly chains: Chains;
  readonly trials: Map<string, Trial>;
  /** Profiles by their hash; machines have them in common. */
  readonly profiles: Map<string, Profile>;
  /** First keys of machines with hashes of profiles that they told, and with requests that were answered. */
  readonly told: Set<string>;
  /** Why the profiles of a machine are not known, by its first key. */
  readonly untold: Map<string, Absent>;
  readonly answered: Set<string>;
  /** Hashes of requests that changed keys or trust: each takes effect once. */
  readonly effective: Set<string>;
  request: OpenRequest | null;
  /** Keys whose data was withdrawn, by role. */
  readonly withdrawn: Set<string>;
  /** Entries without contents that no tombstone has named yet. */
  readonly missing: Map<number, Missing>;
  /** How many entries of a kind had no contents, and are not known from an earlier copy, either. */
  readonly lost: Map<EntryKind, number>;
  /** First keys that were revoked, by role. */
  readonly revoked: Set<string>;
  /** Reports that an owner's machines had admitted. */
  readonly reportsOf: Map<string, number>;
  /** What the survey must hold back in the very next entries, because of a false capture. */
  readonly toHold: { readonly kind: DecisionSubject; readonly value: string; readonly because: number }[];
  /**
   * The report right before this entry, but for decisions: the version of the agent that reported a false capture,
   * `unknown` where the report was withdrawn, null where it is none of these.
   */
  batch: string | 'unknown' | null;
  /** Whether only entries of before the log had a tree were seen so far. */
  isCarriedOver: boolean;
}

export function createHistory(): History {
  return {
    chains: createChains(),
    trials: new Map(),
    profiles: new Map(),
    told: new Set(),
    untold: new Map(),
    answered: new Set(),
    effective: new Set(),
    request: null,
    withdrawn: new Set(),
    missing: new Map(),
    lost: new Map(),
    revoked: new Set(),
    reportsOf: new Map(),
    toHold: [],
    batch: null,
    isCarriedOver: true,
  };
}

/** A subject as a name in sets. */
export function nameOf(kind: string, value: string): string {
  return `${kind} ${value}`;
}

/** Whether entries of these kinds were withdrawn, so that what they said cannot be known. */
export function isLost({ lost }: History, ...kinds: readonly EntryKind[]): boolean {
  return kinds.some((kind) => (lost.get(kind) ?? 0) > 0);
}

/**
 * What a machine says of its trials, and enrolments, are judged by the server a moment before they are in the log: a
 * key may have been replaced in between. Milliseconds.
 */
export const raceMs = 60_000;
