/** Withdrawals: payloads, signatures, salts and rows are deleted; entries stay as the hashes that the tree has. */
import { and, asc, eq, inArray, isNotNull, sql } from 'drizzle-orm';
import {
  armedNotes,
  envelopes,
  facts,
  logEntries,
  machines,
  owners,
  profiles,
  reports,
  tickets,
} from '../../schema/tables.ts';
import type { KeyRole } from '../../schema/vocabulary.ts';
import type { Draft } from '../log/draft.ts';
import { append, appendedEntry, lastIndex, type StoredEntry } from './log.ts';
import { emptyWriteAheadLog, isConflict, read, type Store, write } from './open.ts';
import { endTrust } from './trust.ts';

/** Whose data is withdrawn: a chain of keys by its first one. */
export interface Withdrawn {
  readonly role: KeyRole;
  readonly root: string;
}

function entriesOf({ role, root }: Withdrawn) {
  const column = role === 'machine' ? logEntries.machine : logEntries.owner;
  return and(eq(column, root), isNotNull(logEntries.row));
}

/** The log indices of all contents that are there, ascending. */
export async function contentsOf(store: Store, withdrawn: Withdrawn): Promise<number[]> {
  const rows = await read(store, (db) =>
    db
      .select({ log_index: logEntries.log_index })
      .from(logEntries)
      .where(entriesOf(withdrawn))
      .orderBy(asc(logEntries.log_index)),
  );
  return rows.map(({ log_index }) => log_index);
}

/** Ascending indices as inclusive ranges. */
export function rangesOf(indices: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const index of indices) {
    const last = ranges.at(-1);
    if (last && last[1] === index - 1) last[1] = index;
    else ranges.push([index, index]);
  }
  return ranges;
}

/**
 * Appends the tombstone and deletes everything that it names, all or nothing. Null where the data was
 * withdrawn meanwhile, or where there are other entries than the tombstone names: nothing was done.
 */
export async function withdraw(
  store: Store,
  withdrawn: Withdrawn,
  indices: readonly number[],
  draft: Draft,
): Promise<StoredEntry | null> {
  const { db } = store;
  const isMachine = withdrawn.role === 'machine';
  const mine = isMachine ? eq(tickets.root, withdrawn.root) : eq(tickets.owner, withdrawn.root);
  const nonces = db.select({ nonce: tickets.nonce }).from(tickets).where(mine);
  const keys = db
    .select({ machine: machines.machine })
    .from(machines)
    .where(isMachine ? eq(machines.root, withdrawn.root) : eq(machines.owner, withdrawn.root));
  // Entries that came in have higher indices than all before: as many with the same sum are the same.
  const sum = indices.reduce((total, index) => total + index, 0);
  const there = sql`from ${logEntries} where ${entriesOf(withdrawn)}`;
  const isGone = isMachine
    ? sql`exists (select 1 from ${machines} where ${and(eq(machines.root, withdrawn.root), isNotNull(machines.withdrawn_index))})`
    : sql`exists (select 1 from ${owners} where ${and(eq(owners.root, withdrawn.root), isNotNull(owners.withdrawn_index))})`;
  const isOther = sql`${isGone} or (select count(*) ${there}) <> ${indices.length}
    or (select total(${logEntries.log_index}) ${there}) <> ${sum}`;
  const ownersToo = isMachine
    ? []
    : [
        db.update(owners).set({ withdrawn_index: lastIndex }).where(eq(owners.root, withdrawn.root)),
        endTrust(db, withdrawn.root),
      ];
  try {
    const results = await write(store, [
      ...append(db, draft, isOther),
      db
        .delete(envelopes)
        .where(
          inArray(
            envelopes.hash,
            db.select({ hash: logEntries.envelope_hash }).from(logEntries).where(entriesOf(withdrawn)),
          ),
        ),
      db.delete(facts).where(isMachine ? eq(facts.machine, withdrawn.root) : eq(facts.owner, withdrawn.root)),
      db.delete(armedNotes).where(inArray(armedNotes.nonce, nonces)),
      db.delete(reports).where(inArray(reports.nonce, nonces)),
      db.delete(profiles).where(inArray(profiles.machine, keys)),
      db.delete(tickets).where(mine),
      db
        .update(logEntries)
        .set({ row: null, row_salt: null, envelope_salt: null, envelope_hash: null })
        .where(entriesOf(withdrawn)),
      db.update(machines).set({ withdrawn_index: lastIndex }).where(inArray(machines.machine, keys)),
      ...ownersToo,
    ]);
    await emptyWriteAheadLog(store);
    return appendedEntry(results, draft);
  } catch (error) {
    if (isConflict(error)) return null;
    throw error;
  }
}
