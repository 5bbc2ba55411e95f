/** The log's signed head (C2SP tlog-checkpoint): a note whose text is origin, size and root. */
import { toBase64, utf8 } from '../bytes.ts';
import type { Signer } from '../ed25519.ts';
import { isLine } from './line.ts';
import { formatNote } from './note.ts';
import { hashBytes } from './tree.ts';
import { bytesOf, keyId } from './verifier-key.ts';

export interface Checkpoint {
  /** Names the log: its URL without scheme and final slash. */
  readonly origin: string;
  /** Entries in the tree. */
  readonly size: number;
  /** 32 bytes. */
  readonly root: Uint8Array;
}

/** A key that signs under a name; for a log's own key the name is the log's origin. */
export interface NamedSigner extends Signer {
  readonly name: string;
}

/** The size that a text gives in decimal, or null: without sign, without leading zeros, at most 2^53 - 1. */
export function parseSize(text: string): number | null {
  if (!/^(?:0|[1-9]\d{0,15})$/.test(text)) return null;
  const size = Number(text);
  return Number.isSafeInteger(size) ? size : null;
}

/** The text that is signed, three lines. Throws a RangeError for a checkpoint that could not be read again. */
export function checkpointText({ origin, size, root }: Checkpoint): string {
  if (origin === '' || !isLine(origin)) {
    throw new RangeError(`${JSON.stringify(origin)} cannot be the origin of a log: it is one line of text.`);
  }
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`${size} is not the size of a tree.`);
  if (root.length !== hashBytes) throw new RangeError(`The root has ${root.length} bytes, not 32.`);
  return `${origin}\n${size}\n${toBase64(root)}\n`;
}

/** The checkpoint in a note's text; extension lines are passed over. Throws an Error that says what is wrong. */
export function parseCheckpoint(text: string): Checkpoint {
  if (!text.endsWith('\n')) throw new Error('The checkpoint does not end with a newline.');
  const lines = text.slice(0, -1).split('\n');
  const [origin = '', sizeText = '', rootText = ''] = lines;
  if (lines.length < 3) {
    throw new Error(`The checkpoint has ${lines.length} of its three lines: origin, size and root.`);
  }
  if (lines.includes('')) throw new Error(`Line ${lines.indexOf('') + 1} of the checkpoint is empty.`);
  if (!lines.every(isLine)) {
    throw new Error('The checkpoint contains a control character or what is not Unicode.');
  }
  const size = parseSize(sizeText);
  if (size === null) throw new Error('The second line of the checkpoint is not a size of at most 2^53 - 1.');
  const root = bytesOf(rootText);
  if (root?.length !== hashBytes) {
    throw new Error('The third line of the checkpoint is not a hash of 32 bytes in base64.');
  }
  return { origin, size, root };
}

/** The note of a checkpoint with one Ed25519 signature (type 1). Throws a RangeError where no note can be made. */
export async function signCheckpoint(checkpoint: Checkpoint, signer: NamedSigner): Promise<string> {
  const text = checkpointText(checkpoint);
  const bytes = await signer.sign(utf8(text));
  return formatNote(text, [
    { name: signer.name, keyId: await keyId(signer.name, 1, signer.publicKey), bytes },
  ]);
}
