/** Enrolled machines and their profiles. */
import { and, eq } from 'drizzle-orm';
import { machines, profiles } from '../../schema/tables.ts';
import { isConflict, read, type Store, write } from './open.ts';

export type MachineRow = typeof machines.$inferSelect;

/** The machine with this key, or null. */
export async function findMachine(store: Store, machine: string): Promise<MachineRow | null> {
  const rows = await read(store, (db) => db.select().from(machines).where(eq(machines.machine, machine)));
  return rows[0] ?? null;
}

/** The text of a profile of a machine, or null. */
export async function findProfile(store: Store, machine: string, sha256: string): Promise<string | null> {
  const rows = await read(store, (db) =>
    db
      .select({ profile: profiles.profile })
      .from(profiles)
      .where(and(eq(profiles.machine, machine), eq(profiles.profile_sha256, sha256))),
  );
  return rows[0]?.profile ?? null;
}

/** Enrols a machine with its first profile. False where somebody enrolled it meanwhile: nothing was stored. */
export async function insertMachine(
  store: Store,
  row: MachineRow,
  profile: { sha256: string; text: string },
): Promise<boolean> {
  const { db } = store;
  const profileRow = {
    machine: row.machine,
    profile_sha256: profile.sha256,
    profile: profile.text,
    admitted_at_ms: row.enrolled_at_ms,
  };
  try {
    await write(store, [db.insert(machines).values(row), db.insert(profiles).values(profileRow)]);
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

/** Adds a profile to an enrolled machine, and brings its `reference` mark up to date. A known profile stays as it is. */
export async function insertProfile(
  store: Store,
  row: MachineRow,
  profile: { sha256: string; text: string },
  nowMs: number,
): Promise<void> {
  const { db } = store;
  await write(store, [
    db.update(machines).set({ reference: row.reference }).where(eq(machines.machine, row.machine)),
    db
      .insert(profiles)
      .values({
        machine: row.machine,
        profile_sha256: profile.sha256,
        profile: profile.text,
        admitted_at_ms: nowMs,
      })
      .onConflictDoNothing(),
  ]);
}
