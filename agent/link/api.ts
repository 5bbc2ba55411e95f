/** Talks to the survey. What can be mended by waiting is waited for; what cannot is an error that says why. */
import * as z from 'zod';
import type { Envelope } from '../../schema/envelope.ts';
import { armedAnswer, machineAnswer, receipt, ticketsAnswer } from '../../schema/wire.ts';

/** The survey refused a request, and will again: its problem document says why (RFC 9457). */
export class Refused extends Error {
  override name = 'Refused';
  readonly type: string;
  readonly status: number;

  constructor(status: number, type: string, detail: string, action: string) {
    super(`the survey refused it (${status} ${type}): ${detail} ${action}`);
    this.status = status;
    this.type = type;
  }
}

const problemAnswer = z.object({ type: z.string(), detail: z.string(), action: z.string() });

/** Answers that only ask for patience. */
const transient = new Set([408, 425, 429, 500, 502, 503, 504]);

export interface Api {
  readonly enrol: (e: Envelope) => Promise<z.infer<typeof machineAnswer>>;
  readonly tickets: (e: Envelope) => Promise<z.infer<typeof ticketsAnswer>>;
  readonly armed: (e: Envelope) => Promise<z.infer<typeof armedAnswer>>;
  readonly report: (e: Envelope) => Promise<z.infer<typeof receipt>>;
}

export interface ApiOptions {
  readonly sleep: (ms: number) => Promise<void>;
  /** Gives up waiting after this long. */
  readonly patienceMs: number;
  readonly now: () => number;
}

/** The survey at `baseUrl`. Requests are idempotent, so each is sent again until it is answered. */
export function apiAt(baseUrl: string, options: ApiOptions): Api {
  async function attempt(path: string, envelope: Envelope): Promise<unknown> {
    const answer = await fetch(`${baseUrl.replace(/\/+$/, '')}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(envelope),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await answer.text();
    if (answer.ok) return JSON.parse(text);
    if (transient.has(answer.status)) throw new Error(`${path}: the survey answered ${answer.status}`);
    let said: unknown = null;
    try {
      said = JSON.parse(text);
    } catch {
      // Not a problem document: somebody in between answered.
    }
    const problem = problemAnswer.safeParse(said).data;
    throw new Refused(
      answer.status,
      problem?.type ?? 'unknown',
      problem?.detail ?? text.slice(0, 200),
      problem?.action ?? '',
    );
  }

  async function post<T>(path: string, envelope: Envelope, shape: z.ZodType<T>): Promise<T> {
    const until = options.now() + options.patienceMs;
    for (let pauseMs = 200; ; pauseMs = Math.min(pauseMs * 2, 5000)) {
      try {
        return shape.parse(await attempt(path, envelope));
      } catch (error) {
        if (error instanceof Refused || error instanceof z.ZodError || options.now() + pauseMs > until)
          throw error;
        await options.sleep(pauseMs);
      }
    }
  }

  return {
    enrol: (e) => post('/v1/machines', e, machineAnswer),
    tickets: (e) => post('/v1/tickets', e, ticketsAnswer),
    armed: (e) => post('/v1/armed', e, armedAnswer),
    report: (e) => post('/v1/reports', e, receipt),
  };
}
