/** Asks witnesses for cosignatures (C2SP tlog-witness): each checks for itself that the log only grew. */
import { parseSize } from '../../schema/log/checkpoint.ts';
import {
  formatSignature,
  openNote,
  parseNote,
  parseVerifierKey,
  type Verifier,
} from '../../schema/log/note.ts';
import { formatAddCheckpoint } from '../../schema/log/witness.ts';

export interface Witness {
  readonly verifier: Verifier;
  /** The submission prefix, without a slash at its end. */
  readonly url: string;
}

/** `VKEY=URL`. Throws an Error that says what is wrong. */
export async function parseWitness(text: string): Promise<Witness> {
  const at = text.search(/=https?:\/\//);
  if (at < 0) throw new Error(`The witness ${text.slice(0, 80)} is not of the form VKEY=URL.`);
  const verifier = await parseVerifierKey(text.slice(0, at));
  if (verifier.type !== 4)
    throw new Error(`The key of the witness ${verifier.name} is not one for cosignatures.`);
  return { verifier, url: text.slice(at + 1).replace(/\/+$/, '') };
}

export type WitnessAnswer =
  /** One line of a note. */
  | { readonly line: string }
  /** The witness has seen a tree of this size. */
  | { readonly size: number }
  | { readonly trouble: string };

/** A witness that is slower than this is done without, this time. */
const patienceMs = 5_000;

/**
 * Sends a checkpoint with the proof that it extends the tree of `fromSize` entries. Never throws: a witness that
 * cannot be reached, or that answers nonsense, is trouble.
 */
export async function askWitness(
  { verifier, url }: Witness,
  fromSize: number,
  proof: readonly Uint8Array[],
  note: string,
): Promise<WitnessAnswer> {
  try {
    const answer = await fetch(`${url}/add-checkpoint`, {
      method: 'POST',
      body: formatAddCheckpoint({ oldSize: fromSize, proof, note }),
      signal: AbortSignal.timeout(patienceMs),
    });
    const text = (await answer.text()).slice(0, 20_000);
    if (answer.status === 409) {
      const size = parseSize(text.replace(/\n$/, ''));
      return size === null ? { trouble: 'answered 409 without a size' } : { size };
    }
    if (answer.status !== 200) return { trouble: `answered ${answer.status}: ${text.slice(0, 200)}` };
    const { text: body } = parseNote(note);
    const signed = `${body}\n${text}`;
    await openNote(signed, [verifier]);
    const own = parseNote(signed).signatures.find(
      ({ name, keyId }) => name === verifier.name && keyId.every((byte, i) => byte === verifier.keyId[i]),
    );
    return own ? { line: formatSignature(own) } : { trouble: 'answered without its cosignature' };
  } catch (error) {
    return { trouble: error instanceof Error ? error.message : String(error) };
  }
}
