/** What the application is given by its entry: nothing below this reads a clock, a random source or a setting by itself. */
import type { AnswerCache } from './edition/cache.ts';
import type { HighWater } from './log/high-water.ts';
import type { LogIdentity } from './log/identity.ts';
import type { Witness } from './log/witnesses.ts';
import type { Counts } from './metrics/counts.ts';
import type { Quotas } from './quotas.ts';
import type { Limiter } from './rate/limiter.ts';
import type { AppContext } from './serve/frame.ts';
import type { Store } from './store/open.ts';
import type { Log } from './telemetry/events.ts';

/** What the local agent says of its campaign. Without `nonces`, every report of the lab belongs to it. */
export interface Campaign {
  readonly planned: number;
  readonly nonces: readonly string[] | null;
}

/** Who sends a request, as far as limits ask. Held while the request lasts, never stored and never logged. */
export interface Client {
  /** The network; null where it is the server's own machine, whose owner is not limited. */
  readonly prefix: string | null;
}

export interface Services {
  readonly store: Store;
  /** Milliseconds since 1970 UTC. */
  readonly now: () => number;
  readonly random: (byteCount: number) => Uint8Array<ArrayBuffer>;
  /** Public keys, in hexadecimal, of the survey's own machines' owners. */
  readonly referenceOwners: ReadonlySet<string>;
  /** Public keys, in hexadecimal, whose decisions are obeyed. */
  readonly operators: ReadonlySet<string>;
  /** SHA-256, in hexadecimal, of the tokens of named auditors. */
  readonly auditors: ReadonlySet<string>;
  /** Signs checkpoints and promises. */
  readonly signer: LogIdentity;
  readonly highWater: HighWater;
  readonly witnesses: readonly Witness[];
  /** The share of tickets, of those that may be, that are controls: 0 to 1. */
  readonly controlShare: number;
  /** Null where no agent shares the machine. */
  readonly campaign: () => Promise<Campaign | null>;
  /** The survey's public address, without a path, as its operator says it; empty where that is not said. */
  readonly publicUrl: string;
  readonly quotas: Quotas;
  readonly limiter: Limiter;
  readonly clientOf: (c: AppContext) => Client;
  readonly log: Log;
  readonly counts: Counts;
  /** Milliseconds from any start, never set back. Under Workers it stands still while nothing is waited for. */
  readonly monotonicMs: () => number;
  /** When the process or isolate began to count, in milliseconds since 1970 UTC. */
  readonly startedAtMs: number;
  readonly runtime: 'node' | 'workers';
  readonly operator: {
    /** What opens the operator's addresses; null where only the machine itself may read them. */
    readonly token: string | null;
    /** Whether a request was made on the server's own machine. */
    readonly isHere: (c: AppContext) => boolean;
  };
  /** Whether the server is about to stop. */
  readonly isDraining: () => boolean;
  /** One for each process or isolate. */
  readonly cache: AnswerCache;
  /** Called after each admission, so that the entry can see to the next edition. Must not throw. */
  readonly admitted: () => void;
}
