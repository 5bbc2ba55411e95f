/** The trees and proofs of Certificate Transparency, which every log program is tried against. */
import { describe, expect, it, test } from 'vitest';
import { fromHex, toHex } from '../../schema/bytes.ts';
import {
  consistencyProof,
  emptyRoot,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../../schema/log/tree.ts';
import { vectorsIn } from './vectors.ts';

const { hashes, leaves, roots, inclusion, consistency } = vectorsIn<{
  hashes: {
    empty: string;
    emptyLeaf: string;
    leaf: { entry: string; hash: string };
    node: { left: string; right: string; hash: string };
  };
  leaves: string[];
  roots: string[];
  inclusion: { index: number; size: number; proof: string[] }[];
  consistency: { from: number; to: number; proof: string[] }[];
}>('rfc6962');

const leafHashes = await Promise.all(leaves.map((entry) => leafHash(fromHex(entry))));
const hashAt = (level: number, index: number) =>
  rootOf(leafHashes.slice(index * 2 ** level, (index + 1) * 2 ** level));
const rootHash = (size: number) => fromHex(roots[size - 1] ?? '');

test('hashes', async () => {
  expect(toHex(await emptyRoot())).toBe(hashes.empty);
  expect(toHex(await leafHash(new Uint8Array(0)))).toBe(hashes.emptyLeaf);
  expect(toHex(await leafHash(fromHex(hashes.leaf.entry)))).toBe(hashes.leaf.hash);
  expect(toHex(await nodeHash(fromHex(hashes.node.left), fromHex(hashes.node.right)))).toBe(hashes.node.hash);
});

test.each(roots.map((root, i) => [i + 1, root] as const))('the root of %i entries', async (size, root) => {
  expect(toHex(await rootOf(leafHashes.slice(0, size)))).toBe(root);
});

describe('proofs', () => {
  it.each(inclusion)('that entry $index is in the tree of $size', async ({ index, size, proof }) => {
    expect((await inclusionProof(index, size, hashAt)).map(toHex)).toEqual(proof);
    const claim = { leafHash: leafHashes[index] ?? fromHex(''), index, size, root: rootHash(size) };
    expect(await verifyInclusion({ ...claim, proof: proof.map(fromHex) })).toBe(true);
  });

  it.each(consistency)('that the tree of $to begins with that of $from', async ({ from, to, proof }) => {
    expect((await consistencyProof(from, to, hashAt)).map(toHex)).toEqual(proof);
    const claim = { fromSize: from, fromRoot: rootHash(from), toSize: to, toRoot: rootHash(to) };
    expect(await verifyConsistency({ ...claim, proof: proof.map(fromHex) })).toBe(true);
  });
});
