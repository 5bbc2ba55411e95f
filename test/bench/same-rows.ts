/** The store's own limit: the rows that reports have made, inserted again into an empty store and nothing else done. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { InStatement, InValue } from '@libsql/client';
import { applyMigrations } from '../../worker/store/migrations.ts';
import { closeStore, openStore } from '../../worker/store/open.ts';

/** The rows of a report, by the index that its entry has in the log. */
const queries = {
  log_entries: 'select * from log_entries where log_index >= ?',
  envelopes: `select envelopes.*, log_index as at from envelopes
    join log_entries on envelope_hash = hash where log_index >= ?`,
  reports: 'select * from reports where log_index >= ?',
  facts: 'select * from facts where log_index >= ?',
} as const;

function insertionOf(table: string, row: Readonly<Record<string, InValue>>): InStatement {
  const columns = Object.keys(row);
  const marks = columns.map(() => '?').join(', ');
  return {
    sql: `insert into ${table} (${columns.join(', ')}) values (${marks})`,
    args: columns.map((column) => row[column] ?? null),
  };
}

/** The rows of each report of the store in a data directory, as statements; the newest `count` reports. */
export async function rowsOfReports(data: string, count: number): Promise<InStatement[][]> {
  const store = await openStore({ url: pathToFileURL(join(data, 'survey.db')).href });
  try {
    const { rows: newest } = await store.client.execute({
      sql: 'select log_index from reports order by log_index desc limit ?',
      args: [count],
    });
    const reports = new Map(newest.map((row) => [Number(row.log_index), [] as InStatement[]]));
    const oldest = Math.min(...reports.keys());
    for (const [table, sql] of Object.entries(queries)) {
      const { rows } = await store.client.execute({ sql, args: [oldest] });
      for (const { at, ...row } of rows as unknown as Record<string, InValue>[])
        reports.get(Number(at ?? row.log_index))?.push(insertionOf(table, row));
    }
    return [...reports.values()];
  } finally {
    closeStore(store);
  }
}

/** Inserts the rows into an empty store, one durable batch for `together` reports, and gives reports a second. */
export async function insertAgain(
  reports: readonly (readonly InStatement[])[],
  together: number,
  under: string,
): Promise<number> {
  const data = await mkdtemp(join(under, 'rows-'));
  const store = await openStore({ url: pathToFileURL(join(data, 'survey.db')).href });
  try {
    await applyMigrations(store);
    const startedAt = performance.now();
    for (let i = 0; i < reports.length; i += together) {
      await store.client.batch(reports.slice(i, i + together).flat(), 'write');
    }
    return reports.length / ((performance.now() - startedAt) / 1000);
  } finally {
    closeStore(store);
    await rm(data, { recursive: true, force: true });
  }
}
