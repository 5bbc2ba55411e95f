/**
 * The right edge of a growing tree: of n leaves, the hashes of the at most log2 n complete subtrees that they split
 * into (RFC 6962 section 2.1). Enough to append and to tell the root, without keeping the leaves.
 */
import { emptyRoot, nodeHash } from '../../../schema/log/tree.ts';

interface Peak {
  /** Of a subtree of 2^level leaves. */
  readonly level: number;
  readonly hash: Uint8Array;
}

export interface Frontier {
  readonly size: number;
  /** From the left; levels descend. */
  readonly peaks: readonly Peak[];
}

export const emptyFrontier: Frontier = { size: 0, peaks: [] };

/** The frontier with one more leaf. */
export async function appended({ size, peaks }: Frontier, leaf: Uint8Array): Promise<Frontier> {
  const next = [...peaks];
  let peak: Peak = { level: 0, hash: leaf };
  for (let left = next.at(-1); left?.level === peak.level; left = next.at(-1)) {
    next.pop();
    peak = { level: peak.level + 1, hash: await nodeHash(left.hash, peak.hash) };
  }
  return { size: size + 1, peaks: [...next, peak] };
}

/** The root over all leaves. */
export async function rootOfFrontier({ peaks }: Frontier): Promise<Uint8Array> {
  let root: Uint8Array | null = null;
  for (const { hash } of peaks.toReversed()) root = root === null ? hash : await nodeHash(hash, root);
  return root ?? emptyRoot();
}
