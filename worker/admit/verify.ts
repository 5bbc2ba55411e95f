/** What is wrong with a key or a signature (schema/ed25519.ts), as a problem that says so. */
import { keyFault, signatureFault } from '../../schema/ed25519.ts';
import type { Fault } from '../refusal.ts';

const keyFaults = {
  length: 'is not 32 bytes',
  'non-canonical': 'encodes a y-coordinate of 2^255 - 19 or more',
  'small-order': 'is a point of small order, whose signatures anybody can make',
} as const;

/** What is wrong with the form of a public key, or null. `name` says which key it is. */
export function faultOfKey(name: string, key: Uint8Array): Fault | null {
  const fault = keyFault(key);
  return fault && { slug: 'unacceptable-key', detail: `${name} ${keyFaults[fault]}.` };
}

/** What is wrong with the form of a signature, or null. */
export function faultOfSignature(name: string, signature: Uint8Array): Fault | null {
  const fault = signatureFault(signature);
  if (fault === null) return null;
  if (fault === 'malleable') {
    return { slug: 'malleable-signature', detail: `${name} has an S that is not less than L.` };
  }
  if (fault === 'small-order') {
    return {
      slug: 'wrong-signature',
      detail: `${name} has an R of small order, which no Ed25519 signer makes.`,
    };
  }
  return {
    slug: 'wrong-signature',
    detail: `${name} has ${signature.length} bytes; an Ed25519 signature has 64.`,
  };
}
