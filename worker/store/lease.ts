/**
 * The sequencer's lease. Whoever holds it may write checkpoints; each new holder gets a higher fencing token, and a
 * checkpoint is stored only in a batch that finds the token unchanged (`insertCheckpoint`).
 */
import { and, eq, sql } from 'drizzle-orm';
import { sequencer } from '../../schema/tables.ts';
import { read, type Store, write } from './open.ts';

/** Takes the lease, or renews the holder's own. Gives the fencing token, or null where somebody else holds it. */
export async function takeLease(
  store: Store,
  holder: string,
  nowMs: number,
  leaseMs: number,
): Promise<number | null> {
  const { db } = store;
  const results = await write(store, [
    db
      .insert(sequencer)
      .values({ id: 1, holder, token: 1, expires_at_ms: nowMs + leaseMs, halted: null })
      .onConflictDoUpdate({
        target: sequencer.id,
        set: {
          holder,
          expires_at_ms: nowMs + leaseMs,
          token: sql`${sequencer.token} + (${sequencer.holder} <> ${holder})`,
        },
        // One that runs for much longer than is given was given by a clock that was set back since.
        setWhere: sql`${sequencer.holder} = ${holder} or ${sequencer.expires_at_ms} <= ${nowMs}
          or ${sequencer.expires_at_ms} > ${nowMs + 2 * leaseMs}`,
      })
      .returning({ token: sequencer.token }),
  ]);
  const [rows] = results as readonly [readonly { token: number }[]];
  return rows[0]?.token ?? null;
}

/** Lets others have the lease at once. */
export async function giveLease(store: Store, holder: string, token: number): Promise<void> {
  await write(store, [
    store.db
      .update(sequencer)
      .set({ expires_at_ms: 0 })
      .where(and(eq(sequencer.holder, holder), eq(sequencer.token, token))),
  ]);
}

/** Why nothing may be appended or signed; null where all is well. */
export async function haltedWhy(store: Store): Promise<string | null> {
  const rows = await read(store, (db) => db.select({ halted: sequencer.halted }).from(sequencer));
  return rows[0]?.halted ?? null;
}

/** Stops the log, or with null lets it go on: nothing is appended and nothing signed while it is stopped. */
export async function setHalted(store: Store, why: string | null): Promise<void> {
  await write(store, [
    store.db
      .insert(sequencer)
      .values({ id: 1, holder: '', token: 0, expires_at_ms: 0, halted: why })
      .onConflictDoUpdate({ target: sequencer.id, set: { halted: why } }),
  ]);
}
