/**
 * Prepares the database of an edge deployment, before the first `wrangler deploy` and after each update:
 *
 *     DATABASE_URL=libsql://… DATABASE_AUTH_TOKEN=… node worker/migrate.ts
 *
 * Takes any libSQL URL. The Node server migrates its own file when it starts and does not need this.
 */
import { carryOver } from './store/carry-over.ts';
import { applyMigrations } from './store/migrations.ts';
import { closeStore, openStore } from './store/open.ts';

async function main(): Promise<void> {
  const url = process.env.DATABASE_URL;
  if (!url) throw new Error('Set DATABASE_URL to the libSQL URL of the database to prepare.');
  const authToken = process.env.DATABASE_AUTH_TOKEN;
  const store = await openStore({ url, ...(authToken ? { authToken } : {}) });
  await applyMigrations(store);
  await carryOver(store, (byteCount) => crypto.getRandomValues(new Uint8Array(byteCount)));
  closeStore(store);
  console.log(`The database at ${new URL(url).host || url} has the schema of this version.`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
