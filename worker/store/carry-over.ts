/**
 * Carries the log of before it had a tree over into the one that has: each entry keeps its index and its time, and
 * gets its public row and its leaf. Of tickets and armed notes only the rows were kept then, so their entries commit
 * to no envelope. Killed at any point it goes on where it was; where there is nothing to carry it does nothing.
 */
import { and, eq, sql } from 'drizzle-orm';
import type { RowOf } from '../../schema/log/row.ts';
import { outcome as outcomeSchema } from '../../schema/outcome.ts';
import { armedNotes, envelopes, machines, profiles, reports, tickets } from '../../schema/tables.ts';
import type { Label } from '../../schema/vocabulary.ts';
import { type Draft, draftEntry, type SignedRequest } from '../log/draft.ts';
import { ticketRowOf } from '../log/rows.ts';
import { instant } from '../time.ts';
import { append, logSize } from './log.ts';
import { patiently, read, type Statement, type Store, write } from './open.ts';
import { storedProfile } from './stored.ts';
import type { TicketRow } from './tickets.ts';

interface EarlierEntry {
  readonly log_index: number;
  readonly kind: 'ticket' | 'armed' | 'report';
  readonly appended_at_ms: number;
}

type Random = (byteCount: number) => Uint8Array<ArrayBuffer>;

const entriesPerBatch = 200;

/** Labels that a report had from who sent it are asked of the trust that stands. */
const standing: readonly Label[] = ['enrolled', 'vouched', 'reference'];

/** Carries everything over. Called after the migrations and before anything is appended. */
export async function carryOver(store: Store, random: Random): Promise<void> {
  const there = await patiently(store, () =>
    store.client.execute("select 1 from sqlite_master where type = 'table' and name = 'log_before'"),
  );
  if (there.rows.length === 0) return;
  for (let from = await logSize(store); ; from += entriesPerBatch) {
    const entries = await read(store, (db) =>
      db.all<EarlierEntry>(sql`select log_index, kind, appended_at_ms from log_before
        where log_index >= ${from} order by log_index limit ${entriesPerBatch}`),
    );
    const statements: Statement[] = [];
    for (const entry of entries) statements.push(...append(store.db, await draftOf(store, entry, random)));
    await write(store, statements);
    if (entries.length < entriesPerBatch) break;
  }
  await write(store, [...(await enrolments(store, random)), store.db.run(sql`drop table log_before`)]);
}

async function draftOf(store: Store, entry: EarlierEntry, random: Random): Promise<Draft> {
  if (entry.kind === 'ticket') return ticketDraft(store, entry, random);
  return entry.kind === 'armed' ? armedDraft(store, entry, random) : reportDraft(store, entry, random);
}

function gone({ kind, log_index }: EarlierEntry): Error {
  return new Error(`entry ${log_index} of the earlier log is a ${kind} whose row is gone`);
}

function draftFor<K extends keyof RowOf>(
  random: Random,
  entry: EarlierEntry,
  kind: K,
  row: RowOf[K],
  request: SignedRequest | null,
  { population, root: machine, owner }: TicketRow,
): Promise<Draft> {
  return draftEntry({ random }, kind, row, request, { population, machine, owner }, entry.appended_at_ms);
}

async function ticketDraft(store: Store, entry: EarlierEntry, random: Random): Promise<Draft> {
  const rows = await read(store, (db) =>
    db
      .select({ ticket: tickets, profile: profiles.profile })
      .from(tickets)
      .innerJoin(
        profiles,
        and(eq(profiles.machine, tickets.machine), eq(profiles.profile_sha256, tickets.profile_sha256)),
      )
      .where(eq(tickets.log_index, entry.log_index)),
  );
  if (!rows[0]) throw gone(entry);
  const { ticket, profile } = rows[0];
  const row = ticketRowOf(ticket, storedProfile(profile));
  return draftFor(random, entry, 'ticket', row, null, ticket);
}

async function armedDraft(store: Store, entry: EarlierEntry, random: Random): Promise<Draft> {
  const rows = await read(store, (db) =>
    db
      .select({ armed: armedNotes, ticket: tickets })
      .from(armedNotes)
      .innerJoin(tickets, eq(tickets.nonce, armedNotes.nonce))
      .where(eq(armedNotes.log_index, entry.log_index)),
  );
  if (!rows[0]) throw gone(entry);
  const { armed, ticket } = rows[0];
  const row = { nonce: armed.nonce, armed_at: instant(armed.armed_at_ms) };
  return draftFor(random, entry, 'armed', row, null, ticket);
}

async function reportDraft(store: Store, entry: EarlierEntry, random: Random): Promise<Draft> {
  const rows = await read(store, (db) =>
    db
      .select({ report: reports, ticket: tickets, envelope: envelopes })
      .from(reports)
      .innerJoin(tickets, eq(tickets.nonce, reports.nonce))
      .innerJoin(envelopes, eq(envelopes.hash, reports.report_hash))
      .where(eq(reports.log_index, entry.log_index)),
  );
  if (!rows[0]) throw gone(entry);
  const { report, ticket, envelope } = rows[0];
  const row = {
    nonce: report.nonce,
    amends: null,
    agent_version: report.agent_version,
    outcome: outcomeSchema.parse(JSON.parse(report.outcome)),
    labels: (JSON.parse(report.labels) as Label[]).filter((label) => !standing.includes(label)),
  };
  return draftFor(random, entry, 'report', row, envelope, ticket);
}

/** Entries for the machines that were enrolled when enrolments had none. */
async function enrolments(store: Store, random: Random): Promise<Statement[]> {
  const rows = await read(store, (db) =>
    db
      .select({
        machine: machines,
        population: sql<'lab' | 'metal'>`json_extract(min(${profiles.profile}), '$.population')`,
      })
      .from(machines)
      .innerJoin(profiles, eq(profiles.machine, machines.machine))
      .groupBy(machines.machine)
      .orderBy(machines.enrolled_at_ms, machines.machine),
  );
  const statements: Statement[] = [];
  for (const { machine, population } of rows) {
    const row = { machine: machine.root, owner: machine.owner, population };
    const draft = await draftEntry({ random }, 'enrol', row, null, row, machine.enrolled_at_ms);
    statements.push(...append(store.db, draft));
  }
  return statements;
}
