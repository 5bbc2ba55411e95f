/** Reports: one batch of log entry, report, body and facts. All of a report is stored, or nothing of it. */
import { eq } from 'drizzle-orm';
import { reportBodies, reports } from '../../schema/tables.ts';
import { type Fact, insertFacts } from './facts.ts';
import { append, type Commitment, lastIndex } from './log.ts';
import { isConflict, read, type Store, write } from './open.ts';

export type ReportRow = typeof reports.$inferSelect;

/** The report on this ticket, or null. */
export async function findReportOf(store: Store, nonce: string): Promise<ReportRow | null> {
  const rows = await read(store, (db) => db.select().from(reports).where(eq(reports.nonce, nonce)));
  return rows[0] ?? null;
}

/** Admits a report. False where its ticket has a report already: nothing was stored. */
export async function insertReport(
  store: Store,
  row: Omit<ReportRow, 'log_index'>,
  body: { payload: Uint8Array; signature: Uint8Array },
  committed: Commitment,
  factRows: readonly Fact[],
): Promise<boolean> {
  const { db } = store;
  try {
    await write(store, [
      append(db, 'report', committed, row.admitted_at_ms),
      db.insert(reports).values({ ...row, log_index: lastIndex }),
      db.insert(reportBodies).values({
        log_index: lastIndex,
        payload: Buffer.from(body.payload),
        signature: Buffer.from(body.signature),
      }),
      ...insertFacts(db, factRows),
    ]);
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}
