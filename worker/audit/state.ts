/** What an auditor remembers from one run to the next: the log's key, and the newest checkpoint that was verified. */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { checkpointNote } from '../../schema/wire.ts';
import { replaceDurably } from '../durable.ts';
import { Incomplete } from './source/source.ts';

const remembered = z.strictObject({
  version: z.literal('1'),
  /** The log's verifier key. */
  key: z.string().max(1000),
  note: checkpointNote,
});
export type Remembered = z.infer<typeof remembered>;

/** What a file remembers, or null where there is none. Throws Incomplete where it holds something else. */
export async function stateIn(path: string): Promise<Remembered | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new Incomplete(`The state ${path} cannot be read (${error.code ?? error.message}).`);
  });
  if (text === null) return null;
  try {
    return remembered.parse(JSON.parse(text));
  } catch {
    throw new Incomplete(
      `${path} does not hold the state of an audit. Restore it from a backup: without it, a log that shows another history than before is not noticed. To begin anew, give another file with --state.`,
    );
  }
}

/** Remembers, durably. */
export function keepState(path: string, state: Omit<Remembered, 'version'>): Promise<void> {
  return replaceDurably(path, `${JSON.stringify({ version: '1', ...state })}\n`);
}
