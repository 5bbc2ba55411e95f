/** Tickets: each is a log entry and a row, and all tickets of one request are one batch. */
import { and, asc, eq, gt, isNotNull, isNull, lte, not, type SQL, sql } from 'drizzle-orm';
import type { TicketCounts } from '../../schema/answer/status.ts';
import { armedNotes, logEntries, reports, tickets } from '../../schema/tables.ts';
import type { Draft } from '../log/draft.ts';
import { isHeld } from './holds.ts';
import { append, cameSince, lastIndex } from './log.ts';
import { isConflict, read, type Store, write } from './open.ts';

export type TicketRow = typeof tickets.$inferSelect;
export type TicketToIssue = Omit<TicketRow, 'log_index'> & { readonly draft: Draft };

/** The tickets that a machine's request was answered with, in order; none where it has not been. */
export function ticketsOfRequest(store: Store, machine: string, request: string): Promise<TicketRow[]> {
  return read(store, (db) =>
    db
      .select()
      .from(tickets)
      .where(and(eq(tickets.machine, machine), eq(tickets.request, request)))
      .orderBy(asc(tickets.ordinal)),
  );
}

/**
 * Issues all tickets of a machine's request or none. False where the request was answered meanwhile, or where others
 * were issued to the owner's machines from `size`, the log's at the judgment, on; or where one of them was revoked.
 */
export async function insertTickets(
  store: Store,
  issue: readonly TicketToIssue[],
  { root, owner }: Pick<TicketRow, 'root' | 'owner'>,
  size: number,
): Promise<boolean> {
  const { db } = store;
  const subjects = [
    { kind: 'machine', value: root },
    { kind: 'owner', value: owner },
  ] as const;
  const others = cameSince(size, ['ticket'], eq(logEntries.owner, owner));
  const isVoid = sql`${others} or ${isHeld(['revoked'], subjects)}`;
  const statements = issue.flatMap(({ draft, ...row }, i) => [
    // After the first one there is a ticket since.
    ...(i === 0 ? append(db, draft, isVoid) : append(db, draft)),
    db.insert(tickets).values({ ...row, log_index: lastIndex }),
  ]);
  try {
    await write(store, statements);
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}

/** What has become of all tickets by a time. */
export async function countTickets(store: Store, nowMs: number): Promise<TicketCounts> {
  const isPast = lte(tickets.report_by_ms, nowMs);
  const [isReported, isArmed] = [isNotNull(reports.nonce), isNotNull(armedNotes.nonce)];
  const count = (...conditions: SQL[]) => sql<number>`count(case when ${and(...conditions)} then 1 end)`;
  const rows = await read(store, (db) =>
    db
      .select({
        issued: count(isNotNull(tickets.nonce)),
        open: count(not(isReported), not(isArmed), not(isPast)),
        armed: count(not(isReported), isArmed, not(isPast)),
        reported: count(isReported),
        no_reply: count(not(isReported), isArmed, isPast),
        unused: count(not(isReported), not(isArmed), isPast),
      })
      .from(tickets)
      .leftJoin(armedNotes, eq(armedNotes.nonce, tickets.nonce))
      .leftJoin(reports, and(eq(reports.nonce, tickets.nonce), eq(reports.ordinal, 0))),
  );
  return rows[0] ?? { issued: 0, open: 0, armed: 0, reported: 0, no_reply: 0, unused: 0 };
}

/** Tickets of a machine, or of an owner, that were never used. */
export interface Unused {
  /** Neither armed nor reported, and still within the deadline. */
  readonly open: number;
  /** Past the deadline, which was later than the given time, and never heard of. */
  readonly unused: number;
}

/** Counts the tickets of the root of a machine's key, or of an owner's, that were not used. */
export async function countUnused(
  store: Store,
  whose: { readonly root: string } | { readonly owner: string },
  nowMs: number,
  sinceMs: number,
): Promise<Unused> {
  const mine = 'root' in whose ? eq(tickets.root, whose.root) : eq(tickets.owner, whose.owner);
  const untouched = and(isNull(armedNotes.nonce), isNull(reports.nonce));
  const rows = await read(store, (db) =>
    db
      .select({
        open: sql<number>`count(case when ${gt(tickets.report_by_ms, nowMs)} then 1 end)`,
        unused: sql<number>`count(case when ${lte(tickets.report_by_ms, nowMs)} then 1 end)`,
      })
      .from(tickets)
      .leftJoin(armedNotes, eq(armedNotes.nonce, tickets.nonce))
      .leftJoin(reports, eq(reports.nonce, tickets.nonce))
      .where(and(mine, gt(tickets.report_by_ms, sinceMs), untouched)),
  );
  return rows[0] ?? { open: 0, unused: 0 };
}
