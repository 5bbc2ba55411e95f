/** Another verifier of Ed25519, for the vectors: tweetnacl behind the strict checks of schema/ed25519.ts. */
import nacl from 'tweetnacl';
import { keyFault, signatureFault } from '../../schema/ed25519.ts';

/**
 * Whether the signature over the message is the key's. False also for a key of small order or in another encoding, and
 * for an S of L or more, all of which tweetnacl alone accepts. Never throws.
 */
export function verifiesStrictly(key: Uint8Array, signature: Uint8Array, message: Uint8Array): boolean {
  if (keyFault(key) || signatureFault(signature)) return false;
  return nacl.sign.detached.verify(message, signature, key);
}
