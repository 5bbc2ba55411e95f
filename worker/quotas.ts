/**
 * Every figure that bounds what one sender may ask of the server, with its reason. Given to the application through
 * its services, so that tests and benchmarks can set others.
 */
import { bodyMaxBytes } from '../schema/wire.ts';
import { type TicketLimits, ticketLimits } from './admit/ticket-limits.ts';
import type { Rate } from './rate/bucket.ts';

/** What one request may be. */
export interface RequestQuotas {
  /** Path and query together, in characters. The longest query that has an answer is about 1,000. */
  readonly targetMaxChars: number;
  /** All headers, in bytes. The agent sends about 300; a browser with its hints less than 4,000. */
  readonly headersMaxBytes: number;
  /** From the first byte of a request to its last header, in milliseconds. Fits in one segment. */
  readonly headersWithinMs: number;
  /** A body, in bytes. The largest report that the field list allows is about half of it. */
  readonly bodyMaxBytes: number;
  /** From the headers to the last byte of the body, in milliseconds: 512 KiB over a modem's 256 kbit/s take 16 s. */
  readonly bodyWithinMs: number;
}

/** What the server gives itself. */
export interface ServerQuotas {
  /**
   * From the signal to stop until what is in progress is cut off, in milliseconds: a body may take `bodyWithinMs`, and
   * supervisors kill after 30 s (Kubernetes) or 90 s (systemd).
   */
  readonly drainWithinMs: number;
}

/** What a key may hold; see admit/ticket-limits.ts. */
export interface KeyQuotas {
  readonly tickets: TicketLimits;
}

/** How often something may be done. Whoever sends from the server's own machine is not limited. */
export interface RateQuotas {
  /**
   * Requests of any kind from one /24 or /48, in memory of each process: a page takes three, a burst is a class that
   * opens the survey at once, and at the rate the whole log can be read in a night.
   */
  readonly requestsPerPrefix: Rate;
  /**
   * Signed requests of one key, in memory of each process: the burst is the outbox of a machine that comes back with
   * as many armed notes and reports as it may hold tickets; a trial takes minutes.
   */
  readonly admissionsPerKey: Rate;
  /** New machines from one /24 or /48 in a day, in the store: more than a laboratory unpacks, too few for a crowd. */
  readonly enrolmentsPerPrefixAndDay: number;
}

export type Quotas = RequestQuotas & ServerQuotas & KeyQuotas & RateQuotas;

/** The figures of a server that nobody has set otherwise. */
export const quotas: Quotas = {
  targetMaxChars: 4096,
  headersMaxBytes: 16 * 1024,
  headersWithinMs: 15_000,
  bodyMaxBytes,
  bodyWithinMs: 20_000,
  drainWithinMs: 25_000,
  tickets: ticketLimits,
  requestsPerPrefix: { burst: 600, perSecond: 20 },
  admissionsPerKey: { burst: 2 * ticketLimits.openPerMachine + 64, perSecond: 1 },
  enrolmentsPerPrefixAndDay: 64,
};
