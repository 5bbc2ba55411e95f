/** The store's own limit: the rows that reports have made, inserted again into an empty store and nothing else done. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { InStatement, Row } from '@libsql/client';
import { applyMigrations } from '../../worker/store/migrations.ts';
import { closeStore, openStore } from '../../worker/store/open.ts';

const tables = ['log', 'reports', 'report_bodies', 'facts'] as const;

function insertionOf(table: string, row: Row): InStatement {
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
    for (const table of tables) {
      const { rows } = await store.client.execute({
        sql: `select * from ${table} where log_index >= ?`,
        args: [oldest],
      });
      for (const row of rows) reports.get(Number(row.log_index))?.push(insertionOf(table, row));
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
