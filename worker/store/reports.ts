/** Reports: one batch of log entry, envelope, report and facts. All of a report is stored, or nothing of it. */
import { like, type SQL, sql } from 'drizzle-orm';
import { logEntries, reports } from '../../schema/tables.ts';
import type { Label } from '../../schema/vocabulary.ts';
import type { Draft } from '../log/draft.ts';
import { type Fact, insertFacts } from './facts.ts';
import { cameSince, lastIndex, type StoredEntry, tryAppend } from './log.ts';
import type { Statement, Store } from './open.ts';

export type ReportRow = typeof reports.$inferSelect;

/** Whether a false capture was reported, or something held back or trusted, from an index of the log on. */
export function heldSince(size: number): SQL {
  const label: Label = 'false-capture';
  const others = cameSince(size, ['report'], like(logEntries.row, `%"${label}"%`));
  return sql`${others} or ${cameSince(size, ['decision', 'invite'])}`;
}

/**
 * Admits a report, with what else follows from it in the same batch. Null where its ticket has such a report
 * already, or where `isVoid` holds: nothing was stored.
 */
export function insertReport(
  store: Store,
  row: Omit<ReportRow, 'log_index'>,
  draft: Draft,
  factRows: readonly Fact[],
  consequences: readonly Statement[],
  isVoid?: SQL,
): Promise<StoredEntry | null> {
  const { db } = store;
  const reported = db.insert(reports).values({ ...row, log_index: lastIndex });
  return tryAppend(store, draft, [reported, ...insertFacts(db, factRows), ...consequences], isVoid);
}
