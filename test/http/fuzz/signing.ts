/** Signs for any sample machine, fast: node:crypto makes the same Ed25519 signatures as the agent's tweetnacl. */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { toBase64 } from '../../../schema/bytes.ts';
import { type Envelope, preAuthEncoding } from '../../../schema/envelope.ts';
import type { KeyPair } from '../samples.ts';

/** PKCS #8 around the 32 bytes of an Ed25519 seed (RFC 8410 section 7). */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface Signer {
  readonly publicHex: string;
  readonly seal: (payloadType: string, payload: Uint8Array<ArrayBuffer>) => Envelope;
}

/** The signer that a sample's key pair is. */
export function signerOf({ publicHex, secretKey }: KeyPair): Signer {
  const key: KeyObject = createPrivateKey({
    key: Buffer.concat([pkcs8, secretKey.subarray(0, 32)]),
    format: 'der',
    type: 'pkcs8',
  });
  return {
    publicHex,
    seal: (payloadType, payload) => ({
      payload: toBase64(payload),
      payloadType,
      signatures: [
        { keyid: publicHex, sig: sign(null, preAuthEncoding(payloadType, payload), key).toString('base64') },
      ],
    }),
  };
}
