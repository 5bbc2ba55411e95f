/**
 * The append-only log. An index is computed in the statement that takes it, inside the batch that uses it, so
 * indices have no gaps: a batch that fails takes none.
 */
import { sql } from 'drizzle-orm';
import { concat, fromHex, sha256, toHex } from '../../schema/bytes.ts';
import { log } from '../../schema/tables.ts';
import type { EntryKind } from '../../schema/vocabulary.ts';
import { type Database, read, type Statement, type Store } from './open.ts';

/** What an entry commits to: `commitment` = SHA-256(`salt` ‖ `hash`). */
export interface Commitment {
  readonly commitment: string;
  readonly salt: string;
}

/** Commits to a SHA-256 in hexadecimal under a random salt of 16 bytes. */
export async function commitTo(hash: string, salt: Uint8Array<ArrayBuffer>): Promise<Commitment> {
  return { commitment: toHex(await sha256(concat(salt, fromHex(hash)))), salt: toHex(salt) };
}

/** The statement that appends an entry. What follows in the same batch refers to its index as `lastIndex`. */
export function append(db: Database, kind: EntryKind, committed: Commitment, nowMs: number): Statement {
  return db
    .insert(log)
    .values({
      log_index: sql`(select coalesce(max(${log.log_index}) + 1, 0) from ${log})`,
      kind,
      ...committed,
      appended_at_ms: nowMs,
    })
    .returning({ log_index: log.log_index });
}

/** The index that the first statement of a batch, an `append`, has taken. */
export function appendedIndex(results: readonly unknown[]): number {
  const [rows] = results as readonly [readonly { log_index: number }[]];
  const index = rows[0]?.log_index;
  if (index === undefined) throw new Error('the first statement of the batch appended nothing');
  return index;
}

/** The index of the entry that the same batch has just appended. */
export const lastIndex = sql<number>`(select max(${log.log_index}) from ${log})`;

/** How many entries the log has. */
export async function logSize(store: Store): Promise<number> {
  const rows = await read(store, (db) =>
    db.select({ size: sql<number>`coalesce(max(${log.log_index}) + 1, 0)` }).from(log),
  );
  return rows[0]?.size ?? 0;
}
