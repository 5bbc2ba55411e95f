/** Which migrations a store has, against those that this code has. */
import { sql } from 'drizzle-orm';
import journal from '../../schema/migrations/meta/_journal.json' with { type: 'json' };
import { read, type Store } from './open.ts';

/** One migration of this code. Drizzle tells them apart by `when`, in milliseconds since 1970 UTC. */
export interface Migration {
  readonly tag: string;
  readonly when: number;
}

/** The migrations of this code, oldest first. */
export const migrations: readonly Migration[] = journal.entries.map(({ tag, when }) => ({ tag, when }));

/** How a store's schema stands to this code: the same, older, newer, or not one of ours at all. */
export type SchemaState =
  | { readonly state: 'current'; readonly applied: number }
  | { readonly state: 'behind'; readonly applied: number; readonly missing: number }
  | { readonly state: 'ahead'; readonly applied: number }
  | { readonly state: 'foreign'; readonly applied: number };

/** Compares the times of the applied migrations, in the order in which they were applied, with this code's. */
export function schemaState(
  applied: readonly number[],
  ours: readonly Migration[] = migrations,
): SchemaState {
  const known = applied.filter((when, i) => when === ours[i]?.when).length;
  if (known < Math.min(applied.length, ours.length) || applied.length === 0) {
    return { state: 'foreign', applied: applied.length };
  }
  if (applied.length > ours.length) return { state: 'ahead', applied: applied.length };
  if (applied.length < ours.length) {
    return { state: 'behind', applied: applied.length, missing: ours.length - applied.length };
  }
  return { state: 'current', applied: applied.length };
}

/** How the schema of a store stands. A store that was never migrated is `foreign`. */
export async function schemaOf(store: Store): Promise<SchemaState> {
  const [table] = await read(store, (db) =>
    db.all<{ count: number }>(
      sql`select count(*) as count from sqlite_master where name = '__drizzle_migrations'`,
    ),
  );
  if (table?.count !== 1) return schemaState([]);
  const rows = await read(store, (db) =>
    db.all<{ created_at: number }>(sql`select created_at from __drizzle_migrations order by id`),
  );
  return schemaState(rows.map(({ created_at }) => Number(created_at)));
}
