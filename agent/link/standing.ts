/** What became of a promise of the log, by a checkpoint that it signed later. */
import { fromHex, sameBytes } from '../../schema/bytes.ts';
import { hashAtFromTiles, tilePath } from '../../schema/log/tile.ts';
import { type HashAt, inclusionProof, verifyInclusion } from '../../schema/log/tree.ts';
import type { PromiseBody } from '../../schema/wire.ts';
import { type Reads, Unreachable } from './api.ts';
import type { Seen } from './one-history.ts';

/** What can become of a promise. */
export const standings = {
  included: 'the tree has the promised entry',
  pending: 'the tree does not reach so far, and the time is not over',
  overdue: 'the time is over, and the tree does not reach so far',
  broken: 'the tree has another entry in its place',
  unproven: 'the log does not prove what it has in its place',
} as const;
export type Standing = keyof typeof standings;

/** The hashes of the tree under a checkpoint, from the log's tiles. They are the log's only if a proof made of them holds. */
export function treeOf({ size }: Pick<Seen, 'size'>, tile: Reads['tile']): HashAt {
  return hashAtFromTiles(size, (level, index, width) => tile(tilePath(level, index, width)));
}

/** What became of a promise. `nowMs` is this machine's clock. Throws Unreachable where the log gives no answer. */
export async function standingOf(
  { log_index: index, leaf_hash, merge_by }: PromiseBody,
  { size, root }: Seen,
  hashAt: HashAt,
  nowMs: number,
): Promise<Standing> {
  if (index >= size) return nowMs > Date.parse(merge_by) ? 'overdue' : 'pending';
  try {
    const proof = await inclusionProof(index, size, hashAt);
    const found = await hashAt(0, index);
    if (!(await verifyInclusion({ leafHash: found, index, size, root, proof }))) return 'unproven';
    return sameBytes(found, fromHex(leaf_hash)) ? 'included' : 'broken';
  } catch (error) {
    if (error instanceof Unreachable) throw error;
    return 'unproven';
  }
}
