/** Where an audit reads from: a survey over HTTP, or a copy of one in a directory. Whatever comes from it is hostile. */
import { concat } from '../../../schema/bytes.ts';

/** What an audit needs could not be had. Says what, and what to do; it accuses nobody. */
export class Incomplete extends Error {
  override name = 'Incomplete';
  /** Whether asking again may help, and after how long at least. */
  readonly mayPass: boolean;
  readonly notBeforeMs: number;

  constructor(
    message: string,
    {
      mayPass = false,
      notBeforeMs = 0,
      cause,
    }: { mayPass?: boolean; notBeforeMs?: number; cause?: unknown } = {},
  ) {
    super(message, cause === undefined ? {} : { cause });
    this.mayPass = mayPass;
    this.notBeforeMs = notBeforeMs;
  }
}

export interface Source {
  /** Names it for people: an address, or a directory. */
  readonly name: string;
  /** Whether it may say more later. A copy never does. */
  readonly isLive: boolean;
  /** The body at an address, such as `/log/checkpoint`, in pieces. Throws Incomplete, also between the pieces. */
  readonly open: (address: string) => Promise<AsyncIterable<Uint8Array>>;
  /** Waits before the nth attempt after the first, `notBeforeMs` at least; false where there is to be none. */
  readonly again: (attempt: number, notBeforeMs: number) => Promise<boolean>;
}

async function mayTryAgain(source: Source, error: unknown, attempt: number): Promise<boolean> {
  return error instanceof Incomplete && error.mayPass && (await source.again(attempt, error.notBeforeMs));
}

/** A whole body of at most `mostBytes`. Throws Incomplete. */
export async function readBytes(
  source: Source,
  address: string,
  mostBytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  for (let attempt = 1; ; attempt++) {
    try {
      const parts: Uint8Array[] = [];
      let byteCount = 0;
      for await (const part of await source.open(address)) {
        byteCount += part.length;
        if (byteCount > mostBytes) throw tooLong(source, address, `${mostBytes} bytes`);
        parts.push(part);
      }
      return concat(...parts);
    } catch (error) {
      if (!(await mayTryAgain(source, error, attempt))) throw error;
    }
  }
}

/** A whole body as text. Throws Incomplete, also for what is not UTF-8. */
export async function readText(source: Source, address: string, mostBytes: number): Promise<string> {
  const bytes = await readBytes(source, address, mostBytes);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Incomplete(`${source.name}${address} is not UTF-8 text.`);
  }
}

function tooLong({ name }: Source, address: string, most: string): Incomplete {
  return new Incomplete(
    `${name}${address} goes on after ${most}, which is more than a survey says there. Nothing more of it was read.`,
  );
}

/** Where a line ends. */
const newline = 10;

/**
 * The lines of a body, one at a time, each without its newline and of at most `mostBytes`; bytes after the last
 * newline are a line, too, whose text ends in U+FFFF, which no JSON text does. Memory holds one line. Where a body
 * breaks off it is asked for again, and goes on after the lines that were given. Throws Incomplete.
 */
export async function* linesOf(source: Source, address: string, mostBytes: number): AsyncGenerator<string> {
  let given = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      let at = 0;
      for await (const line of linesIn(source, address, mostBytes)) {
        if (at++ < given) continue;
        given++;
        yield line;
      }
      return;
    } catch (error) {
      if (!(await mayTryAgain(source, error, attempt))) throw error;
    }
  }
}

async function* linesIn(source: Source, address: string, mostBytes: number): AsyncGenerator<string> {
  let parts: Uint8Array[] = [];
  let byteCount = 0;
  const take = (part: Uint8Array) => {
    byteCount += part.length;
    if (byteCount > mostBytes) throw tooLong(source, address, `${mostBytes} bytes in one line`);
    parts.push(part);
  };
  const line = () => {
    // What is not UTF-8 shows as U+FFFD, and is then another text than what was committed to.
    const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(concat(...parts));
    parts = [];
    byteCount = 0;
    return text;
  };
  for await (const chunk of await source.open(address)) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      take(chunk.subarray(from, end));
      yield line();
      from = end + 1;
    }
    if (from < chunk.length) take(chunk.slice(from));
  }
  if (byteCount > 0) yield `${line()}\uffff`;
}
