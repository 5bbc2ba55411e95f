/** Looks at published editions past the API: whether the rows still give what each of them committed to. */
import { drizzle } from 'drizzle-orm/libsql';
import { statisticsHash } from '../../worker/edition/publish.ts';
import { editionsBelow } from '../../worker/store/editions.ts';
import type { Store } from '../../worker/store/open.ts';
import type { Runtime } from './runtimes.ts';

/** The store behind a runtime, on a connection of the test's own. */
export function storeOf({ database }: Runtime): Store {
  return { db: drizzle(database), client: database, isFile: true, onBusy: () => undefined };
}

/** The editions that cannot be computed again from what is there, by number: none, unless something was withdrawn. */
export async function changedEditions(runtime: Runtime): Promise<number[]> {
  const store = storeOf(runtime);
  const editions = await editionsBelow(store, Number.MAX_SAFE_INTEGER, 10_000);
  const changed: number[] = [];
  for (const edition of editions)
    if ((await statisticsHash(store, edition)) !== edition.statistics_sha256) changed.push(edition.number);
  return changed.reverse();
}
