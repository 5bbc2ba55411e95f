/**
 * Entries of the log: what a leaf hashes, and what it commits to without showing it. An entry's bytes stay for ever.
 * The envelope and the public row behind it can be taken away, with their salts; then nothing of them can be
 * recovered from the entry, and nothing else can be put in their place.
 */
import * as z from 'zod';
import { concat, fromHex, sha256, toHex, utf8 } from '../bytes.ts';
import { entryKinds, namesOf } from '../vocabulary.ts';
import { instant, sha256Hex } from '../wire.ts';

/** An entry's JSON text, in this order of fields. */
export const logEntry = z.strictObject({
  version: z.literal('1'),
  kind: z.enum(namesOf(entryKinds)),
  admitted_at: instant,
  /** `envelopeCommitment`, or null where nobody signed a request, or where its bytes were not kept. */
  envelope: sha256Hex.nullable(),
  /** `rowCommitment`. */
  row: sha256Hex,
});
export type LogEntry = z.infer<typeof logEntry>;

/** The text of an entry: the bytes that its leaf hashes (RFC 6962 section 2.1), in UTF-8. */
export function entryText({ version, kind, admitted_at, envelope, row }: LogEntry): string {
  return JSON.stringify({ version, kind, admitted_at, envelope, row });
}

/** SHA-256(`dumpsurvey/row/v1\n` ‖ salt of 16 bytes ‖ the row's text in UTF-8), in hexadecimal. */
export async function rowCommitment(salt: Uint8Array, row: string): Promise<string> {
  return toHex(await sha256(concat(utf8('dumpsurvey/row/v1\n'), salt, utf8(row))));
}

/**
 * SHA-256(`dumpsurvey/envelope/v1\n` ‖ salt of 16 bytes ‖ hash of 32 bytes ‖ signature of 64 bytes), in hexadecimal.
 * `hash` is the SHA-256 of the envelope's `hashInput`.
 */
export async function envelopeCommitment(
  salt: Uint8Array,
  hash: string,
  signature: Uint8Array,
): Promise<string> {
  return toHex(await sha256(concat(utf8('dumpsurvey/envelope/v1\n'), salt, fromHex(hash), signature)));
}
