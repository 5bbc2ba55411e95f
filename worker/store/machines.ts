/** Enrolled machines and their profiles, and the owners' keys. */
import { and, desc, eq, sql } from 'drizzle-orm';
import { machines, owners, profiles, reports, tickets } from '../../schema/tables.ts';
import type { Draft } from '../log/draft.ts';
import { append, lastIndex } from './log.ts';
import { isConflict, read, type Statement, type Store, write } from './open.ts';

export type MachineRow = typeof machines.$inferSelect;
export type OwnerRow = typeof owners.$inferSelect;

/** The machine with this key, or null. */
export async function findMachine(store: Store, machine: string): Promise<MachineRow | null> {
  const rows = await read(store, (db) => db.select().from(machines).where(eq(machines.machine, machine)));
  return rows[0] ?? null;
}

/** The owner with this key, or null where it has not been seen. */
export async function findOwner(store: Store, owner: string): Promise<OwnerRow | null> {
  const rows = await read(store, (db) => db.select().from(owners).where(eq(owners.owner, owner)));
  return rows[0] ?? null;
}

/** The text of a profile of a machine and the entry of its enrolment, or null. */
export async function findProfile(
  store: Store,
  machine: string,
  sha256: string,
): Promise<{ readonly profile: string; readonly log_index: number | null } | null> {
  const rows = await read(store, (db) =>
    db
      .select({ profile: profiles.profile, log_index: profiles.log_index })
      .from(profiles)
      .where(and(eq(profiles.machine, machine), eq(profiles.profile_sha256, sha256))),
  );
  return rows[0] ?? null;
}

/**
 * Enrols a profile, and with its first one the machine and its owner, as one entry of the log. False where somebody
 * enrolled this profile or this machine meanwhile: nothing was stored.
 */
export async function insertEnrolment(
  store: Store,
  first: { readonly machine: MachineRow; readonly owner: OwnerRow } | null,
  profile: {
    readonly machine: string;
    readonly sha256: string;
    readonly text: string;
    readonly admitted_at_ms: number;
  },
  draft: Draft,
): Promise<boolean> {
  const { db } = store;
  const newcomers: Statement[] =
    first === null
      ? []
      : [
          db.insert(machines).values(first.machine),
          db.insert(owners).values(first.owner).onConflictDoNothing(),
        ];
  try {
    await write(store, [
      ...append(db, draft),
      ...newcomers,
      db.insert(profiles).values({
        machine: profile.machine,
        profile_sha256: profile.sha256,
        profile: profile.text,
        log_index: lastIndex,
        admitted_at_ms: profile.admitted_at_ms,
      }),
    ]);
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

/** Whether the newest report of a machine, by the first key of its chain, says that it came back by itself or by its watchdog. */
export async function cameBack(store: Store, root: string): Promise<boolean> {
  const rows = await read(store, (db) =>
    db
      .select({ recovery: sql<string>`json_extract(${reports.outcome}, '$.recovery')` })
      .from(reports)
      .innerJoin(tickets, eq(tickets.nonce, reports.nonce))
      .where(eq(tickets.root, root))
      .orderBy(desc(reports.log_index))
      .limit(1),
  );
  return rows[0]?.recovery === 'self' || rows[0]?.recovery === 'watchdog';
}
