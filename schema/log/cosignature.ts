/** A witness' statement that a checkpoint is the newest consistent one it has seen (C2SP tlog-cosignature, Ed25519). */
import { concat, utf8 } from '../bytes.ts';
import { type Signer, verifies } from '../ed25519.ts';
import type { NoteSignature } from './note.ts';
import { keyId } from './verifier-key.ts';

/** 8 bytes of time and 64 of Ed25519. */
const cosignatureBytes = 72;

/** What is signed: two lines that separate it from every other use of the key, then the checkpoint's text. */
function cosignedMessage(noteText: string, timestampSeconds: number): Uint8Array<ArrayBuffer> {
  return utf8(`cosignature/v1\ntime ${timestampSeconds}\n${noteText}`);
}

/** The cosignature of `name` on a checkpoint's text. Throws a RangeError for a time that is not a whole number from 0. */
export async function cosign(
  noteText: string,
  name: string,
  timestampSeconds: number,
  signer: Signer,
): Promise<NoteSignature> {
  if (!Number.isSafeInteger(timestampSeconds) || timestampSeconds < 0) {
    throw new RangeError(`${timestampSeconds} is not a time in whole seconds since 1970.`);
  }
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, BigInt(timestampSeconds));
  const signature = await signer.sign(cosignedMessage(noteText, timestampSeconds));
  return { name, keyId: await keyId(name, 4, signer.publicKey), bytes: concat(time, signature) };
}

/**
 * The time of a cosignature, in seconds since 1970, if it is the key's on this text; otherwise null. Times above
 * 2^53 - 1 are refused as being in the future. `bytes` are the signature's without its key id.
 */
export async function verifyCosignature(
  noteText: string,
  bytes: Uint8Array,
  key: Uint8Array,
): Promise<number | null> {
  if (bytes.length !== cosignatureBytes) return null;
  const time = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) return null;
  const timestampSeconds = Number(time);
  const valid = await verifies(key, bytes.subarray(8), cosignedMessage(noteText, timestampSeconds));
  return valid ? timestampSeconds : null;
}
