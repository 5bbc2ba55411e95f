/** Signed notes (C2SP signed-note): a text, an empty line, and lines with signatures. */
import { concat, toBase64, utf8 } from '../bytes.ts';
import { verifies } from '../ed25519.ts';
import { verifyCosignature } from './cosignature.ts';
import { isLine } from './line.ts';
import { bytesOf, isKeyName, sameKey, type Verifier } from './verifier-key.ts';

export {
  formatVerifierKey,
  isKeyName,
  keyId,
  parseVerifierKey,
  type SignatureType,
  type Verifier,
} from './verifier-key.ts';

/** Longest note that is read, in UTF-16 code units: the specification asks for a limit and leaves the number open. */
export const maxNoteLength = 1_000_000;

/** Most signatures in a note that is read; the specification asks for 16 at least. */
export const maxSignatureCount = 100;

export interface NoteSignature {
  readonly name: string;
  /** 4 bytes. */
  readonly keyId: Uint8Array;
  /** The signature without the key id: 64 bytes for type 1, 72 for type 4, anything from 1 for other types. */
  readonly bytes: Uint8Array;
}

export interface ParsedNote {
  /** With its final newline. */
  readonly text: string;
  readonly signatures: readonly NoteSignature[];
}

/** A key whose signature on the note is valid. */
export interface Verified extends Verifier {
  /** When a cosignature was made, in seconds since 1970; null for a signature without a time. */
  readonly timestampSeconds: number | null;
}

export interface OpenedNote {
  readonly text: string;
  /** Each key once, however often it signed; a cosigner with its latest time. Never empty. */
  readonly verified: readonly Verified[];
  /** Signatures by keys that the caller does not know: they say nothing. */
  readonly unknown: readonly NoteSignature[];
}

/** The text of a note from its bytes. Throws an Error for what is not UTF-8. */
export function decodeNote(bytes: Uint8Array): string {
  try {
    // A byte order mark is part of what was signed.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Error('The note is not UTF-8.');
  }
}

/** A note's text and signatures, none of them verified. Throws an Error that says what is wrong with the form. */
export function parseNote(note: string): ParsedNote {
  if (note.length > maxNoteLength) {
    throw new Error(`The note is ${note.length} characters long; ${maxNoteLength} are read at most.`);
  }
  if (!note.split('\n').every(isLine)) {
    throw new Error(
      'The note contains a control character, or half a surrogate pair, which UTF-8 cannot express.',
    );
  }
  if (!note.endsWith('\n')) throw new Error('The note does not end with a newline.');
  const blank = note.lastIndexOf('\n\n');
  if (blank < 0) throw new Error('The note has no empty line between its text and its signatures.');
  const lines = note.slice(blank + 2, -1).split('\n');
  if (blank + 2 === note.length) throw new Error('The note has no signature after its last empty line.');
  if (lines.length > maxSignatureCount) {
    throw new Error(`The note has ${lines.length} signatures; ${maxSignatureCount} are read at most.`);
  }
  return { text: note.slice(0, blank + 1), signatures: lines.map(parseSignature) };
}

function parseSignature(line: string, i: number): NoteSignature {
  const [dash, name = '', encoded = '', ...rest] = line.split(' ');
  if (dash !== '—' || encoded === '' || rest.length > 0) {
    throw new Error(`Line ${i + 1} of the signatures is not an em dash, a name and a signature in base64.`);
  }
  if (!isKeyName(name)) throw new Error(`Line ${i + 1} of the signatures has a name that no key can have.`);
  const bytes = bytesOf(encoded);
  if (!bytes) throw new Error(`The signature of ${name} is not canonical base64.`);
  if (bytes.length < 5) throw new Error(`The signature of ${name} is shorter than a key id and one byte.`);
  return { name, keyId: bytes.slice(0, 4), bytes: bytes.slice(4) };
}

/** One line of signature, with its newline. */
export function formatSignature({ name, keyId, bytes }: NoteSignature): string {
  return `— ${name} ${toBase64(concat(keyId, bytes))}\n`;
}

/** The note of a text and signatures. Throws a RangeError for what could not be read again. */
export function formatNote(text: string, signatures: readonly NoteSignature[]): string {
  const note = `${text}\n${signatures.map(formatSignature).join('')}`;
  try {
    if (parseNote(note).text === text) return note;
  } catch (error) {
    throw new RangeError(`No note can be made: ${error instanceof Error ? error.message : error}`);
  }
  throw new RangeError('No note can be made: the text does not end with a newline.');
}

/**
 * Verifies a note against the keys that the caller trusts. Throws an Error if its form is wrong, if a signature under
 * the name and id of a known key is not that key's, or if no known key signed.
 */
export async function openNote(note: string, verifiers: readonly Verifier[]): Promise<OpenedNote> {
  const { text, signatures } = parseNote(note);
  const verified = new Map<Verifier, Verified>();
  const unknown: NoteSignature[] = [];
  for (const signature of signatures) {
    const [verifier, other] = verifiers.filter((v) => sameKey(v, signature));
    if (other) throw new Error(`Two of the known keys have the name ${other.name} and the same id.`);
    if (!verifier) {
      unknown.push(signature);
      continue;
    }
    const timestampSeconds = await timeOf(text, signature, verifier);
    const before = verified.get(verifier)?.timestampSeconds ?? -1;
    if (timestampSeconds === null || timestampSeconds > before) {
      verified.set(verifier, { ...verifier, timestampSeconds });
    }
  }
  if (verified.size === 0) throw new Error('None of the signatures of the note is by a known key.');
  return { text, verified: [...verified.values()], unknown };
}

/** The time of a valid signature, null where it has none. Throws an Error for a signature that is not the key's. */
async function timeOf(
  text: string,
  { bytes }: NoteSignature,
  { name, key, type }: Verifier,
): Promise<number | null> {
  if (type === 4) {
    const timestampSeconds = await verifyCosignature(text, bytes, key);
    if (timestampSeconds !== null) return timestampSeconds;
  } else if (await verifies(key, bytes, utf8(text))) {
    return null;
  }
  throw new Error(`The signature of ${name} is not that key's on this text.`);
}
