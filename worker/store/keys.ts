/** Rotations: the successor of a key, all or nothing. */
import { and, eq, isNull, sql } from 'drizzle-orm';
import { machines, owners, profiles } from '../../schema/tables.ts';
import type { Draft } from '../log/draft.ts';
import { isHeld } from './holds.ts';
import { type StoredEntry, tryAppend } from './log.ts';
import type { MachineRow, OwnerRow } from './machines.ts';
import type { Store } from './open.ts';

/**
 * Makes `next` the current key of a machine's chain; it has the profiles of its predecessor. Null where
 * another rotation was faster, or a revocation: nothing was stored.
 */
export function rotateMachine(
  store: Store,
  old: MachineRow,
  next: string,
  draft: Draft,
  nowMs: number,
): Promise<StoredEntry | null> {
  const { db } = store;
  const rotated = [
    db
      .update(machines)
      .set({ successor: next })
      .where(and(eq(machines.machine, old.machine), isNull(machines.successor))),
    db.insert(machines).values({ ...old, machine: next, successor: null, enrolled_at_ms: nowMs }),
    db.run(sql`insert into ${profiles} (machine, profile_sha256, profile, log_index, admitted_at_ms)
      select ${next}, profile_sha256, profile, log_index, admitted_at_ms from ${profiles} where machine = ${old.machine}`),
  ];
  const subjects = [
    { kind: 'machine', value: old.root },
    { kind: 'owner', value: old.owner },
  ] as const;
  return tryAppend(store, draft, rotated, isHeld(['revoked'], subjects));
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
  const rotated = [
    db
      .update(owners)
      .set({ successor: next })
      .where(and(eq(owners.owner, old.owner), isNull(owners.successor))),
    db.insert(owners).values({ ...old, owner: next, successor: null, seen_at_ms: nowMs }),
  ];
  return tryAppend(store, draft, rotated, isHeld(['revoked'], [{ kind: 'owner', value: old.root }]));
}
