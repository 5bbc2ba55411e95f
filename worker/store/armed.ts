/** Armed notes: one batch of log entry, note and facts that stand for `no_reply` until a report replaces them. */
import { armedNotes } from '../../schema/tables.ts';
import type { Draft } from '../log/draft.ts';
import { type Fact, insertFacts } from './facts.ts';
import { append, appendedEntry, lastIndex, type StoredEntry } from './log.ts';
import { isConflict, type Store, write } from './open.ts';

export type ArmedRow = typeof armedNotes.$inferSelect;

/** Admits a note with its facts. Null where its ticket has one already: nothing was stored. */
export async function insertArmed(
  store: Store,
  row: Omit<ArmedRow, 'log_index'>,
  draft: Draft,
  factRows: readonly Fact[],
): Promise<StoredEntry | null> {
  const { db } = store;
  try {
    const results = await write(store, [
      ...append(db, draft),
      db.insert(armedNotes).values({ ...row, log_index: lastIndex }),
      ...insertFacts(db, factRows),
    ]);
    return appendedEntry(results, draft);
  } catch (error) {
    if (isConflict(error)) return null;
    throw error;
  }
}
