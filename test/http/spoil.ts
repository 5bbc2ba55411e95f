/** Ways to spoil a valid request in one thing, for the suites of refusals. */
import { fromBase64, fromHex, toBase64, toHex } from '../../schema/bytes.ts';
import { groupOrder, littleEndian } from '../../schema/ed25519.ts';
import type { Envelope } from '../../schema/envelope.ts';

type Signature = Envelope['signatures'][0];

function withSignature(envelope: Envelope, change: (s: Signature) => Partial<Signature>): Envelope {
  const [signature] = envelope.signatures;
  if (signature === undefined) throw new Error('the envelope has no signature');
  return { ...envelope, signatures: [{ ...signature, ...change(signature) }] };
}

function toLittleEndian(value: bigint): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(32);
  for (let i = 0; i < 32; i++) bytes[i] = Number((value >> BigInt(8 * i)) & 255n);
  return bytes;
}

/** The signature with S + L for S, which some libraries accept. */
export function malleate(envelope: Envelope): Envelope {
  return withSignature(envelope, ({ sig }) => {
    const bytes = fromBase64(sig);
    bytes.set(toLittleEndian(littleEndian(bytes.subarray(32)) + groupOrder), 32);
    return { sig: toBase64(bytes) };
  });
}

/** The signature with one bit flipped. */
export function flip(envelope: Envelope): Envelope {
  return withSignature(envelope, ({ sig }) => {
    const bytes = fromBase64(sig);
    bytes[3] = (bytes[3] ?? 0) ^ 4;
    return { sig: toBase64(bytes) };
  });
}

/** The signature cut short. */
export function shorten(envelope: Envelope): Envelope {
  return withSignature(envelope, ({ sig }) => ({ sig: toBase64(fromBase64(sig).subarray(0, 63)) }));
}

/** Another key and signature. */
export function signedBy(envelope: Envelope, keyid: string, signature: Uint8Array): Envelope {
  return withSignature(envelope, () => ({ keyid, sig: toBase64(signature) }));
}

/** The neutral element, and the signature that fits every message under it where a library does not look. */
export const identityKey = toHex(toLittleEndian(1n));
export const identitySignature = new Uint8Array([...fromHex(identityKey), ...new Uint8Array(32)]);

/** y = p + 1: the neutral element in an encoding that is not canonical. */
export const nonCanonicalKey = toHex(toLittleEndian((1n << 255n) - 19n + 1n));

/** A payload with one thing of its JSON text replaced, under the old signature or for a new one. */
export function payloadText(envelope: Envelope): string {
  return new TextDecoder().decode(fromBase64(envelope.payload));
}
