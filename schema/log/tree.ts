/**
 * The Merkle tree of the log: hashes, proofs and their verification (RFC 6962 section 2.1, RFC 9162 section 2.1),
 * with SHA-256. Sizes and indices are numbers up to 2^53 - 1, so nothing here shifts bits: shifts are of 32 bits.
 */
import { concat, sameBytes, sha256 } from '../bytes.ts';

/** How long a hash is. */
export const hashBytes = 32;

/**
 * The hash of the complete subtree that covers the leaves [index·2^level, (index + 1)·2^level). It rejects what the
 * tree does not hold.
 */
export type HashAt = (level: number, index: number) => Promise<Uint8Array>;

/** The hash of an entry: SHA-256(0x00 ‖ entry). */
export function leafHash(entry: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return sha256(concat(new Uint8Array([0]), entry));
}

/** The hash of an inner node: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return sha256(concat(new Uint8Array([1]), left, right));
}

/** The root of the tree without entries: SHA-256 of nothing. */
export function emptyRoot(): Promise<Uint8Array<ArrayBuffer>> {
  return sha256(new Uint8Array(0));
}

/** The root over these leaf hashes, which are all in memory. Throws a RangeError for a hash that is not 32 bytes. */
export async function rootOf(leafHashes: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const wrong = leafHashes.findIndex((hash) => hash.length !== hashBytes);
  if (wrong >= 0) throw new RangeError(`Leaf hash ${wrong} has ${leafHashes[wrong]?.length} bytes, not 32.`);
  let row = [...leafHashes];
  // A node without a right sibling moves up unhashed: the same tree as by splitting at the largest power of two.
  while (row.length > 1) {
    const above: Promise<Uint8Array>[] = [];
    for (let i = 0; i < row.length; i += 2) {
      const [left, right] = row.slice(i, i + 2);
      if (left) above.push(right ? nodeHash(left, right) : Promise.resolve(left));
    }
    row = await Promise.all(above);
  }
  return row[0] ? new Uint8Array(row[0]) : emptyRoot();
}

/** The leaves [start, end) of a node of the tree. */
type Range = readonly [start: number, end: number];

/** The largest power of two below a count of 2 or more. */
function splitOf(count: number): number {
  let k = 1;
  while (k * 2 < count) k *= 2;
  return k;
}

/** The hash of a node, which is complete or lies on the right edge of the tree. */
async function hashOf([start, end]: Range, hashAt: HashAt): Promise<Uint8Array> {
  let [level, width] = [0, 1];
  while (width < end - start) [level, width] = [level + 1, width * 2];
  if (width === end - start) return hashAt(level, start / width);
  const middle = start + width / 2;
  const [left, right] = await Promise.all([hashOf([start, middle], hashAt), hashOf([middle, end], hashAt)]);
  return nodeHash(left, right);
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** The root of the tree of the first `size` entries. Throws a RangeError for what is no size. */
export async function rootAt(size: number, hashAt: HashAt): Promise<Uint8Array> {
  if (!isSize(size)) throw new RangeError(`${size} is not the size of a tree.`);
  return size === 0 ? emptyRoot() : hashOf([0, size], hashAt);
}

/**
 * The audit path of the entry at `index` in the tree of this size, from the leaf's sibling upwards (RFC 9162
 * section 2.1.3.1). Throws a RangeError where the tree has no such entry.
 */
export async function inclusionProof(index: number, size: number, hashAt: HashAt): Promise<Uint8Array[]> {
  if (!isSize(size) || !isSize(index) || index >= size) {
    throw new RangeError(`A tree of ${size} entries has no entry ${index}.`);
  }
  const path: Range[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      path.push([middle, end]);
      end = middle;
    } else {
      path.push([start, middle]);
      start = middle;
    }
  }
  return Promise.all(path.reverse().map((range) => hashOf(range, hashAt)));
}

/**
 * The proof that the tree of `toSize` entries begins with the tree of `fromSize` entries (RFC 9162 section 2.1.4.1).
 * It is empty from size 0 and between equal sizes. Throws a RangeError where `fromSize` is the larger.
 */
export async function consistencyProof(
  fromSize: number,
  toSize: number,
  hashAt: HashAt,
): Promise<Uint8Array[]> {
  if (!isSize(fromSize) || !isSize(toSize) || fromSize > toSize) {
    throw new RangeError(`No tree of ${toSize} entries begins with one of ${fromSize}.`);
  }
  if (fromSize === 0) return [];
  const path: Range[] = [];
  let [start, end] = [0, toSize];
  while (end !== fromSize) {
    const middle = start + splitOf(end - start);
    if (fromSize <= middle) {
      path.push([middle, end]);
      end = middle;
    } else {
      path.push([start, middle]);
      start = middle;
    }
  }
  // A node that starts at 0 is the older tree itself, whose root the verifier has.
  if (start > 0) path.push([start, end]);
  return Promise.all(path.reverse().map((range) => hashOf(range, hashAt)));
}

function isHash(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value.length === hashBytes;
}

/** No path of a tree of up to 2^53 - 1 entries is longer; one more for a consistency proof's first node. */
const longestProof = 54;

function isProof(value: unknown): value is readonly Uint8Array[] {
  return Array.isArray(value) && value.length <= longestProof && value.every(isHash);
}

export interface InclusionClaim {
  readonly leafHash: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/**
 * Whether the proof shows that the tree with this size and root has this leaf hash at this index (RFC 9162 section
 * 2.1.3.2). False, never an error, for whatever cannot be a proof.
 */
export async function verifyInclusion(claim: InclusionClaim): Promise<boolean> {
  const { index, size, root, proof } = claim;
  if (!isSize(size) || !isSize(index) || index >= size) return false;
  if (!isHash(claim.leafHash) || !isHash(root) || !isProof(proof)) return false;
  // Index of the node on the path, and of the last node, on each level in turn.
  let [node, last] = [index, size - 1];
  let hash = claim.leafHash;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      hash = await nodeHash(sibling, hash);
      // Levels on which the path's node had no sibling.
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      hash = await nodeHash(hash, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && sameBytes(hash, root);
}

export interface ConsistencyClaim {
  readonly fromSize: number;
  readonly fromRoot: Uint8Array;
  readonly toSize: number;
  readonly toRoot: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/**
 * Whether the proof shows that the later tree begins with the earlier one (RFC 9162 section 2.1.4.2). Every tree
 * begins with the empty one, and with itself; both proofs are empty. False, never an error, for whatever cannot be a
 * proof.
 */
export async function verifyConsistency(claim: ConsistencyClaim): Promise<boolean> {
  const { fromSize, fromRoot, toSize, toRoot, proof } = claim;
  if (!isSize(fromSize) || !isSize(toSize) || fromSize > toSize) return false;
  if (!isHash(fromRoot) || !isHash(toRoot) || !isProof(proof)) return false;
  if (fromSize === 0) {
    const empty = await emptyRoot();
    return proof.length === 0 && sameBytes(fromRoot, empty) && (toSize > 0 || sameBytes(toRoot, empty));
  }
  if (fromSize === toSize) return proof.length === 0 && sameBytes(fromRoot, toRoot);

  let [node, last] = [fromSize - 1, toSize - 1];
  while (node % 2 === 1) [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  // Node 0 is the whole earlier tree, complete: its root is the first hash and is not in the proof.
  const [first, ...path] = node === 0 ? [fromRoot, ...proof] : proof;
  if (!first) return false;
  let [earlier, later] = [first, first];
  for (const sibling of path) {
    if (last === 0) return false;
    if (node % 2 === 1 || node === last) {
      earlier = await nodeHash(sibling, earlier);
      later = await nodeHash(sibling, later);
      while (node % 2 === 0 && node !== 0) [node, last] = [node / 2, Math.floor(last / 2)];
    } else {
      later = await nodeHash(later, sibling);
    }
    [node, last] = [Math.floor(node / 2), Math.floor(last / 2)];
  }
  return last === 0 && sameBytes(earlier, fromRoot) && sameBytes(later, toRoot);
}
