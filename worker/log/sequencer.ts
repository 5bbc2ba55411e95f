/**
 * The sequencer: makes one tree of the entries and signs its head. The way of a checkpoint, step by step:
 *
 *  1. Take the lease; with it comes a fencing token.
 *  2. Compare the store with what was signed before: with the highest mark, which lies apart from the store, and
 *     with the newest checkpoint. A store that is shorter, or whose rows give another root, is halted.
 *  3. Compute the new nodes and the root. Entries are durable before: an admission is answered after its batch.
 *  4. Raise the mark, durably. From here on this tree may be known to somebody.
 *  5. Store nodes and checkpoint in one batch, which fails if the token has changed.
 *  6. Ask the witnesses. One that has seen a larger tree, or another one, halts the log.
 *  7. Let the checkpoint out, and give the lease back.
 *
 * Killed between any two steps, the next holder begins again, and comes to the same tree: entries never change.
 */
import { concat, fromHex, toHex } from '../../schema/bytes.ts';
import { signCheckpoint } from '../../schema/log/checkpoint.ts';
import { hashAtFromTiles, tileWidth } from '../../schema/log/tile.ts';
import { consistencyProof, type HashAt, rootAt, rootOf } from '../../schema/log/tree.ts';
import type { Services } from '../services.ts';
import {
  type CheckpointRow,
  cosignedSize,
  cosignersOf,
  insertCheckpoint,
  insertCosignature,
  newestCheckpoint,
  publishCheckpoint,
  type TreeNode,
} from '../store/checkpoints.ts';
import { giveLease, haltedWhy, setHalted, takeLease } from '../store/lease.ts';
import { logSize } from '../store/log.ts';
import type { Store } from '../store/open.ts';
import { hashTile } from '../store/tiles.ts';
import { askWitness, type Witness } from './witnesses.ts';

/** Longer than any step takes: a holder that was killed is waited for so long. */
const leaseMs = 30_000;

export type SequencerServices = Pick<
  Services,
  'store' | 'signer' | 'highWater' | 'witnesses' | 'now' | 'random' | 'log'
>;

/** What an integration came to. */
export type Integration =
  /** All entries below `size` are under a published checkpoint. */
  | { readonly state: 'integrated'; readonly size: number }
  /** Somebody else is at it. */
  | { readonly state: 'busy' }
  | { readonly state: 'halted'; readonly why: string };

/** Entries or nodes are not there that were: the store was changed. */
class MissingHashes extends Error {}

/** The hashes of a tile of this width. Throws where the store has not all of them. */
async function tileOf(
  store: Store,
  level: number,
  index: number,
  width: number,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const bytes = await hashTile(store, level, index, width);
  if (bytes.length === 32 * width) return splitTile(bytes);
  throw new MissingHashes(
    `Of the ${width} hashes of tile ${level}/${index} the store has ${bytes.length / 32}: it was changed. Restore it from a backup.`,
  );
}

/** Brings all entries under a published checkpoint. */
export async function integrate(services: SequencerServices): Promise<Integration> {
  const { store, now, random } = services;
  const why = await haltedWhy(store);
  if (why !== null) return { state: 'halted', why };
  const newest = await newestCheckpoint(store);
  const size = await logSize(store);
  if (newest?.published && newest.size === size) {
    const isDone = (await marked(services, newest)) && !(await isToBeAskedAgain(services, newest));
    if (isDone) return { state: 'integrated', size };
  }
  const holder = toHex(random(8));
  const token = await takeLease(store, holder, now(), leaseMs);
  if (token === null) return { state: 'busy' };
  try {
    return await integrateAs(services, holder, token);
  } catch (error) {
    if (error instanceof MissingHashes) return await halt(services, error.message);
    throw error;
  } finally {
    await giveLease(store, holder, token);
  }
}

/** A witness that gave no cosignature is asked again, but not all the time. */
const askAgainAfterMs = 60_000;

/** Whether witnesses are missing under a checkpoint that was signed some time ago. */
async function isToBeAskedAgain(
  { store, witnesses, now }: SequencerServices,
  { size, signed_at_ms }: CheckpointRow,
): Promise<boolean> {
  if (witnesses.length === 0 || now() < signed_at_ms + askAgainAfterMs) return false;
  return (await cosignersOf(store, size)).length < witnesses.length;
}

/** Whether the mark is at this checkpoint, so that nothing needs to be compared. */
async function marked({ highWater }: SequencerServices, { size, root }: CheckpointRow): Promise<boolean> {
  const mark = await highWater.read();
  return mark === null || (mark.size === size && mark.root === root);
}

async function integrateAs(services: SequencerServices, holder: string, token: number): Promise<Integration> {
  const { store, signer, highWater, now } = services;
  const newest = await newestCheckpoint(store);
  const size = await logSize(store);
  const nodes = await newNodes(store, newest?.size ?? 0, size);
  const hashAt = hashesOf(store, size, nodes);
  const fault = await faultOfStore(services, newest, size, hashAt);
  if (fault !== null) return halt(services, fault);

  let checkpoint = newest;
  if (newest === null || newest.size < size) {
    const root = toHex(await rootAt(size, hashAt));
    const note = await signCheckpoint({ origin: signer.name, size, root: fromHex(root) }, signer);
    await highWater.raise({ origin: signer.name, size, root });
    const row = { size, root, note, token, signed_at_ms: now() };
    if (!(await insertCheckpoint(store, row, nodes, holder))) return { state: 'busy' };
    checkpoint = { ...row, published: false };
  }
  if (checkpoint === null) throw new Error('unreachable: there is a checkpoint by now');
  const conflict = await cosign(services, checkpoint, hashAt);
  if (conflict !== null) return halt(services, conflict);
  await publishCheckpoint(store, checkpoint.size);
  return { state: 'integrated', size: checkpoint.size };
}

async function halt({ store, log }: SequencerServices, why: string): Promise<Integration> {
  await setHalted(store, why);
  log({ event: 'log-halted', why });
  return { state: 'halted', why };
}

/** The complete subtrees that a tree of `size` has and one of `from` has not, each level from the one below. */
async function newNodes(store: Store, from: number, size: number): Promise<TreeNode[]> {
  const nodes: TreeNode[] = [];
  for (let level = 1; size >= tileWidth ** level; level++) {
    const width = tileWidth ** level;
    const below = nodes.filter((node) => node.level === level - 1);
    for (let position = Math.floor(from / width); position < Math.floor(size / width); position++) {
      // The right part of a tile may be nodes that are not stored yet.
      const fresh = below
        .filter((node) => Math.floor(node.position / tileWidth) === position)
        .map(({ hash }) => fromHex(hash));
      const stored = tileWidth - fresh.length;
      const tile = [...(stored > 0 ? await tileOf(store, level - 1, position, stored) : []), ...fresh];
      nodes.push({ level, position, hash: toHex(await rootOf(tile)) });
    }
  }
  return nodes;
}

function splitTile(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.slice(32 * i, 32 * i + 32));
}

/** The hashes of the tree of this size: from the store, and from nodes that are not stored yet. */
function hashesOf(store: Store, size: number, nodes: readonly TreeNode[]): HashAt {
  const fresh = new Map(nodes.map(({ level, position, hash }) => [`${level}/${position}`, fromHex(hash)]));
  return hashAtFromTiles(size, async (level, index, width) => {
    const added = Array.from({ length: width }, (_, i) =>
      fresh.get(`${level}/${index * tileWidth + i}`),
    ).filter((hash) => hash !== undefined);
    const stored = width - added.length;
    return concat(...(stored > 0 ? await tileOf(store, level, index, stored) : []), ...added);
  });
}

/** In what the store is not what was signed, or null. */
async function faultOfStore(
  { highWater, signer }: SequencerServices,
  newest: CheckpointRow | null,
  size: number,
  hashAt: HashAt,
): Promise<string | null> {
  const mark = await highWater.read();
  for (const [what, signed] of [
    ['the mark beside the key', mark],
    ['the newest checkpoint', newest],
  ] as const) {
    if (signed === null) continue;
    if (signed.size > size) {
      return `The store has ${size} entries, and ${what} says that ${signed.size} were signed: it was restored from an older backup. Restore the newest one; nothing is signed until then.`;
    }
    if (toHex(await rootAt(signed.size, hashAt)) !== signed.root) {
      return `The entries below ${signed.size} are not those that were signed, by ${what}: the store was changed. Restore it from a backup.`;
    }
  }
  if (mark !== null && mark.origin !== signer.name) {
    return `The mark beside the key is of the log ${mark.origin}, and this one is ${signer.name}.`;
  }
  return null;
}

/** Collects cosignatures. Gives what a witness knows that contradicts the checkpoint, or null. */
async function cosign(
  services: SequencerServices,
  checkpoint: CheckpointRow,
  hashAt: HashAt,
): Promise<string | null> {
  const cosigners = await cosignersOf(services.store, checkpoint.size);
  const missing = services.witnesses.filter(({ verifier }) => !cosigners.includes(verifier.name));
  const conflicts = await Promise.all(
    missing.map((witness) => cosignWith(services, witness, checkpoint, hashAt)),
  );
  return conflicts.find((conflict) => conflict !== null) ?? null;
}

async function cosignWith(
  { store, log }: SequencerServices,
  witness: Witness,
  checkpoint: CheckpointRow,
  hashAt: HashAt,
): Promise<string | null> {
  const { name } = witness.verifier;
  let from = await cosignedSize(store, name);
  // The size that this store remembers may be behind what the witness has: it says so, and is asked once more.
  for (let attempt = 0; attempt < 2; attempt++) {
    const proof = await consistencyProof(from, checkpoint.size, hashAt);
    const answer = await askWitness(witness, from, proof, checkpoint.note);
    if ('line' in answer) {
      await insertCosignature(store, checkpoint.size, name, answer.line);
      return null;
    }
    if ('trouble' in answer) {
      log({ event: 'witness-trouble', witness: name, trouble: answer.trouble });
      return null;
    }
    if (answer.size > checkpoint.size) {
      return `Witness ${name} has cosigned ${answer.size} entries, and the store has ${checkpoint.size}: it was restored from an older backup. Restore the newest one; nothing is signed until then.`;
    }
    from = answer.size;
  }
  log({ event: 'witness-trouble', witness: name, trouble: 'names a size and refuses it' });
  return null;
}
