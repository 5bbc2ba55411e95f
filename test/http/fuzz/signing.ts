/** Signs for any sample key, fast: node:crypto makes the same Ed25519 signatures as the agent's tweetnacl. */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { fromHex, toBase64 } from '../../../schema/bytes.ts';
import {
  type Envelope,
  ownerStatement,
  preAuthEncoding,
  rotationStatement,
} from '../../../schema/envelope.ts';
import type { KeyPair } from '../samples.ts';

/** PKCS #8 around the 32 bytes of an Ed25519 seed (RFC 8410 section 7). */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface Signer {
  readonly publicHex: string;
  readonly seal: (payloadType: string, payload: Uint8Array<ArrayBuffer>) => Envelope;
  /** A signature in hexadecimal. */
  readonly signHex: (message: Uint8Array) => string;
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
    signHex: (message) => sign(null, message, key).toString('hex'),
  };
}

/** All who can sign, by their public keys. */
export type Ring = ReadonlyMap<string, Signer>;

const isKey = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);

/** The payload with the signatures that stand inside it made anew, for the keys that it names by now. */
export function innerSigned<T extends object>(payload: T, ring: Ring): T {
  const { machine, owner, key, next } = payload as Record<string, unknown>;
  if ('owner_signature' in payload && isKey(machine) && isKey(owner)) {
    const owner_signature = ring.get(owner)?.signHex(ownerStatement(fromHex(machine)));
    return owner_signature === undefined ? payload : { ...payload, owner_signature };
  }
  if ('next_signature' in payload && isKey(key) && isKey(next)) {
    const next_signature = ring.get(next)?.signHex(rotationStatement(fromHex(key), fromHex(next)));
    return next_signature === undefined ? payload : { ...payload, next_signature };
  }
  return payload;
}
