/** What a witness decides on a request (C2SP tlog-witness, add-checkpoint), in the order of the specification. No I/O. */

import { sameBytes } from '../../schema/bytes.ts';
import { type Checkpoint, parseCheckpoint } from '../../schema/log/checkpoint.ts';
import { type NoteSignature, openNote, parseNote, type Verifier } from '../../schema/log/note.ts';
import { emptyRoot, verifyConsistency } from '../../schema/log/tree.ts';
import { sameKey } from '../../schema/log/verifier-key.ts';
import { parseAddCheckpoint, sizeContentType } from '../../schema/log/witness.ts';

export interface Refusal {
  readonly status: 400 | 403 | 404 | 409 | 422;
  readonly contentType: string;
  readonly body: string;
  /** The log signed another root for the size that was cosigned: the two notes prove a split view. */
  readonly isSplitView?: true;
}

/** A request whose form is right and whose checkpoint a trusted key of its log signed. */
export interface Submission {
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  readonly checkpoint: Checkpoint;
  /** The checkpoint's text, as it is cosigned: with extension lines, if there are any. */
  readonly text: string;
  /** The first signature of each of the log's trusted keys. */
  readonly signatures: readonly NoteSignature[];
}

/** What was cosigned last: a size and its root. */
export type Head = Pick<Checkpoint, 'size' | 'root'>;

const plain = 'text/plain; charset=utf-8';

function refusal(status: Refusal['status'], detail: string): Refusal {
  return { status, contentType: plain, body: `${detail}\n` };
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Reads a request, whatever it is, against the trusted keys of each origin: a submission, or the refusal. Knows nothing
 * of what was cosigned before.
 */
export async function readSubmission(
  body: string,
  logs: ReadonlyMap<string, readonly Verifier[]>,
): Promise<Submission | Refusal> {
  let request: ReturnType<typeof parseAddCheckpoint>;
  let note: ReturnType<typeof parseNote>;
  let checkpoint: Checkpoint;
  try {
    request = parseAddCheckpoint(body);
    note = parseNote(request.note);
    checkpoint = parseCheckpoint(note.text);
  } catch (error) {
    return refusal(400, messageOf(error));
  }
  const keys = logs.get(checkpoint.origin);
  if (!keys) return refusal(404, 'This witness does not know the log of this origin.');
  try {
    await openNote(request.note, keys);
  } catch (error) {
    return refusal(403, messageOf(error));
  }
  if (request.oldSize > checkpoint.size) {
    return refusal(400, `The old size ${request.oldSize} is above the checkpoint's, ${checkpoint.size}.`);
  }
  const first = keys.flatMap((key) => note.signatures.find((signature) => sameKey(key, signature)) ?? []);
  return {
    oldSize: request.oldSize,
    proof: request.proof,
    checkpoint,
    text: note.text,
    signatures: first,
  };
}

/** Why a submission is refused by a witness that last cosigned this head (null: none), or null where it is not. */
export async function refusalOf(
  { oldSize, proof, checkpoint }: Submission,
  held: Head | null,
): Promise<Refusal | null> {
  const { size, root } = held ?? { size: 0, root: await emptyRoot() };
  if (oldSize !== size) return { status: 409, contentType: sizeContentType, body: `${size}\n` };
  if (size === checkpoint.size && !sameBytes(root, checkpoint.root)) {
    const refused = refusal(409, `This witness knows another root for size ${size} of this log.`);
    return held ? { ...refused, isSplitView: true } : refused;
  }
  const claim = { fromSize: size, fromRoot: root, toSize: checkpoint.size, toRoot: checkpoint.root, proof };
  if (await verifyConsistency(claim)) return null;
  return refusal(422, `The proof does not show that size ${checkpoint.size} begins with size ${size}.`);
}
