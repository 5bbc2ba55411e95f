/** Signed checkpoints, with the cosignatures that witnesses gave them. */
import { and, desc, eq, sql } from 'drizzle-orm';
import { checkpoints, cosignatures, sequencer, treeNodes } from '../../schema/tables.ts';
import { isConflict, read, type Store, write } from './open.ts';

export type CheckpointRow = typeof checkpoints.$inferSelect;

/** The newest checkpoint, published or not; null before the first. */
export async function newestCheckpoint(store: Store): Promise<CheckpointRow | null> {
  const rows = await read(store, (db) =>
    db.select().from(checkpoints).orderBy(desc(checkpoints.size)).limit(1),
  );
  return rows[0] ?? null;
}

/** The newest published checkpoint with its cosignatures, as a note; null before the first. */
export async function publishedCheckpoint(
  store: Store,
): Promise<{ readonly size: number; readonly note: string; readonly signed_at_ms: number } | null> {
  // Written out: in a selected field of one table, drizzle leaves the tables' names away.
  const lines = sql<string | null>`(select group_concat(line, '') from
    (select line from cosignatures c where c.size = checkpoints.size order by c.witness))`;
  const rows = await read(store, (db) =>
    db
      .select({
        size: checkpoints.size,
        note: checkpoints.note,
        signed_at_ms: checkpoints.signed_at_ms,
        lines,
      })
      .from(checkpoints)
      .where(eq(checkpoints.published, true))
      .orderBy(desc(checkpoints.size))
      .limit(1),
  );
  const row = rows[0];
  return row === undefined
    ? null
    : { size: row.size, signed_at_ms: row.signed_at_ms, note: `${row.note}${row.lines ?? ''}` };
}

/** The note of the newest published checkpoint. Throws where none was ever signed: the entries see to that first. */
export async function currentNote(store: Store): Promise<string> {
  const current = await publishedCheckpoint(store);
  if (current === null) throw new Error('the log has no checkpoint yet');
  return current.note;
}

/** A complete subtree of 256^level leaves. */
export interface TreeNode {
  readonly level: number;
  readonly position: number;
  readonly hash: string;
}

/** SQLite binds at most 32,766 values in one statement. */
const nodesPerStatement = 5000;

/**
 * Stores a checkpoint with the nodes that its tree has beyond the last one, all or nothing, and only while `holder`
 * still holds the lease under `token` and the log is not halted. False where that is over: nothing was stored.
 */
export async function insertCheckpoint(
  store: Store,
  row: Omit<CheckpointRow, 'published'>,
  nodes: readonly TreeNode[],
  holder: string,
): Promise<boolean> {
  const { db } = store;
  const fence = sql<number>`(select ${sequencer.token} from ${sequencer} where ${and(
    eq(sequencer.holder, holder),
    eq(sequencer.token, row.token),
    sql`${sequencer.halted} is null`,
  )})`;
  const inserts = [];
  for (let i = 0; i < nodes.length; i += nodesPerStatement)
    inserts.push(db.insert(treeNodes).values(nodes.slice(i, i + nodesPerStatement)));
  try {
    await write(store, [
      db.insert(checkpoints).values({ ...row, token: fence, published: false }),
      ...inserts,
    ]);
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

/** Keeps a witness's cosignature: one line of a note. */
export async function insertCosignature(
  store: Store,
  size: number,
  witness: string,
  line: string,
): Promise<void> {
  await write(store, [store.db.insert(cosignatures).values({ size, witness, line }).onConflictDoNothing()]);
}

/** The witnesses whose cosignatures a checkpoint has. */
export async function cosignersOf(store: Store, size: number): Promise<string[]> {
  const rows = await read(store, (db) =>
    db.select({ witness: cosignatures.witness }).from(cosignatures).where(eq(cosignatures.size, size)),
  );
  return rows.map(({ witness }) => witness);
}

/** The largest size that a witness has cosigned, as far as this store knows. */
export async function cosignedSize(store: Store, witness: string): Promise<number> {
  const rows = await read(store, (db) =>
    db
      .select({ size: cosignatures.size })
      .from(cosignatures)
      .where(eq(cosignatures.witness, witness))
      .orderBy(desc(cosignatures.size))
      .limit(1),
  );
  return rows[0]?.size ?? 0;
}

/** Lets a checkpoint out. */
export async function publishCheckpoint(store: Store, size: number): Promise<void> {
  const { db } = store;
  await write(store, [db.update(checkpoints).set({ published: true }).where(eq(checkpoints.size, size))]);
}
