/** Brings a store to the schema of this code, from the folder schema/migrations. Runs on Node only: the edge has no folder. */
import { fileURLToPath } from 'node:url';
import { migrate } from 'drizzle-orm/libsql/migrator';
import { patiently, type Store } from './open.ts';

const migrationsFolder = fileURLToPath(new URL('../../schema/migrations', import.meta.url));

/** Applies the migrations that the store lacks, in order, in one batch. Doing it again changes nothing. */
export function applyMigrations(store: Store): Promise<void> {
  return patiently(store, () => migrate(store.db, { migrationsFolder }));
}
