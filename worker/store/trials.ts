/** Everything that is known of a trial, in one query: at the edge each query is a way over the network. */
import { aliasedTable, and, eq } from 'drizzle-orm';
import { armedNotes, machines, profiles, reports, tickets } from '../../schema/tables.ts';
import type { ArmedRow } from './armed.ts';
import type { MachineRow } from './machines.ts';
import { read, type Store } from './open.ts';
import type { ReportRow } from './reports.ts';
import type { TicketRow } from './tickets.ts';

/** What is known of a trial to an enrolled machine, which need not be the ticket's. */
export interface KnownTrial {
  readonly machine: MachineRow;
  readonly ticket: TicketRow | null;
  /** The text of the profile that the ticket was issued for. */
  readonly profile: string | null;
  readonly armed: ArmedRow | null;
  readonly report: ReportRow | null;
  readonly amendment: ReportRow | null;
}

const amendments = aliasedTable(reports, 'amendments');

/** The trial of a ticket, as a machine asks for it; null where the machine is not enrolled. */
export async function findTrial(store: Store, machine: string, nonce: string): Promise<KnownTrial | null> {
  const rows = await read(store, (db) =>
    db
      .select({
        machine: machines,
        ticket: tickets,
        profile: profiles.profile,
        armed: armedNotes,
        report: reports,
        amendment: amendments,
      })
      .from(machines)
      .leftJoin(tickets, eq(tickets.nonce, nonce))
      .leftJoin(
        profiles,
        and(eq(profiles.machine, tickets.machine), eq(profiles.profile_sha256, tickets.profile_sha256)),
      )
      .leftJoin(armedNotes, eq(armedNotes.nonce, tickets.nonce))
      .leftJoin(reports, and(eq(reports.nonce, tickets.nonce), eq(reports.ordinal, 0)))
      .leftJoin(amendments, and(eq(amendments.nonce, tickets.nonce), eq(amendments.ordinal, 1)))
      .where(eq(machines.machine, machine)),
  );
  return rows[0] ?? null;
}
