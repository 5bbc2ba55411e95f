/**
 * Signed bytes, not signed objects: every signed request is a DSSE envelope (github.com/secure-systems-lab/dsse,
 * protocol 1.0.2) with one Ed25519 signature. Whoever verifies parses the very bytes that were signed.
 */
import * as z from 'zod';
import { concat, utf8 } from './bytes.ts';

/** What a payload is. The DSSE payload type is `application/vnd.dumpsurvey.<kind>.v1+json`. */
export const payloadKinds = [
  'enrol',
  'tickets',
  'armed',
  'report',
  'rotate',
  'revoke',
  'withdraw',
  'invite',
  'decision',
] as const;
export type PayloadKind = (typeof payloadKinds)[number];

/** What the log itself signs in an envelope: that an entry will be in the tree. */
export type LogPayloadKind = 'promise';

/** What a machine that receives dumps signs in an envelope: what it found in one (finding.ts). */
export type ReceiverPayloadKind = 'finding';

/** The DSSE payload type of a kind of payload. */
export function payloadType(kind: PayloadKind | LogPayloadKind | ReceiverPayloadKind): string {
  return `application/vnd.dumpsurvey.${kind}.v1+json`;
}

/** An envelope as it travels. `keyid` is the signer's public key in hexadecimal. */
export const envelope = z.strictObject({
  payload: z.string().min(1).describe('base64 of the signed bytes'),
  payloadType: z.string().min(1).max(120),
  signatures: z
    .array(
      z.strictObject({
        keyid: z.string().regex(/^[0-9a-f]{64}$/, 'a public key is 64 hexadecimal digits'),
        sig: z.string().min(1).max(100).describe('base64 of the Ed25519 signature'),
      }),
    )
    .length(1, 'exactly one signature'),
});
export type Envelope = z.infer<typeof envelope>;

/** DSSE's pre-authentication encoding: the bytes that the signature covers. */
export function preAuthEncoding(type: string, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const typeBytes = utf8(type);
  return concat(utf8(`DSSEv1 ${typeBytes.length} `), typeBytes, utf8(` ${payload.length} `), payload);
}

/** The bytes whose SHA-256 names a payload in the log: `dumpsurvey/<kind>/v1\n`, the 32 bytes of the key, the payload. */
export function hashInput(kind: PayloadKind, key: Uint8Array, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(utf8(`dumpsurvey/${kind}/v1\n`), key, payload);
}

/** The bytes that an owner signs to take a machine in. */
export function ownerStatement(machineKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(utf8('dumpsurvey/owner/v1\n'), machineKey);
}

/** The bytes that the next key of a rotation signs, so that nobody can rotate to a key that he does not hold. */
export function rotationStatement(key: Uint8Array, next: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(utf8('dumpsurvey/rotate/v1\n'), key, next);
}

/** The bytes whose SHA-256 must begin with `powBits` zero bits before a key is enrolled. */
export function workInput(machineKey: Uint8Array, counter: number): Uint8Array<ArrayBuffer> {
  return concat(utf8('dumpsurvey/pow/v1\n'), machineKey, utf8(String(counter)));
}

/** How many zero bits the proof of work asks for: about 65,000 hashes, a tenth of a second. */
export const powBits = 16;

/** The number of zero bits at the start. */
export function leadingZeroBits(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  if (first < 0) return bytes.length * 8;
  return first * 8 + Math.clz32(bytes[first] ?? 0) - 24;
}
