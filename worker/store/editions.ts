/** Published editions: numbered from 1, inserted once, never changed. */
import { and, desc, eq, gte, isNull, lt } from 'drizzle-orm';
import { rows as rowShapes } from '../../schema/log/row.ts';
import { armedNotes, editions, logEntries, reports, tickets } from '../../schema/tables.ts';
import { isConflict, read, type Store, write } from './open.ts';

export type EditionRow = typeof editions.$inferSelect;

/** The newest edition, or null before the first. */
export async function currentEdition(store: Store): Promise<EditionRow | null> {
  const rows = await read(store, (db) => db.select().from(editions).orderBy(desc(editions.number)).limit(1));
  return rows[0] ?? null;
}

/** The edition with this number, or null. */
export async function findEdition(store: Store, number: number): Promise<EditionRow | null> {
  const rows = await read(store, (db) => db.select().from(editions).where(eq(editions.number, number)));
  return rows[0] ?? null;
}

/** At most `count` editions below a number, newest first. */
export function editionsBelow(store: Store, number: number, count: number): Promise<EditionRow[]> {
  return read(store, (db) =>
    db.select().from(editions).where(lt(editions.number, number)).orderBy(desc(editions.number)).limit(count),
  );
}

/** Publishes an edition. False where somebody has published this number meanwhile. */
export async function insertEdition(store: Store, row: EditionRow): Promise<boolean> {
  try {
    await write(store, [store.db.insert(editions).values(row)]);
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

/**
 * How many of the entries below a log size were withdrawn by entries from that size on: an edition of that size was
 * made with them, and cannot be rebuilt without them.
 */
export async function withdrawnBelow(store: Store, logSize: number): Promise<number> {
  const tombstones = await read(store, (db) =>
    db
      .select({ row: logEntries.row })
      .from(logEntries)
      .where(and(eq(logEntries.kind, 'withdraw'), gte(logEntries.log_index, logSize))),
  );
  const ranges = tombstones.flatMap(({ row }) => rowShapes.withdraw.parse(JSON.parse(row ?? 'null')).entries);
  return ranges.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, logSize - 1) - from + 1), 0);
}

/** Whether a trial that was armed and not reported passed its deadline in [from, until). */
export async function deadlinePassed(store: Store, fromMs: number, untilMs: number): Promise<boolean> {
  const rows = await read(store, (db) =>
    db
      .select({ nonce: armedNotes.nonce })
      .from(armedNotes)
      .innerJoin(tickets, eq(tickets.nonce, armedNotes.nonce))
      .leftJoin(reports, eq(reports.nonce, armedNotes.nonce))
      .where(and(gte(tickets.report_by_ms, fromMs), lt(tickets.report_by_ms, untilMs), isNull(reports.nonce)))
      .limit(1),
  );
  return rows.length > 0;
}
