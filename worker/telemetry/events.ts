/**
 * What the server tells its operator. The list is closed, and each event has only the fields named here: no address,
 * key, nonce, header, query or body can get into a log by way of it.
 */
import type { ProblemSlug } from '../../schema/problem.ts';

/** One request that was answered. `route` is the pattern, such as `/v1/reports/:id`, and never what was asked for. */
export interface RequestAnswered {
  readonly event: 'request';
  readonly request_id: string;
  readonly route: string;
  readonly method: string;
  readonly status: number;
  readonly problem: ProblemSlug | null;
  readonly duration_ms: number;
  /** Of the answer's body, as its Content-Length says; null where it says nothing. */
  readonly bytes: number | null;
}

/** What went wrong that nobody expected; see root-cause.ts for what `cause` may hold. */
interface Failure {
  readonly cause: string;
}

export type Told =
  | RequestAnswered
  | ({
      readonly event: 'request-failed';
      readonly request_id: string;
      readonly route: string;
      readonly method: string;
    } & Failure)
  | { readonly event: 'bytes-refused'; readonly problem: ProblemSlug }
  | ({ readonly event: 'handing-over-failed' } & Failure)
  | ({ readonly event: 'store-failed' } & Failure)
  | ({ readonly event: 'check-failed'; readonly check: string } & Failure)
  | ({ readonly event: 'publishing-failed' } & Failure)
  | { readonly event: 'edition-published'; readonly number: number; readonly log_size: number }
  | { readonly event: 'log-halted'; readonly why: string }
  | { readonly event: 'witness-trouble'; readonly witness: string; readonly trouble: string }
  | { readonly event: 'listening'; readonly url: string }
  | { readonly event: 'draining'; readonly in_progress: number }
  | { readonly event: 'stopped'; readonly cut_off: number };

/** Takes what is told. Must not throw. */
export type Log = (told: Told) => void;

export type Level = 'info' | 'warn' | 'error';

/** How much an event matters. */
export function levelOf(told: Told): Level {
  if ('cause' in told || told.event === 'log-halted') return 'error';
  if (told.event === 'witness-trouble') return 'warn';
  if (told.event === 'request') return told.status >= 500 ? 'warn' : 'info';
  if (told.event === 'stopped') return told.cut_off > 0 ? 'warn' : 'info';
  return 'info';
}

/** The event as a person reads it on a terminal, or null where it would only fill the screen. */
export function inWords(told: Told): string | null {
  switch (told.event) {
    case 'listening':
      return `Dump Survey listens at ${told.url}`;
    case 'request-failed':
      return `request ${told.request_id} (${told.method} ${told.route}) failed: ${told.cause}`;
    case 'handing-over-failed':
      return `a request could not be handed to the application: ${told.cause}`;
    case 'store-failed':
      return `the store could not be opened: ${told.cause}`;
    case 'check-failed':
      return `the check ${told.check} failed: ${told.cause}`;
    case 'publishing-failed':
      return `publishing an edition failed: ${told.cause}`;
    case 'log-halted':
      return `the log is halted, nothing is admitted: ${told.why}`;
    case 'witness-trouble':
      return `witness ${told.witness} gave no cosignature: ${told.trouble}`;
    case 'draining':
      return told.in_progress > 0 ? `Stopping; ${told.in_progress} requests are in progress.` : null;
    case 'stopped':
      return told.cut_off > 0 ? `${told.cut_off} connections did not end in time and were cut off.` : null;
    default:
      return null;
  }
}
