/** Rotations: the successor of a key, all or nothing. */
import { and, eq, isNull, sql } from 'drizzle-orm';
import { machines, owners, profiles } from '../../schema/tables.ts';
import type { Draft } from '../log/draft.ts';
import { append, appendedEntry, type StoredEntry } from './log.ts';
import type { MachineRow, OwnerRow } from './machines.ts';
import { isConflict, type Statement, type Store, write } from './open.ts';

/**
 * Makes `next` the current key of a machine's chain; it has the profiles of its predecessor. Null where another
 * rotation was faster: nothing was stored.
 */
export function rotateMachine(
  store: Store,
  old: MachineRow,
  next: string,
  draft: Draft,
  nowMs: number,
): Promise<StoredEntry | null> {
  const { db } = store;
  return tryWrite(store, draft, [
    db
      .update(machines)
      .set({ successor: next })
      .where(and(eq(machines.machine, old.machine), isNull(machines.successor))),
    db.insert(machines).values({ ...old, machine: next, successor: null, enrolled_at_ms: nowMs }),
    db.run(sql`insert into ${profiles} (machine, profile_sha256, profile, log_index, admitted_at_ms)
      select ${next}, profile_sha256, profile, log_index, admitted_at_ms from ${profiles} where machine = ${old.machine}`),
  ]);
}

/** The same for an owner's chain. */
export function rotateOwner(
  store: Store,
  old: OwnerRow,
  next: string,
  draft: Draft,
  nowMs: number,
): Promise<StoredEntry | null> {
  const { db } = store;
  return tryWrite(store, draft, [
    db
      .update(owners)
      .set({ successor: next })
      .where(and(eq(owners.owner, old.owner), isNull(owners.successor))),
    db.insert(owners).values({ ...old, owner: next, successor: null, seen_at_ms: nowMs }),
  ]);
}

async function tryWrite(
  store: Store,
  draft: Draft,
  statements: readonly Statement[],
): Promise<StoredEntry | null> {
  try {
    return appendedEntry(await write(store, [...append(store.db, draft), ...statements]), draft);
  } catch (error) {
    if (isConflict(error)) return null;
    throw error;
  }
}
