/** Copies of a store that is in use, and the certainty that it is not. Files only. */
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { sql } from 'drizzle-orm';
import { isBusy, patiently, type Store } from './open.ts';

/**
 * Writes the store, as it is at one moment, to a file that must not be there. Whoever reads or writes meanwhile is
 * not stopped. The file is one whole, without a WAL beside it, but not yet durable.
 */
export async function snapshotTo(store: Store, path: string): Promise<void> {
  await patiently(store, () => store.db.run(sql`vacuum into ${path}`));
  await forgetLimits(path);
}

/**
 * Takes the limits by day out of a copy: with the day's key, which a copy would keep, whoever has it could try which
 * network each count was of.
 */
async function forgetLimits(path: string): Promise<void> {
  const copy = createClient({ url: pathToFileURL(path).href, concurrency: 1 });
  try {
    const { rows } = await copy.execute(
      "select name from sqlite_master where type = 'table' and name in ('daily_keys', 'daily_counts')",
    );
    const deletions = rows.map((row) => `DELETE FROM ${row.name};`).join(' ');
    await copy.executeMultiple(`PRAGMA secure_delete=ON; ${deletions}`);
  } finally {
    copy.close();
  }
}

/** Why a file could not be taken. */
export type Held = 'held' | 'unreadable';

/**
 * Takes a file that holds a store for this process alone, until the process ends: SQLite's own lock, which the system
 * gives back however a process ends. Folds the WAL in, so that the file is whole. `held` where any other process has
 * it open, such as a server.
 */
export async function takeAlone(path: string): Promise<'taken' | Held> {
  try {
    const client = createClient({ url: pathToFileURL(path).href, concurrency: 1 });
    await client.executeMultiple(
      'PRAGMA busy_timeout=200; PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT;',
    );
    // A damaged store may refuse; its WAL then stays beside it.
    await client.executeMultiple('PRAGMA journal_mode=DELETE; BEGIN EXCLUSIVE;').catch(() => undefined);
    return 'taken';
  } catch (error) {
    return isBusy(error) ? 'held' : 'unreadable';
  }
}
