/**
 * The strict part of Ed25519 that libraries disagree on (Chalkias et al., "Taming the many EdDSAs", 2020).
 * tweetnacl accepts S + L and every key; WebCrypto accepts small-order and non-canonical keys. Whoever verifies
 * calls these first, so that one message has one signature and every key has a secret that somebody holds.
 */

/** The field prime 2^255 - 19 (RFC 8032 section 5.1). */
const p = (1n << 255n) - 19n;

/** The order of the base point (RFC 8032 section 5.1). */
export const groupOrder = (1n << 252n) + 27742317777372353535851937790883648493n;

/** y-coordinates of the eight points whose order divides 8. */
const smallOrderY = new Set([
  0n,
  1n,
  p - 1n,
  2707385501144840649318225287225658788936804267575313519463743609750303402022n,
  55188659117513257062467267217118295137698188065244968500265048394206261417927n,
]);

/** An unsigned little-endian integer. */
export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] ?? 0);
  return value;
}

/** What is wrong with a public key of 32 bytes, or null: its length, a y of p or more, a point of small order. */
export function keyFault(key: Uint8Array): 'length' | 'non-canonical' | 'small-order' | null {
  if (key.length !== 32) return 'length';
  const encoded = littleEndian(key);
  const y = encoded & ((1n << 255n) - 1n);
  if (y >= p) return 'non-canonical';
  if (smallOrderY.has(y)) return 'small-order';
  return null;
}

/** What is wrong with the form of a signature of 64 bytes, or null: its length, or an S of L or more (RFC 8032 section 5.1.7). */
export function signatureFault(signature: Uint8Array): 'length' | 'malleable' | null {
  if (signature.length !== 64) return 'length';
  if (littleEndian(signature.subarray(32)) >= groupOrder) return 'malleable';
  return null;
}
