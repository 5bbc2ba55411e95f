/** Armed notes: one batch of log entry, note and facts that stand for `no_reply` until a report replaces them. */
import { eq } from 'drizzle-orm';
import { armedNotes } from '../../schema/tables.ts';
import { type Fact, insertFacts } from './facts.ts';
import { append, type Commitment, lastIndex } from './log.ts';
import { isConflict, read, type Store, write } from './open.ts';

export type ArmedRow = typeof armedNotes.$inferSelect;

/** The armed note for this ticket, or null. */
export async function findArmed(store: Store, nonce: string): Promise<ArmedRow | null> {
  const rows = await read(store, (db) => db.select().from(armedNotes).where(eq(armedNotes.nonce, nonce)));
  return rows[0] ?? null;
}

/** Admits a note with its facts. False where there is one for this ticket already: nothing was stored. */
export async function insertArmed(
  store: Store,
  row: Omit<ArmedRow, 'log_index'>,
  committed: Commitment,
  factRows: readonly Fact[],
): Promise<boolean> {
  const { db } = store;
  try {
    await write(store, [
      append(db, 'armed', committed, row.admitted_at_ms),
      db.insert(armedNotes).values({ ...row, log_index: lastIndex }),
      ...insertFacts(db, factRows),
    ]);
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}
