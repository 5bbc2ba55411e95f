/** Reports: one batch of log entry, report, body and facts. All of a report is stored, or nothing of it. */
import { reportBodies, reports } from '../../schema/tables.ts';
import { type Fact, insertFacts } from './facts.ts';
import { append, appendedIndex, type Commitment, lastIndex } from './log.ts';
import { isConflict, type Store, write } from './open.ts';

export type ReportRow = typeof reports.$inferSelect;

/** Admits a report, and returns its row. Null where its ticket has a report already: nothing was stored. */
export async function insertReport(
  store: Store,
  row: Omit<ReportRow, 'log_index'>,
  body: { payload: Uint8Array; signature: Uint8Array },
  committed: Commitment,
  factRows: readonly Fact[],
): Promise<ReportRow | null> {
  const { db } = store;
  try {
    const results = await write(store, [
      append(db, 'report', committed, row.admitted_at_ms),
      db.insert(reports).values({ ...row, log_index: lastIndex }),
      db.insert(reportBodies).values({
        log_index: lastIndex,
        payload: Buffer.from(body.payload),
        signature: Buffer.from(body.signature),
      }),
      ...insertFacts(db, factRows),
    ]);
    return { ...row, log_index: appendedIndex(results) };
  } catch (error) {
    if (isConflict(error)) return null;
    throw error;
  }
}
