/** Signed heads of the log: the newest one, and every other one that can be had, which must be of the same tree. */
import { sameBytes, toHex } from '../../schema/bytes.ts';
import { type Checkpoint, parseCheckpoint } from '../../schema/log/checkpoint.ts';
import { openNote, parseNote, type Verifier } from '../../schema/log/note.ts';
import { originHash } from '../../schema/log/witness.ts';
import { Incomplete, readText, type Source } from './source/source.ts';
import type { Tally } from './tally.ts';

/** The longest note that is read: a checkpoint with a hundred signatures. */
export const noteMaxBytes = 100_000;

/** A checkpoint that the log has signed, and who has it. */
export interface Head {
  /** Names it for people, as `the newest checkpoint`. */
  readonly what: string;
  readonly checkpoint: Checkpoint;
  readonly note: string;
}

/** A witness that the auditor trusts. */
export interface TrustedWitness {
  readonly verifier: Verifier;
  /** Where its newest checkpoint can be had; null where only its key is known. */
  readonly source: Source | null;
}

/** A note that is no checkpoint, or that the log did not sign. */
export class Unsigned extends Error {
  override name = 'Unsigned';
}

/** Opens a checkpoint under the log's key. Throws Unsigned where it is not the log's, and an Error where it is none at all. */
export async function openHead(what: string, note: string, key: Verifier): Promise<Head> {
  const checkpoint = parseCheckpoint(parseNote(note).text);
  try {
    await openNote(note, [key]);
  } catch (error) {
    throw new Unsigned(error instanceof Error ? error.message : String(error));
  }
  if (checkpoint.origin !== key.name)
    throw new Unsigned(`It is of the log ${checkpoint.origin}, not ${key.name}.`);
  return { what, checkpoint, note };
}

/** The newest checkpoint of a survey. Null where the log did not sign it: then it is found. Throws Incomplete. */
export async function newestHead(source: Source, key: Verifier, tally: Tally): Promise<Head | null> {
  const address = '/log/checkpoint';
  const note = await readText(source, address, noteMaxBytes);
  try {
    const head = await openHead('the newest checkpoint', note, key);
    tally.count('checkpoint', 'ok');
    return head;
  } catch (error) {
    if (!(error instanceof Unsigned)) {
      throw new Incomplete(
        `${source.name}${address} is no checkpoint of a log: ${error instanceof Error ? error.message : error}`,
      );
    }
    tally.find('checkpoint', null, `a signature of ${key.name} with key ${toHex(key.key)}`, error.message, [
      note,
    ]);
    return null;
  }
}

/** Counts the trusted witnesses that cosigned a checkpoint. */
export async function checkCosignatures(
  { note }: Head,
  witnesses: readonly TrustedWitness[],
  needed: number,
  tally: Tally,
): Promise<void> {
  const lacking: string[] = [];
  for (const { verifier } of witnesses) {
    try {
      await openNote(note, [verifier]);
      tally.count('cosignatures', 'ok');
    } catch (error) {
      lacking.push(`${verifier.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  if (witnesses.length - lacking.length >= needed) return;
  const found = `${witnesses.length - lacking.length}. ${lacking.join(' ')}`;
  tally.find('cosignatures', null, `cosignatures of ${needed} of your ${witnesses.length} witnesses`, found, [
    note,
  ]);
}

/** What each witness has seen last. Says in `lacking` what of it could not be had. */
export async function headsOfWitnesses(
  witnesses: readonly TrustedWitness[],
  key: Verifier,
  lacking: string[],
): Promise<Head[]> {
  const heads: Head[] = [];
  const address = `/checkpoint/${await originHash(key.name)}`;
  for (const { verifier, source } of witnesses) {
    if (source === null) continue;
    const what = `the newest checkpoint that witness ${verifier.name} has seen`;
    try {
      const note = await readText(source, address, noteMaxBytes);
      await openNote(note, [verifier]);
      heads.push(await openHead(what, note, key));
    } catch (error) {
      lacking.push(`Of witness ${verifier.name}: ${error instanceof Error ? error.message : error}`);
    }
  }
  return heads;
}

/** Compares a head with the tree that was walked. `root` is what the entries give at its size. */
export function compareHead(head: Head, newest: Head, root: Uint8Array | undefined, tally: Tally): void {
  const { size, root: signed } = head.checkpoint;
  const evidence = [head.note, newest.note];
  if (size > newest.checkpoint.size) {
    tally.find(
      'consistency',
      null,
      `at least the ${size} entries of ${head.what}`,
      `${newest.checkpoint.size} entries under the newest checkpoint`,
      evidence,
    );
    return;
  }
  if (root === undefined) throw new Error(`the root at size ${size} was not computed`);
  if (sameBytes(root, signed)) {
    tally.count('consistency', 'ok');
    return;
  }
  tally.find(
    'consistency',
    null,
    `the root ${toHex(signed)} at ${size} entries, as ${head.what} has it`,
    `${toHex(root)} by the entries that are shown`,
    evidence,
  );
}
