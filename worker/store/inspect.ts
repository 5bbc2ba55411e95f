/** Looks at the file of a store that no server need be running on: is it whole, is it ours, what is in it. */
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { type SQL, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/libsql';
import type { Store } from './open.ts';
import { type SchemaState, schemaOf } from './schema-version.ts';

/** What is in a store. */
export interface Contents {
  readonly logSize: number;
  readonly reportCount: number;
  /** 0 before the first. */
  readonly editionNumber: number;
}

/** What looking at a file has found. */
export type Inspection =
  | { readonly fault: 'unreadable' | 'damaged' | 'foreign' | 'newer' | 'torn'; readonly detail: string }
  | { readonly fault: null; readonly schema: SchemaState; readonly contents: Contents };

/** Opens a file as it is: nothing about it is changed by being looked at. */
function openAsIs(path: string): Store {
  const client = createClient({ url: pathToFileURL(path).href, concurrency: 1 });
  return { db: drizzle(client), client, isFile: true, onBusy: () => undefined };
}

async function hasTable(store: Store, name: string): Promise<boolean> {
  const rows = await store.db.all(sql`select 1 from sqlite_master where type = 'table' and name = ${name}`);
  return rows.length > 0;
}

/** The log of a store: until it had a tree, it was another table, which stays until all of it is carried over. */
async function logTables(store: Store): Promise<readonly SQL[]> {
  const there = ['log_entries', 'log', 'log_before'].map((name) => hasTable(store, name));
  const [entries, log, before] = await Promise.all(there);
  return [
    ...(entries && !before ? [sql`log_entries`] : []),
    ...(log ? [sql`log`] : []),
    ...(before ? [sql`log_before`] : []),
  ];
}

/** How many entries, reports and editions a store of any schema holds. */
async function contentsOf(store: Store, log: SQL): Promise<Contents> {
  const [row] = await store.db.all<Contents>(sql`select
    (select coalesce(max(log_index) + 1, 0) from ${log}) as "logSize",
    (select count(*) from reports) as "reportCount",
    (select coalesce(max(number), 0) from editions) as "editionNumber"`);
  if (row === undefined) throw new Error('a query for one row gave none');
  return row;
}

/** Counts of what must not be: gaps in the log, and reports without their entry, signed bytes or facts. */
async function tornRows(store: Store, log: SQL): Promise<number> {
  const hasEnvelopes = await hasTable(store, 'envelopes');
  const bodiless = hasEnvelopes
    ? sql`report_hash not in (select hash from envelopes)`
    : sql`log_index not in (select log_index from report_bodies)`;
  const [row] = await store.db.all<{ count: number }>(sql`
    select (select coalesce(max(log_index) + 1, 0) - count(*) from ${log}) + (
      select count(*) from reports
      where log_index not in (select log_index from ${log})
        or log_index not in (select log_index from facts)
        or ${bodiless}) as count`);
  return Number(row?.count ?? 0);
}

async function inspect(store: Store): Promise<Inspection> {
  const found = await store.db.all<{ integrity_check: string }>(sql`pragma integrity_check(3)`);
  const faults = found.map(({ integrity_check }) => integrity_check).filter((line) => line !== 'ok');
  if (faults.length > 0) return { fault: 'damaged', detail: faults.join('; ').slice(0, 300) };
  const schema = await schemaOf(store);
  if (schema.state === 'foreign') {
    return { fault: 'foreign', detail: 'it has not the migrations of a survey' };
  }
  if (schema.state === 'ahead') {
    return { fault: 'newer', detail: `it has ${schema.applied} migrations, more than this code knows` };
  }
  const [log] = await logTables(store);
  if (log === undefined) return { fault: 'foreign', detail: 'it has no log' };
  const torn = await tornRows(store, log);
  if (torn > 0) return { fault: 'torn', detail: `${torn} rows are missing` };
  return { fault: null, schema, contents: await contentsOf(store, log) };
}

/** Looks at a file. Never throws for what the file is: that is a fault. */
export async function inspectFile(path: string): Promise<Inspection> {
  let store: Store;
  try {
    store = openAsIs(path);
  } catch (error) {
    return { fault: 'unreadable', detail: error instanceof Error ? error.message : String(error) };
  }
  try {
    return await inspect(store);
  } catch (error) {
    return {
      fault: 'unreadable',
      detail: error instanceof Error ? error.message.slice(0, 300) : String(error),
    };
  } finally {
    store.client.close();
  }
}
