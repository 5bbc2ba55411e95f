/**
 * An implementation that shares nothing with schema/log and is used by millions, npm's own verifier of provenance
 * (Sigstore), run on what this project makes: signed notes, checkpoints, inclusion proofs, DSSE encodings.
 */
import { createPublicKey } from 'node:crypto';
import { dsse } from '@sigstore/core';
import { verifyTLogInclusion } from '@sigstore/verify/dist/tlog/index.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8 } from '../../schema/bytes.ts';
import { signerOf } from '../../schema/ed25519.ts';
import { preAuthEncoding } from '../../schema/envelope.ts';
import { signCheckpoint } from '../../schema/log/checkpoint.ts';
import { cosign } from '../../schema/log/cosignature.ts';
import { formatNote, keyId, parseNote } from '../../schema/log/note.ts';
import { type HashAt, inclusionProof, leafHash, rootOf } from '../../schema/log/tree.ts';

const signer = { ...(await signerOf(new Uint8Array(32).fill(1))), name: 'dumps.example/log' };
const id = Buffer.from(await keyId(signer.name, 1, signer.publicKey));
const entries = Array.from({ length: 70 }, (_, i) => `entry ${i}`);
const leaves = await Promise.all(entries.map((entry) => leafHash(utf8(entry))));
const hashAt: HashAt = (level, index) => rootOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));

type Entry = Parameters<typeof verifyTLogInclusion>[0];
type Authority = Parameters<typeof verifyTLogInclusion>[1][number];

const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(signer.publicKey).toString('base64url') };
const authority: Authority = {
  logID: id,
  publicKey: createPublicKey({ format: 'jwk', key: jwk }),
  baseURL: `https://${signer.name}`,
  validFor: { start: new Date(0), end: new Date(8.64e15) },
};

interface Claim {
  readonly index: number;
  readonly size: number;
  readonly proof: readonly Uint8Array[];
  readonly checkpoint: string;
  readonly entry?: string;
}

function isIncluded({ index, size, proof, checkpoint, entry = entries[index] ?? '' }: Claim): boolean {
  const claim = {
    logId: { keyId: id },
    canonicalizedBody: Buffer.from(entry),
    inclusionProof: {
      logIndex: String(index),
      treeSize: String(size),
      rootHash: Buffer.alloc(0),
      hashes: proof.map((hash) => Buffer.from(hash)),
      checkpoint: { envelope: checkpoint },
    },
  } as unknown as Entry;
  try {
    verifyTLogInclusion(claim, [authority]);
    return true;
  } catch (error) {
    expect(error).toHaveProperty('code', 'TLOG_INCLUSION_PROOF_ERROR');
    return false;
  }
}

const checkpointOf = async (size: number) =>
  signCheckpoint({ origin: signer.name, size, root: await rootOf(leaves.slice(0, size)) }, signer);

const sizes = fc
  .integer({ min: 1, max: entries.length })
  .chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1), fc.nat(size - 1)));

describe('Sigstore finds', () => {
  it('each of our entries under each of our checkpoints, and no other', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async ([size, index, other]) => {
        const proof = await inclusionProof(index, size, hashAt);
        const checkpoint = await checkpointOf(size);
        expect(isIncluded({ index, size, proof, checkpoint })).toBe(true);
        expect(isIncluded({ index, size, proof, checkpoint, entry: entries[other] ?? '' })).toBe(
          index === other,
        );
        expect(isIncluded({ index: other, size, proof, checkpoint, entry: entries[index] ?? '' })).toBe(
          index === other,
        );
      }),
    );
  });

  it('our signature beside a cosignature, and not on another checkpoint', async () => {
    const [checkpoint, smaller] = [await checkpointOf(70), await checkpointOf(69)];
    const { text, signatures } = parseNote(checkpoint);
    const cosigned = formatNote(text, [await cosign(text, 'witness.example/w1', 1, signer), ...signatures]);
    const claim = { index: 3, size: 70, proof: await inclusionProof(3, 70, hashAt) };
    expect(isIncluded({ ...claim, checkpoint: cosigned })).toBe(true);
    const swapped = formatNote(text, parseNote(smaller).signatures);
    expect(isIncluded({ ...claim, checkpoint: swapped })).toBe(false);
  });

  it('the same bytes to sign in an envelope', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.uint8Array(), (type, payload) => {
        const theirs = dsse.preAuthEncoding(type, Buffer.from(payload));
        expect(theirs.equals(preAuthEncoding(type, payload))).toBe(true);
      }),
    );
  });
});
