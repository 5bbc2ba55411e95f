/** A survey over HTTP. Bounded in time, follows nobody elsewhere, and says in words what went wrong. */
import { Incomplete, type Source } from './source.ts';

export interface HttpOptions {
  /** What a named auditor shows to see what real machines have signed. Sent to this address only, for rows only. */
  readonly token?: string | null;
  readonly sleep: (ms: number) => Promise<void>;
  /** How long to wait for the head of an answer, and for each further piece of it. */
  readonly patienceMs?: number;
  /** How long all pieces of one answer may be waited for. */
  readonly longestMs?: number;
}

/** Pauses between attempts. */
const pausesMs = [500, 2_000, 8_000];

/** A survey that asks for more patience than this is left. */
const longestPauseMs = 60_000;

/** Answers that only ask for patience. */
const transient = new Set([408, 425, 429, 500, 502, 503, 504]);

/** The survey at an address without a slash at its end. */
export function surveyAt(url: string, options: HttpOptions): Source {
  const { token = null, sleep, patienceMs = 30_000, longestMs = 300_000 } = options;
  const base = url.replace(/\/+$/, '');
  return {
    name: base,
    isLive: true,
    again: async (attempt, notBeforeMs) => {
      const pauseMs = pausesMs[attempt - 1];
      if (pauseMs === undefined || notBeforeMs > longestPauseMs) return false;
      await sleep(Math.max(pauseMs, notBeforeMs));
      return true;
    },
    open: async (address) => {
      const where = `${base}${address}`;
      const isSecret = token !== null && address.startsWith('/log/rows/');
      const abort = new AbortController();
      const answer = await within(patienceMs, abort, where, () =>
        fetch(where, {
          redirect: 'manual',
          headers: isSecret ? { authorization: `Bearer ${token}` } : {},
          signal: abort.signal,
        }),
      );
      if (answer.status !== 200) {
        const fault = await faultOf(answer, where, abort, patienceMs);
        abort.abort();
        throw fault;
      }
      return piecesOf(answer, where, abort, patienceMs, longestMs);
    },
  };
}

/** Does one step of a request, or gives it up. */
async function within<T>(
  patienceMs: number,
  abort: AbortController,
  where: string,
  step: () => Promise<T>,
): Promise<T> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    abort.abort();
  }, patienceMs);
  try {
    return await step();
  } catch (error) {
    if (isLate) throw new Incomplete(`${where} said nothing for ${patienceMs / 1000} s.`, { mayPass: true });
    throw new Incomplete(`${where} could not be read: ${causeOf(error)}.`, { mayPass: true, cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** What fetch hides in causes. */
function causeOf(error: unknown): string {
  let cause = error;
  for (let depth = 0; depth < 4 && cause instanceof Error && cause.cause instanceof Error; depth++)
    cause = cause.cause;
  return cause instanceof Error ? cause.message || cause.name : String(cause);
}

async function* piecesOf(
  answer: Response,
  where: string,
  abort: AbortController,
  patienceMs: number,
  longestMs: number,
): AsyncGenerator<Uint8Array> {
  if (answer.body === null) return;
  const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
  // Only waiting counts: whoever reads may take his time.
  let waitedMs = 0;
  try {
    for (;;) {
      const beganMs = performance.now();
      const { done, value } = await within(patienceMs, abort, where, () => reader.read());
      if (done) return;
      waitedMs += performance.now() - beganMs;
      if (waitedMs > longestMs)
        throw new Incomplete(`${where} was not answered to its end within ${longestMs / 1000} s.`);
      yield value;
    }
  } finally {
    abort.abort();
  }
}

/** How much of a refusal is shown. */
const shownCharacters = 300;

async function faultOf(
  answer: Response,
  where: string,
  abort: AbortController,
  patienceMs: number,
): Promise<Incomplete> {
  const { status } = answer;
  if (status >= 300 && status < 400) {
    const to = (answer.headers.get('location') ?? 'nowhere').slice(0, shownCharacters);
    return new Incomplete(
      `${where} sends on to ${to} (${status}), and an audit follows nobody. Give the address that you mean with --url.`,
    );
  }
  const said = await firstOf(answer, where, abort, patienceMs);
  const advice =
    status === 404
      ? ' Is this the address of a survey, without a path, and is there such a thing?'
      : said === ''
        ? ''
        : ` It says: ${said}`;
  const seconds = Number(answer.headers.get('retry-after') ?? 0);
  return new Incomplete(`${where} answered ${status}.${advice}`, {
    mayPass: transient.has(status),
    notBeforeMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 0,
  });
}

/** The start of what a refusal says, on one line. */
async function firstOf(
  answer: Response,
  where: string,
  abort: AbortController,
  patienceMs: number,
): Promise<string> {
  try {
    let text = '';
    const decoder = new TextDecoder();
    for await (const piece of piecesOf(answer, where, abort, patienceMs, patienceMs)) {
      text += decoder.decode(piece.subarray(0, 4 * shownCharacters), { stream: true });
      if (text.length >= shownCharacters) break;
    }
    return text
      .replaceAll(/[^\x20-\x7e]+/g, ' ')
      .slice(0, shownCharacters)
      .trim();
  } catch {
    return '';
  }
}
