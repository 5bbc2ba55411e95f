/** Armed notes: one batch of log entry, note and facts that stand for `no_reply` until a report replaces them. */
import { armedNotes } from '../../schema/tables.ts';
import { type Fact, insertFacts } from './facts.ts';
import { append, appendedIndex, type Commitment, lastIndex } from './log.ts';
import { isConflict, type Store, write } from './open.ts';

export type ArmedRow = typeof armedNotes.$inferSelect;

/** Admits a note with its facts, and returns it. Null where its ticket has one already: nothing was stored. */
export async function insertArmed(
  store: Store,
  row: Omit<ArmedRow, 'log_index'>,
  committed: Commitment,
  factRows: readonly Fact[],
): Promise<ArmedRow | null> {
  const { db } = store;
  try {
    const results = await write(store, [
      append(db, 'armed', committed, row.admitted_at_ms),
      db.insert(armedNotes).values({ ...row, log_index: lastIndex }),
      ...insertFacts(db, factRows),
    ]);
    return { ...row, log_index: appendedIndex(results) };
  } catch (error) {
    if (isConflict(error)) return null;
    throw error;
  }
}
