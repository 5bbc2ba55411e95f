/** Talks to the survey. What can be mended by waiting is waited for; what cannot is an error that says why. */

import * as z from 'zod';
import type { Envelope, PayloadKind } from '../../schema/envelope.ts';
import { bytesOf } from '../../schema/log/verifier-key.ts';
import {
  type ArmedAnswer,
  armedAnswer,
  type EntryAnswer,
  entryAnswer,
  type MachineAnswer,
  machineAnswer,
  type Receipt,
  receipt,
  type TicketsAnswer,
  ticketsAnswer,
} from '../../schema/wire.ts';
import { Expected } from '../advice.ts';
import { readBounded } from './body.ts';

/** The survey refused a request, and will again: its problem document says why (RFC 9457). */
export class Refused extends Expected {
  override name = 'Refused';
  readonly type: string;
  readonly status: number;

  constructor(status: number, type: string, detail: string, action: string) {
    super(`the survey refused it (${status} ${type}): ${detail} ${action}`);
    this.status = status;
    this.type = type;
  }
}

/** The survey gave no answer as long as was waited for it. Nothing is known of the request: it can be sent again. */
export class Unreachable extends Expected {
  override name = 'Unreachable';
}

/** The survey answered, but not in the agreed form: it is another program, or of another version. */
export class Unusable extends Expected {
  override name = 'Unusable';
}

const problemAnswer = z.object({ type: z.string(), detail: z.string(), action: z.string() });

/** Answers that only ask for patience. */
const transient = new Set([408, 425, 429, 500, 502, 503, 504]);

/** What an agent needs of `GET /v1`. */
const apiIndex = z.object({
  log: z.object({ origin: z.string().max(200), verifier_key: z.string().max(400) }),
  payload_versions: z.record(z.string(), z.array(z.string().max(20)).max(100)),
  /** A survey that does not say it knows the first one only. */
  profile_versions: z.array(z.string().max(20)).max(100).optional(),
});
export type ApiIndex = z.infer<typeof apiIndex>;

const hash = z.string().transform((text, context): Uint8Array => {
  const bytes = bytesOf(text);
  if (bytes?.length === 32) return bytes;
  context.addIssue('not a hash of 32 bytes in base64');
  return z.NEVER;
});
const consistencyAnswer = z.object({ from: z.int(), to: z.int(), proof: z.array(hash).max(64) });

/** Where payloads of a kind are posted to: the kinds that an agent sends. */
export const addresses = {
  enrol: '/v1/machines',
  tickets: '/v1/tickets',
  armed: '/v1/armed',
  report: '/v1/reports',
  rotate: '/v1/rotations',
  revoke: '/v1/revocations',
  withdraw: '/v1/withdrawals',
  invite: '/v1/invitations',
} as const satisfies Partial<Record<PayloadKind, string>>;
export type SentKind = keyof typeof addresses;

type Send<T> = (e: Envelope) => Promise<T>;

/** Sends signed envelopes: each is sent again until it is answered, because requests are idempotent. */
export interface Admissions {
  readonly enrol: Send<MachineAnswer>;
  readonly tickets: Send<TicketsAnswer>;
  readonly armed: Send<ArmedAnswer>;
  readonly report: Send<Receipt>;
  readonly rotate: Send<EntryAnswer>;
  readonly revoke: Send<EntryAnswer>;
  readonly withdraw: Send<EntryAnswer>;
  readonly invite: Send<EntryAnswer>;
}

/** Reads what the survey says of itself and of its log. Nothing of it is verified here. */
export interface Reads {
  readonly index: () => Promise<ApiIndex>;
  /** The newest checkpoint, a signed note. */
  readonly checkpoint: () => Promise<string>;
  /** The hashes of a consistency proof between two sizes. */
  readonly consistency: (from: number, to: number) => Promise<Uint8Array[]>;
  /** A tile by its name, as `tile/0/000.p/5`. */
  readonly tile: (name: string) => Promise<Uint8Array>;
}
export type Api = Admissions & Reads;

export interface ApiOptions {
  readonly sleep: (ms: number) => Promise<void>;
  /** Gives up waiting after this long. */
  readonly patienceMs: number;
  readonly now: () => number;
  /** A single request without an answer is given up after this long, and sent again. */
  readonly requestTimeoutMs?: number;
}

/** Far more than any agreed answer has. */
const answerMaxBytes = 1 << 20;

/** The survey at `baseUrl`. Throws Refused, Unreachable or Unusable. */
export function apiAt(baseUrl: string, options: ApiOptions): Api {
  const { requestTimeoutMs = 30_000, patienceMs, now, sleep } = options;
  const base = baseUrl.replace(/\/+$/, '');

  async function attempt(path: string, envelope: Envelope | null): Promise<Uint8Array> {
    const posted = envelope && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(envelope),
    };
    const answer = await fetch(`${base}${path}`, {
      ...posted,
      signal: AbortSignal.timeout(requestTimeoutMs),
    });
    const bytes = await readBounded(answer, answerMaxBytes);
    if (bytes === null) {
      throw new Unusable(`${path}: the survey answered with more than ${answerMaxBytes} bytes.`);
    }
    if (answer.ok) return bytes;
    if (transient.has(answer.status)) throw new Error(`the survey answered ${answer.status}`);
    const text = textOf(bytes);
    const problem = problemIn(text);
    throw new Refused(
      answer.status,
      problem?.type ?? 'unknown',
      problem?.detail ?? text.slice(0, 200),
      problem?.action ?? '',
    );
  }

  /** Asks until there is an answer that `read` can make something of. */
  async function patiently<T>(
    path: string,
    envelope: Envelope | null,
    read: (bytes: Uint8Array) => T,
  ): Promise<T> {
    const until = now() + patienceMs;
    for (let pauseMs = 200; ; pauseMs = Math.min(pauseMs * 2, 5000)) {
      try {
        return read(await attempt(path, envelope));
      } catch (error) {
        if (error instanceof Refused || error instanceof Unusable) throw error;
        if (now() + pauseMs > until) {
          throw new Unreachable(`${base}${path}: ${inWords(error)}. Try again later.`, { cause: error });
        }
        await sleep(pauseMs);
      }
    }
  }

  function json<T>(path: string, shape: z.ZodType<T, unknown>): (bytes: Uint8Array) => T {
    return (bytes) => {
      const { data, error } = shape.safeParse(JSON.parse(textOf(bytes)));
      if (error === undefined) return data;
      const [issue] = error.issues;
      throw new Unusable(
        `${path}: the answer is not as agreed: ${issue?.path.join('.') || 'it'}: ${issue?.message}.`,
      );
    };
  }

  function post<T>(kind: SentKind, shape: z.ZodType<T>): Send<T> {
    const path = addresses[kind];
    return (e) => patiently(path, e, json(path, shape));
  }

  return {
    enrol: post('enrol', machineAnswer),
    tickets: post('tickets', ticketsAnswer),
    armed: post('armed', armedAnswer),
    report: post('report', receipt),
    rotate: post('rotate', entryAnswer),
    revoke: post('revoke', entryAnswer),
    withdraw: post('withdraw', entryAnswer),
    invite: post('invite', entryAnswer),
    index: () => patiently('/v1', null, json('/v1', apiIndex)),
    checkpoint: () => patiently('/log/checkpoint', null, textOf),
    consistency: async (from, to) => {
      const path = `/log/consistency?from=${from}&to=${to}`;
      return (await patiently(path, null, json(path, consistencyAnswer))).proof;
    },
    tile: (name) => patiently(`/log/${name}`, null, (bytes) => bytes),
  };
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** The problem document in a text, or null where somebody in between answered. */
function problemIn(text: string): z.infer<typeof problemAnswer> | null {
  try {
    return problemAnswer.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

function inWords(error: unknown): string {
  if (error instanceof SyntaxError) return 'the answer is no JSON';
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message} (${cause.message})` : error.message;
}
