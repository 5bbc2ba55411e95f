/** Signs: payload bytes in, DSSE envelope out. The bytes are used as they are, never made again. */
import { createHash } from 'node:crypto';
import nacl from 'tweetnacl';
import { toBase64, toHex, utf8 } from '../../schema/bytes.ts';
import {
  type Envelope,
  leadingZeroBits,
  ownerStatement,
  type PayloadKind,
  payloadType,
  powBits,
  preAuthEncoding,
  type ReceiverPayloadKind,
  workInput,
} from '../../schema/envelope.ts';
import type { KeyPair } from './keys.ts';

/** The envelope of a payload, signed by one key. */
export function sign(kind: PayloadKind | ReceiverPayloadKind, payload: Uint8Array, key: KeyPair): Envelope {
  const type = payloadType(kind);
  const sig = nacl.sign.detached(preAuthEncoding(type, payload), key.secretKey);
  return {
    payload: toBase64(payload),
    payloadType: type,
    signatures: [{ keyid: key.name, sig: toBase64(sig) }],
  };
}

/** The envelope of a body, as JSON in UTF-8. */
export function signBody(kind: PayloadKind, body: object, key: KeyPair): Envelope {
  return sign(kind, utf8(JSON.stringify(body)), key);
}

/** An owner's signature that takes a machine in, in hexadecimal. */
export function ownerSignature(owner: KeyPair, machine: KeyPair): string {
  return toHex(nacl.sign.detached(ownerStatement(machine.publicKey), owner.secretKey));
}

/** The counter of a proof of work for this key: about 2^powBits hashes. */
export function findWork(machine: KeyPair): number {
  for (let counter = 0; ; counter++) {
    const digest = createHash('sha256').update(workInput(machine.publicKey, counter)).digest();
    if (leadingZeroBits(digest) >= powBits) return counter;
  }
}
