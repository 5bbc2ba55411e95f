/** How many rows each table of the survey has. */
import { sql } from 'drizzle-orm';
import type { SQLiteTable } from 'drizzle-orm/sqlite-core';
import { armedNotes, editions, facts, logEntries, machines, reports, tickets } from '../../schema/tables.ts';
import { read, type Store } from './open.ts';

const rowsOf = (table: SQLiteTable) => sql<number>`(select count(*) from ${table})`;

const columns = {
  log_entries: rowsOf(logEntries),
  machines: rowsOf(machines),
  tickets: rowsOf(tickets),
  armed_notes: rowsOf(armedNotes),
  reports: rowsOf(reports),
  facts: rowsOf(facts),
  editions: rowsOf(editions),
};

/** Rows by table. */
export type RowCounts = Readonly<Record<keyof typeof columns, number>>;

/** Counts the rows, in one query. */
export async function rowCountsOf(store: Store): Promise<RowCounts> {
  const [row] = await read(store, (db) => db.select(columns).from(sql`(select 1)`));
  if (row === undefined) throw new Error('a query for one row gave none');
  return row;
}
