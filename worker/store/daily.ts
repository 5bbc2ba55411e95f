/** The keys and counts of limits by day, and their end. */
import { lt, sql } from 'drizzle-orm';
import { dailyCounts, dailyKeys } from '../../schema/tables.ts';
import { patiently, read, type Store, write } from './open.ts';

/** The key of a day: the one that is stored, or a fresh one that is stored now. */
export async function keyOfDay(
  store: Store,
  day: string,
  fresh: () => Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const find = () => read(store, (db) => db.select().from(dailyKeys).where(sql`${dailyKeys.day} = ${day}`));
  let [row] = await find();
  if (row === undefined) {
    await write(store, [
      store.db
        .insert(dailyKeys)
        .values({ day, key: Buffer.from(fresh()) })
        .onConflictDoNothing(),
    ]);
    [row] = await find();
  }
  if (row === undefined) throw new Error(`the key of ${day} was neither stored nor there before`);
  return new Uint8Array(row.key);
}

/** Counts once more, and gives how often that was by now. */
export async function countOnce(store: Store, day: string, bucket: string): Promise<number> {
  const results = await write(store, [
    store.db
      .insert(dailyCounts)
      .values({ day, bucket, count: 1 })
      .onConflictDoUpdate({
        target: [dailyCounts.day, dailyCounts.bucket],
        set: { count: sql`${dailyCounts.count} + 1` },
      })
      .returning({ count: dailyCounts.count }),
  ]);
  const [rows] = results as readonly [readonly { count: number }[]];
  return rows[0]?.count ?? 0;
}

/**
 * Forgets the days before `day`. Deleted bytes are overwritten (`secure_delete`), and a file's WAL, which has them from
 * before, is cut off. Costs one read where there is nothing to forget.
 */
export async function forgetDaysBefore(store: Store, day: string): Promise<void> {
  const old = await read(store, (db) =>
    db
      .select({ day: dailyKeys.day })
      .from(dailyKeys)
      .where(lt(dailyKeys.day, day))
      .unionAll(db.select({ day: dailyCounts.day }).from(dailyCounts).where(lt(dailyCounts.day, day)))
      .limit(1),
  );
  if (old.length === 0) return;
  await write(store, [
    store.db.delete(dailyKeys).where(lt(dailyKeys.day, day)),
    store.db.delete(dailyCounts).where(lt(dailyCounts.day, day)),
  ]);
  if (store.isFile) await patiently(store, () => store.db.run(sql`pragma wal_checkpoint(truncate)`));
}
