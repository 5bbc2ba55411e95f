/** Looks at the file of a store that no server need be running on: is it whole, is it ours, what is in it. */
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/libsql';
import { editions, log, reports } from '../../schema/tables.ts';
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

/** How many entries, reports and editions a store holds. */
export async function contentsOf(store: Store): Promise<Contents> {
  const [row] = await store.db
    .select({
      logSize: sql<number>`(select coalesce(max(${log.log_index}) + 1, 0) from ${log})`,
      reportCount: sql<number>`(select count(*) from ${reports})`,
      editionNumber: sql<number>`(select coalesce(max(${editions.number}), 0) from ${editions})`,
    })
    .from(sql`(select 1)`);
  if (row === undefined) throw new Error('a query for one row gave none');
  return row;
}

/** Counts of what must not be: gaps in the log, and reports without their entry, body or facts. */
async function tornRows(store: Store): Promise<number> {
  const [row] = await store.db.all<{ count: number }>(sql`
    select (select coalesce(max(log_index) + 1, 0) - count(*) from log) + (
      select count(*) from reports
      where log_index not in (select log_index from log)
        or log_index not in (select log_index from report_bodies)
        or log_index not in (select log_index from facts)) as count`);
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
  const torn = await tornRows(store);
  if (torn > 0) return { fault: 'torn', detail: `${torn} rows are missing` };
  return { fault: null, schema, contents: await contentsOf(store) };
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
