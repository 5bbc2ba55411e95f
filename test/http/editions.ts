/** Looks at published editions past the API: whether the rows still give what each of them committed to. */
import { drizzle } from 'drizzle-orm/libsql';
import { statisticsHash } from '../../worker/edition/publish.ts';
import { cellsBy } from '../../worker/store/cells.ts';
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

/** What an edition says of a driver. */
export interface EditionCell {
  readonly number: number;
  readonly log_size: number;
  /** Null where the cell is blank. */
  readonly trials: number | null;
}

/** The cell of a driver in the newest editions, by the rows that the store has at this moment; oldest first. */
export async function cellThrough(runtime: Runtime, driver: string, count = 40): Promise<EditionCell[]> {
  const store = storeOf(runtime);
  const editions = await editionsBelow(store, Number.MAX_SAFE_INTEGER, count);
  const cells: EditionCell[] = [];
  for (const edition of editions.reverse()) {
    const [cell] = await cellsBy(store, edition, 'lab', ['driver'], { driver });
    cells.push({ number: edition.number, log_size: edition.log_size, trials: cell?.trials ?? null });
  }
  return cells;
}
