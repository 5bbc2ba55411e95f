/** Reports: one batch of log entry, envelope, report and facts. All of a report is stored, or nothing of it. */
import { reports } from '../../schema/tables.ts';
import type { Draft } from '../log/draft.ts';
import { type Fact, insertFacts } from './facts.ts';
import { append, appendedEntry, lastIndex, type StoredEntry } from './log.ts';
import { isConflict, type Statement, type Store, write } from './open.ts';

export type ReportRow = typeof reports.$inferSelect;

/**
 * Admits a report, with what else follows from it in the same batch. Null where its ticket has such a report
 * already: nothing was stored.
 */
export async function insertReport(
  store: Store,
  row: Omit<ReportRow, 'log_index'>,
  draft: Draft,
  factRows: readonly Fact[],
  consequences: readonly Statement[],
): Promise<StoredEntry | null> {
  const { db } = store;
  try {
    const results = await write(store, [
      ...append(db, draft),
      db.insert(reports).values({ ...row, log_index: lastIndex }),
      ...insertFacts(db, factRows),
      ...consequences,
    ]);
    return appendedEntry(results, draft);
  } catch (error) {
    if (isConflict(error)) return null;
    throw error;
  }
}
