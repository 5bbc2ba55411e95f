/** Which key a survey's log has, as far as this agent is concerned: pinned once, and never changed by the survey. */
import { parseCheckpoint } from '../../schema/log/checkpoint.ts';
import { openNote, parseVerifierKey, type Verifier } from '../../schema/log/note.ts';
import { Advice } from '../advice.ts';
import type { Reads } from './api.ts';
import type { LogMemory } from './log-memory.ts';
import type { Seen } from './one-history.ts';

/** The log's key in a text. Throws Advice where it is none; `where` says whose text it is. */
async function keyOf(text: string, where: string): Promise<Verifier> {
  try {
    const verifier = await parseVerifierKey(text);
    if (verifier.type === 1) return verifier;
    throw new Error(`The key of ${verifier.name} is a witness's, not a log's.`);
  } catch (error) {
    throw new Advice(`${where}: ${error instanceof Error ? error.message : error}`);
  }
}

/**
 * The pinned key. Where none is, the given one is pinned; where none was given, the one that the survey names: it is
 * believed once. Throws Advice where the given key is another one than the pinned.
 */
export async function pinnedKey(
  memory: LogMemory,
  index: Reads['index'],
  givenKey: string | null,
  nowMs: number,
): Promise<Verifier> {
  if (givenKey !== null) await keyOf(givenKey, 'The key of the log that was given');
  let pinned = await memory.pinned();
  if (pinned === null) {
    const said = givenKey ?? (await index()).log.verifier_key;
    await keyOf(said, 'The key that the survey says its log has');
    const how = givenKey === null ? 'first-use' : 'given';
    pinned = await memory.pin({ verifier_key: said, how, at: new Date(nowMs).toISOString() });
  }
  if (givenKey !== null && pinned.verifier_key !== givenKey) {
    throw new Advice(
      `The key of the log that was given is not the one that is pinned for this survey since ${pinned.at} (${pinned.how}): ${pinned.verifier_key}. If the survey began another log, forget the old one:`,
      [`rm -r ${memory.dir}`],
    );
  }
  return keyOf(pinned.verifier_key, `The key in ${memory.dir}`);
}

/** The checkpoint in a note that the log's key signed. Throws an Error that says what is wrong. */
export async function openCheckpoint(note: string, key: Verifier): Promise<Seen> {
  const checkpoint = parseCheckpoint((await openNote(note, [key])).text);
  if (checkpoint.origin === key.name) return { ...checkpoint, note };
  throw new Error(`It is of the log ${checkpoint.origin}, not of ${key.name}.`);
}

/** The checkpoints that are held, largest first. Throws Advice where one is not what the log signed. */
export async function heldCheckpoints(memory: LogMemory, key: Verifier): Promise<Seen[]> {
  const notes = await memory.held();
  return Promise.all(
    notes.map(async ({ size, note }) => {
      const seen = await openCheckpoint(note, key).catch(() => null);
      if (seen?.size === size) return seen;
      throw new Advice(
        `The checkpoint of ${size} entries in ${memory.dir} is damaged: it is not what the log signed. Restore it from a backup, or forget this log:`,
        [`rm -r ${memory.dir}`],
      );
    }),
  );
}
