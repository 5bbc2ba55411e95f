/**
 * What a log sends to a witness (C2SP tlog-witness, add-checkpoint): the size that the witness last cosigned, a proof
 * from there, and the checkpoint. The witness answers with lines of signature: appended to the checkpoint they make a
 * note that openNote reads.
 */
import { fromBase64, sha256, toBase64, toHex, utf8 } from '../bytes.ts';
import { parseSize } from './checkpoint.ts';
import { hashBytes } from './tree.ts';
import { bytesOf } from './verifier-key.ts';

/** Most lines of proof in a request. */
export const maxProofLines = 63;

/** The content type of the size that a witness answers with, where the log named another than it last cosigned. */
export const sizeContentType = 'text/x.tlog.size';

export interface AddCheckpoint {
  /** The size of the checkpoint that the witness last cosigned; 0 if there is none, or if the log does not know. */
  readonly oldSize: number;
  /** The consistency proof from there; empty from 0. */
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint. Not looked into here. */
  readonly note: string;
}

/** The body of a request. */
export function formatAddCheckpoint({ oldSize, proof, note }: AddCheckpoint): string {
  return `old ${oldSize}\n${proof.map((hash) => `${toBase64(hash)}\n`).join('')}\n${note}`;
}

/** A request from its body. Throws an Error that says what is wrong with the form; the note is not looked into. */
export function parseAddCheckpoint(body: string): AddCheckpoint {
  const end = body.indexOf('\n\n');
  if (end < 0) throw new Error('The request has no empty line before its checkpoint.');
  const [first = '', ...lines] = body.slice(0, end).split('\n');
  const oldSize = first.startsWith('old ') ? parseSize(first.slice(4)) : null;
  if (oldSize === null) {
    throw new Error('The first line of the request is not the word old and a size of at most 2^53 - 1.');
  }
  if (lines.length > maxProofLines) {
    throw new Error(`The request has ${lines.length} lines of proof; ${maxProofLines} are read at most.`);
  }
  const wrong = lines.findIndex((line) => bytesOf(line)?.length !== hashBytes);
  if (wrong >= 0) throw new Error(`Line ${wrong + 1} of the proof is not a hash of 32 bytes in base64.`);
  return { oldSize, proof: lines.map(fromBase64), note: body.slice(end + 2) };
}

/** The name under which a witness keeps and serves a log's checkpoint: SHA-256 of the origin, in hexadecimal. */
export async function originHash(origin: string): Promise<string> {
  return toHex(await sha256(utf8(origin)));
}
