/**
 * Ed25519 through WebCrypto, behind the strict checks that libraries disagree on (Chalkias et al., "Taming the many
 * EdDSAs", 2020). tweetnacl accepts S + L and every key; WebCrypto accepts keys that are not canonical, and its
 * runtimes differ on points of small order. Whoever verifies makes these checks first, so that every runtime gives
 * one answer, one message has one signature, and every key has a secret that somebody holds.
 */
import { concat, fromBase64, fromHex } from './bytes.ts';

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

/** The y-coordinate that 32 bytes encode, not reduced; the bit above it is the sign of x. */
function yOf(point: Uint8Array): bigint {
  return littleEndian(point) & ((1n << 255n) - 1n);
}

/** What is wrong with a public key of 32 bytes, or null: its length, a y of p or more, a point of small order. */
export function keyFault(key: Uint8Array): 'length' | 'non-canonical' | 'small-order' | null {
  if (key.length !== 32) return 'length';
  const y = yOf(key);
  if (y >= p) return 'non-canonical';
  if (smallOrderY.has(y)) return 'small-order';
  return null;
}

/**
 * What is wrong with the form of a signature of 64 bytes, or null: its length, an S of L or more (RFC 8032 section
 * 5.1.7), an R of small order. Honest signers make no such R, and verifiers differ on it.
 */
export function signatureFault(signature: Uint8Array): 'length' | 'malleable' | 'small-order' | null {
  if (signature.length !== 64) return 'length';
  if (littleEndian(signature.subarray(32)) >= groupOrder) return 'malleable';
  if (smallOrderY.has(yOf(signature.subarray(0, 32)))) return 'small-order';
  return null;
}

/**
 * Whether the signature over the message is the key's, strictly: false also for an unfit key and for a malleable
 * signature. Never throws.
 */
export async function verifies(
  key: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  if (keyFault(key) || signatureFault(signature)) return false;
  try {
    const imported = await crypto.subtle.importKey('raw', owned(key), 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', imported, owned(signature), owned(message));
  } catch {
    // Runtimes differ in whether a key that is no point fails here or verifies nothing.
    return false;
  }
}

/** The bytes on a buffer that WebCrypto takes: it refuses shared memory. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : new Uint8Array(bytes);
}

/** Signs under one key. */
export interface Signer {
  /** 32 bytes. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** The signature of 64 bytes. */
  sign(message: Uint8Array): Promise<Uint8Array<ArrayBuffer>>;
}

/** PKCS #8 around an Ed25519 seed of 32 bytes (RFC 8410 section 7). */
const pkcs8Prefix = fromHex('302e020100300506032b657004220420');

/** The signer of a seed (RFC 8032 section 5.1.5). Throws a RangeError for a seed that is not 32 bytes. */
export async function signerOf(seed: Uint8Array): Promise<Signer> {
  if (seed.length !== 32)
    throw new RangeError(`The seed of an Ed25519 key has 32 bytes, not ${seed.length}.`);
  const key = await crypto.subtle.importKey('pkcs8', concat(pkcs8Prefix, seed), 'Ed25519', true, ['sign']);
  // WebCrypto derives the public key only for the JWK form (RFC 8037 section 2).
  const { x = '' } = await crypto.subtle.exportKey('jwk', key);
  const publicKey = fromBase64(`${x.replaceAll('-', '+').replaceAll('_', '/')}=`);
  return {
    publicKey,
    sign: async (message) => new Uint8Array(await crypto.subtle.sign('Ed25519', key, owned(message))),
  };
}
