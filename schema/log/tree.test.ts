/** The tree against the recursive definitions of RFC 6962 section 2.1, written out with Node's own SHA-256. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import {
  consistencyProof,
  emptyRoot,
  type HashAt,
  inclusionProof,
  leafHash,
  nodeHash,
  rootAt,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from './tree.ts';

const sha256 = (...parts: Uint8Array[]) =>
  new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());

const largestPowerBelow = (n: number): number => (n <= 2 ? 1 : 2 * largestPowerBelow(Math.ceil(n / 2)));

/** MTH(D[n]) of leaf hashes. */
function treeHash(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves;
  if (!only) return sha256();
  if (leaves.length === 1) return only;
  const k = largestPowerBelow(leaves.length);
  return sha256(Uint8Array.of(1), treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

/** PATH(m, D[n]). */
function path(m: number, leaves: readonly Uint8Array[]): Uint8Array[] {
  if (leaves.length <= 1) return [];
  const k = largestPowerBelow(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  return m < k ? [...path(m, left), treeHash(right)] : [...path(m - k, right), treeHash(left)];
}

/** SUBPROOF(m, D[n], b). */
function subproof(m: number, leaves: readonly Uint8Array[], whole: boolean): Uint8Array[] {
  if (m === leaves.length) return whole ? [] : [treeHash(leaves)];
  const k = largestPowerBelow(leaves.length);
  const [left, right] = [leaves.slice(0, k), leaves.slice(k)];
  if (m <= k) return [...subproof(m, left, whole), treeHash(right)];
  return [...subproof(m - k, right, false), treeHash(left)];
}

const leaves = Array.from({ length: 300 }, (_, i) =>
  sha256(Uint8Array.of(0), new TextEncoder().encode(`entry ${i}`)),
);

const hashAt: HashAt = async (level, index) =>
  treeHash(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));

test('the hashes of an entry, of a node and of nothing', async () => {
  expect(await leafHash(new TextEncoder().encode('entry 7'))).toEqual(leaves[7]);
  const [a, b] = leaves.slice(0, 2) as [Uint8Array, Uint8Array];
  expect(await nodeHash(a, b)).toEqual(sha256(Uint8Array.of(1), a, b));
  expect(await emptyRoot()).toEqual(sha256());
});

test('a leaf hash of another length has no root', async () => {
  await expect(rootOf([new Uint8Array(32), new Uint8Array(31)])).rejects.toThrow('Leaf hash 1 has 31 bytes');
});

const small = Array.from({ length: 36 }, (_, size) => size);

describe.each([...small, 255, 256, 257, 300])('a tree of %i entries', (size) => {
  const there = leaves.slice(0, size);
  const root = treeHash(there);
  const step = size < 40 ? 1 : 17;

  it('has the root of the definition', async () => {
    expect(await rootOf(there)).toEqual(root);
    expect(await rootAt(size, hashAt)).toEqual(root);
  });

  it('proves each of its entries, and none in the place of another', async () => {
    for (let index = 0; index < size; index += step) {
      const proof = await inclusionProof(index, size, hashAt);
      expect(proof).toEqual(path(index, there));
      const claim = { leafHash: leaves[index] as Uint8Array, index, size, root, proof };
      expect(await verifyInclusion(claim)).toBe(true);
      for (const other of [index - 1, index + 1, size - 1 - index].filter((i) => i !== index)) {
        expect(await verifyInclusion({ ...claim, index: other })).toBe(false);
      }
    }
  });

  it('proves that it begins with each smaller tree', async () => {
    for (let from = 0; from <= size; from += step) {
      const proof = await consistencyProof(from, size, hashAt);
      if (from > 0) expect(proof).toEqual(subproof(from, there, true));
      const fromRoot = treeHash(leaves.slice(0, from));
      const claim = { fromSize: from, fromRoot, toSize: size, toRoot: root, proof };
      expect(await verifyConsistency(claim)).toBe(true);
    }
  });
});

test.each([
  ['an entry after the last', () => inclusionProof(3, 3, hashAt)],
  ['an entry before the first', () => inclusionProof(-1, 3, hashAt)],
  ['an entry of the empty tree', () => inclusionProof(0, 0, hashAt)],
  ['a size beyond 2^53 - 1', () => inclusionProof(0, 2 ** 53, hashAt)],
  ['a shrinking tree', () => consistencyProof(4, 3, hashAt)],
  ['a broken size', () => consistencyProof(1.5, 3, hashAt)],
  ['a negative size', () => rootAt(-1, hashAt)],
])('%s has no proof', async (_, make) => {
  await expect(make()).rejects.toThrow(RangeError);
});

/** Every way to spoil a list of hashes that leaves it a list of hashes. */
const spoiling = fc.oneof(
  fc.record({ how: fc.constant('flip' as const), at: fc.nat(), bit: fc.nat(255) }),
  fc.record({ how: fc.constantFrom('drop', 'double', 'swap', 'append', 'prepend' as const), at: fc.nat() }),
);
type Spoiling = typeof spoiling extends fc.Arbitrary<infer T> ? T : never;

function flipped(hash: Uint8Array, bit: number): Uint8Array {
  return hash.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
}

function spoiled(proof: readonly Uint8Array[], spoiling: Spoiling): Uint8Array[] {
  const at = proof.length === 0 ? 0 : spoiling.at % proof.length;
  const [before, after] = [proof.slice(0, at), proof.slice(at + 1)];
  const hash = proof[at] ?? (leaves[0] as Uint8Array);
  if ('bit' in spoiling) return [...before, flipped(hash, spoiling.bit), ...after];
  if (spoiling.how === 'drop') return [...before, ...after];
  if (spoiling.how === 'double') return [...before, hash, hash, ...after];
  if (spoiling.how === 'append') return [...proof, hash];
  if (spoiling.how === 'prepend') return [hash, ...proof];
  return [...before, ...after.slice(0, 1), hash, ...after.slice(1)];
}

const sameList = (a: readonly Uint8Array[], b: readonly Uint8Array[]) =>
  Buffer.concat(a).equals(Buffer.concat(b));

describe('a spoiled proof does not verify', () => {
  const sizes = fc
    .integer({ min: 1, max: 300 })
    .chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1)));

  it('of inclusion', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, spoiling, fc.nat(255), async ([size, index], spoiling, bit) => {
        const there = leaves.slice(0, size);
        const [root, proof] = [treeHash(there), path(index, there)];
        const claim = { leafHash: leaves[index] as Uint8Array, index, size, root, proof };
        const bad = spoiled(proof, spoiling);
        expect(await verifyInclusion({ ...claim, proof: bad })).toBe(sameList(bad, proof));
        expect(await verifyInclusion({ ...claim, root: flipped(root, bit) })).toBe(false);
        expect(await verifyInclusion({ ...claim, leafHash: flipped(claim.leafHash, bit) })).toBe(false);
      }),
    );
  });

  it('of consistency', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, spoiling, fc.nat(255), async ([toSize, from], spoiling, bit) => {
        const fromSize = from + 1;
        const there = leaves.slice(0, toSize);
        const [fromRoot, toRoot] = [treeHash(leaves.slice(0, fromSize)), treeHash(there)];
        const proof = subproof(fromSize, there, true);
        const claim = { fromSize, fromRoot, toSize, toRoot, proof };
        const bad = spoiled(proof, spoiling);
        expect(await verifyConsistency({ ...claim, proof: bad })).toBe(sameList(bad, proof));
        expect(await verifyConsistency({ ...claim, fromRoot: flipped(fromRoot, bit) })).toBe(false);
        expect(await verifyConsistency({ ...claim, toRoot: flipped(toRoot, bit) })).toBe(false);
      }),
    );
  });

  it('nor one from another tree', async () => {
    const split = [...leaves.slice(0, 3), ...leaves.slice(4, 12)];
    const [fromRoot, toRoot] = [treeHash(leaves.slice(0, 6)), treeHash(split)];
    const proof = subproof(6, split, true);
    expect(await verifyConsistency({ fromSize: 6, fromRoot, toSize: split.length, toRoot, proof })).toBe(
      false,
    );
  });
});

describe('the empty tree', () => {
  const root = sha256();
  const other = leaves[0] as Uint8Array;

  it.each([
    ['begins every tree', { fromRoot: root, toSize: 1, toRoot: other, proof: [] }, true],
    ['begins itself', { fromRoot: root, toSize: 0, toRoot: root, proof: [] }, true],
    ['has one root, as the earlier', { fromRoot: other, toSize: 1, toRoot: other, proof: [] }, false],
    ['has one root, as the later', { fromRoot: root, toSize: 0, toRoot: other, proof: [] }, false],
    ['needs no proof', { fromRoot: root, toSize: 1, toRoot: other, proof: [other] }, false],
  ])('%s', async (_, claim, expected) => {
    expect(await verifyConsistency({ fromSize: 0, ...claim })).toBe(expected);
  });
});

describe('whatever is claimed', () => {
  const number = fc.oneof(
    fc.constantFrom(0, -0, -1, 1, 2, 2 ** 31, 2 ** 32 + 1, 2 ** 53 - 1, 2 ** 53, Infinity, Number.NaN, 1.5),
    fc.double(),
    fc.anything(),
  ) as fc.Arbitrary<number>;
  const hash = fc.oneof(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.uint8Array(), fc.anything());
  const bytes = hash as fc.Arbitrary<Uint8Array>;
  const proof = fc.oneof(fc.array(hash, { maxLength: 60 }), fc.anything()) as fc.Arbitrary<Uint8Array[]>;

  it('verification answers, and does not throw', async () => {
    const inclusion = fc.record({ leafHash: bytes, index: number, size: number, root: bytes, proof });
    const consistency = fc.record({
      fromSize: number,
      fromRoot: bytes,
      toSize: number,
      toRoot: bytes,
      proof,
    });
    await fc.assert(
      fc.asyncProperty(inclusion, consistency, async (a, b) => {
        expect(await verifyInclusion(a)).toBeTypeOf('boolean');
        expect(await verifyConsistency(b)).toBeTypeOf('boolean');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('a tree of 2^53 - 1 equal entries', () => {
  const rows = [leaves[0] as Uint8Array];
  for (let level = 1; level < 53; level++) {
    const below = rows[level - 1] as Uint8Array;
    rows.push(sha256(Uint8Array.of(1), below, below));
  }
  const equal: HashAt = async (level) => rows[level] as Uint8Array;
  const sizes = fc.tuple(fc.maxSafeNat(), fc.maxSafeNat()).map((pair) => pair.sort((a, b) => a - b));

  it('is proven like a small one', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, async ([fromSize = 0, toSize = 0]) => {
        const [fromRoot, toRoot] = [await rootAt(fromSize, equal), await rootAt(toSize, equal)];
        const proof = await consistencyProof(fromSize, toSize, equal);
        expect(await verifyConsistency({ fromSize, fromRoot, toSize, toRoot, proof })).toBe(true);
        fc.pre(fromSize < toSize);
        const path = await inclusionProof(fromSize, toSize, equal);
        const claim = { leafHash: leaves[0] as Uint8Array, index: fromSize, size: toSize, root: toRoot };
        expect(await verifyInclusion({ ...claim, proof: path })).toBe(true);
        expect(await verifyInclusion({ ...claim, proof: path.slice(1) })).toBe(false);
      }),
    );
  });

  it('up to the last one', async () => {
    const size = Number.MAX_SAFE_INTEGER;
    const proof = await inclusionProof(size - 1, size, equal);
    const root = await rootAt(size, equal);
    expect(
      await verifyInclusion({ leafHash: rows[0] as Uint8Array, index: size - 1, size, root, proof }),
    ).toBe(true);
    expect(await verifyInclusion({ leafHash: rows[0] as Uint8Array, index: size, size, root, proof })).toBe(
      false,
    );
  });
});
