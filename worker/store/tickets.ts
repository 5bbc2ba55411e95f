/** Tickets: each is a log entry and a row, and all tickets of one request are one batch. */
import { and, asc, eq } from 'drizzle-orm';
import { tickets } from '../../schema/tables.ts';
import { append, type Commitment, lastIndex } from './log.ts';
import { isConflict, read, type Store, write } from './open.ts';

export type TicketRow = typeof tickets.$inferSelect;
export type TicketToIssue = Omit<TicketRow, 'log_index'> & { readonly committed: Commitment };

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

/** Issues all tickets or none. False where the request was answered meanwhile: nothing was stored. */
export async function insertTickets(store: Store, issue: readonly TicketToIssue[]): Promise<boolean> {
  const { db } = store;
  const statements = issue.flatMap(({ committed, ...row }) => [
    append(db, 'ticket', committed, row.issued_at_ms),
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
