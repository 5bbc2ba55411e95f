/** How the store stands at this moment, for metrics: one query, since at the edge each is a way over the network. */
import { and, count, eq, isNull, lt, max, sql } from 'drizzle-orm';
import { armedNotes, editions, logEntries, reports, tickets } from '../../schema/tables.ts';
import { read, type Store } from './open.ts';

export interface StoreGauges {
  readonly logSize: number;
  /** 0 before the first edition. */
  readonly editionNumber: number;
  readonly editionPublishedAtMs: number | null;
  /** Trials that were armed, are past their deadline, and have no report. */
  readonly overdueCount: number;
}

/** The gauges as of `nowMs`. */
export async function storeGauges(store: Store, nowMs: number): Promise<StoreGauges> {
  const rows = await read(store, (db) => {
    const overdue = db
      .select({ count: count() })
      .from(tickets)
      .innerJoin(armedNotes, eq(armedNotes.nonce, tickets.nonce))
      .leftJoin(reports, eq(reports.nonce, tickets.nonce))
      .where(and(lt(tickets.report_by_ms, nowMs), isNull(reports.nonce)));
    const newest = db.select({ number: max(editions.number) }).from(editions);
    return db
      .select({
        logSize: sql<number>`(select coalesce(max(${logEntries.log_index}) + 1, 0) from ${logEntries})`,
        editionNumber: sql<number>`coalesce((${newest}), 0)`,
        editionPublishedAtMs: sql<number | null>`(
          select ${editions.published_at_ms} from ${editions} where ${editions.number} = (${newest}))`,
        overdueCount: sql<number>`(${overdue})`,
      })
      .from(sql`(select 1)`);
  });
  const [row] = rows;
  if (row === undefined) throw new Error('a query for one row gave none');
  return row;
}
