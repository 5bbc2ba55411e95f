/**
 * The store: drizzle over libSQL, a file on Node or a server over HTTP at the edge. `@libsql/client` resolves to
 * its web build under workerd, so this module serves both.
 *
 * Trusted for: a batch is all or nothing, and what `write` has returned is on disk (`synchronous=FULL`).
 * Never uses `transaction()`: on a shared client, concurrent ones fail.
 */
import { type Client, createClient } from '@libsql/client';
import type { BatchItem } from 'drizzle-orm/batch';
import { drizzle, type LibSQLDatabase } from 'drizzle-orm/libsql';
import { Refusal } from '../refusal.ts';

export type Database = LibSQLDatabase;

/** One statement of a batch. */
export type Statement = BatchItem<'sqlite'>;

export interface Store {
  readonly db: Database;
  readonly client: Client;
  readonly isFile: boolean;
  /** Called each time that the store is found locked. */
  readonly onBusy: () => void;
}

/**
 * Per connection, so they are repeated after each `reconnect`. A busy file blocks the event loop while SQLite
 * waits, therefore SQLite waits shortly and `patiently` waits between attempts instead.
 */
const filePragmas =
  'PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; PRAGMA busy_timeout=100;';

/**
 * Opens the store at a libSQL URL (`file:`, `https:`, `libsql:`). Pragmas are per connection, so a file has one.
 * Opening does not migrate: see migrations.ts.
 */
export async function openStore({
  url,
  authToken,
  onBusy = () => undefined,
}: {
  url: string;
  authToken?: string;
  onBusy?: () => void;
}): Promise<Store> {
  const isFile = url.startsWith('file:');
  const client = createClient({
    url,
    ...(authToken ? { authToken } : {}),
    ...(isFile ? { concurrency: 1 } : {}),
  });
  const store: Store = { db: drizzle(client), client, isFile, onBusy };
  if (isFile) await client.executeMultiple(filePragmas);
  return store;
}

/**
 * Empties the write-ahead log of a file, in which deleted pages stand until others are written over them. Somebody who
 * reads at this moment prevents it; then they go with the last connection that is closed, or when they are written
 * over.
 */
export async function emptyWriteAheadLog(store: Store): Promise<void> {
  if (store.isFile) await patiently(store, () => store.client.execute('PRAGMA wal_checkpoint(TRUNCATE)'));
}

/** Closes the connections. */
export function closeStore(store: Store): void {
  store.client.close();
}

/** Pauses between attempts at a busy store, in milliseconds. */
const pauses = [10, 40, 120, 300];

/** The libSQL error codes of an error and of everything that caused it. */
function codesOf(error: unknown): string[] {
  const codes: string[] = [];
  for (let e = error; e instanceof Error && codes.length < 8; e = e.cause) {
    if ('code' in e && typeof e.code === 'string') codes.push(e.code);
  }
  return codes;
}

/** Whether the store was locked by somebody else, so that nothing was done. `CLIENT_CLOSED`: a reconnect got in between. */
export function isBusy(error: unknown): boolean {
  return codesOf(error).some(
    (code) => code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED') || code === 'CLIENT_CLOSED',
  );
}

/** Whether a row with the same unique value exists already, so that the batch was rolled back. */
export function isConflict(error: unknown): boolean {
  return codesOf(error).some((code) => code.startsWith('SQLITE_CONSTRAINT'));
}

/** The refusal that `append` of log.ts meant when it made its batch fail, or null. */
function refusalOfAppend(error: unknown): Refusal | null {
  for (let e = error, depth = 0; e instanceof Error && depth < 8; e = e.cause, depth++) {
    if (e.message.includes('NOT NULL constraint failed: log_entries.entry'))
      return new Refusal('log-halted', 'The log takes no entries until the operator lets it go on.');
    if (e.message.includes('NOT NULL constraint failed: log_entries.kind'))
      return new Refusal(
        'withdrawn-key',
        'The data of the machine, or of its owner, was withdrawn meanwhile.',
      );
  }
  return null;
}

/**
 * Runs work that may find the store busy; only work that then has done nothing may be given: a read, or one
 * batch. After SQLITE_BUSY a file client can acknowledge writes that never commit (libsql-client-ts#352), so it is
 * reconnected before anything else runs on it. Throws the `store-busy` refusal when patience ends.
 */
export async function patiently<T>(store: Store, work: () => Promise<T>): Promise<T> {
  for (const pause of [...pauses, null]) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error)) throw error;
      store.onBusy();
      await reconnect(store);
      if (pause === null) throw new Refusal('store-busy', 'The store was locked, and stayed so.');
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
  throw new Error('unreachable: the last attempt returns or throws');
}

async function reconnect(store: Store): Promise<void> {
  if (!store.isFile) return;
  await store.client.reconnect();
  try {
    await store.client.executeMultiple(filePragmas);
  } catch (error) {
    if (!isBusy(error)) throw error;
  }
}

/** Reads. */
export function read<T>(store: Store, query: (db: Database) => Promise<T>): Promise<T> {
  return patiently(store, () => query(store.db));
}

/** Does all statements or none, durably. Throws an error that `isConflict` knows where a unique value exists already. */
export async function write(store: Store, statements: readonly Statement[]): Promise<readonly unknown[]> {
  const [first, ...rest] = statements;
  if (first === undefined) return [];
  try {
    return await patiently(store, () => store.db.batch([first, ...rest]));
  } catch (error) {
    throw refusalOfAppend(error) ?? error;
  }
}
