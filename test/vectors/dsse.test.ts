/** DSSE's own vectors: what is signed, and whose signatures hold. The example of its protocol.md is in schema/envelope.test.ts. */
import { describe, expect, it } from 'vitest';
import { keyPairOf } from '../../agent/link/keys.ts';
import { fromHex, toHex } from '../../schema/bytes.ts';
import { signerOf, verifies } from '../../schema/ed25519.ts';
import { preAuthEncoding } from '../../schema/envelope.ts';
import { verifiesStrictly } from './tweetnacl.ts';
import { vectorsIn } from './vectors.ts';

interface Vector {
  readonly id: string;
  readonly payload: string;
  readonly payloadType: string;
  readonly signatures: readonly { readonly key: 'A' | 'B'; readonly sig: string }[];
  readonly pae: string;
  readonly signed: boolean;
}

const { keys, vectors } = vectorsIn<{
  keys: Record<'A' | 'B', { seed: string; public: string }>;
  vectors: Vector[];
}>('dsse');

// Either alphabet of base64 may travel in DSSE; our own envelopes use the standard one.
const bytes = (base64: string) => new Uint8Array(Buffer.from(base64, 'base64'));

it('the keys are those of their seeds', () => {
  for (const { seed, public: publicKey } of Object.values(keys)) {
    expect(keyPairOf(fromHex(seed)).name).toBe(publicKey);
  }
});

describe.each(vectors)('$id', ({ payload, payloadType, signatures, pae, signed }) => {
  const encoded = preAuthEncoding(payloadType, bytes(payload));

  it(`${signed ? 'is' : 'is not'} what the signatures cover`, async () => {
    expect(toHex(encoded) === pae).toBe(signed);
    for (const { key, sig } of signatures) {
      const publicKey = fromHex(keys[key].public);
      expect(await verifies(publicKey, bytes(sig), encoded)).toBe(signed);
      expect(verifiesStrictly(publicKey, bytes(sig), encoded)).toBe(signed);
      expect(await verifies(publicKey, bytes(sig), fromHex(pae))).toBe(true);
    }
  });

  it('is signed the same way by our own signer', async () => {
    for (const { key, sig } of signatures) {
      const made = await (await signerOf(fromHex(keys[key].seed))).sign(fromHex(pae));
      expect(made).toEqual(bytes(sig));
    }
  });
});
