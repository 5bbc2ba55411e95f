/** Admitted reports as they are shown: one whole, or a page of short rows. Only those of the lab show their contents. */
import { and, desc, eq, lt } from 'drizzle-orm';
import type { LabReport, ReportSummary, WithheldReport } from '../../schema/answer/report.ts';
import { toBase64 } from '../../schema/bytes.ts';
import { type Envelope, payloadType } from '../../schema/envelope.ts';
import { outcome as outcomeSchema } from '../../schema/outcome.ts';
import { envelopes, profiles, reports, tickets } from '../../schema/tables.ts';
import type { Label } from '../../schema/vocabulary.ts';
import { ticketOf } from '../admit/tickets.ts';
import { instant } from '../time.ts';
import { read, type Store } from './open.ts';
import type { ReportRow } from './reports.ts';
import { storedProfile, storedReport } from './stored.ts';
import type { TicketRow } from './tickets.ts';
import { standingLabels } from './trust.ts';

/** Labels that reports carried for ever before there was trust that can change. */
const standing: readonly Label[] = ['enrolled', 'vouched', 'reference'];

/** The labels of each report: those that stand now by who sent it, and those that stand for ever. */
async function labelsOf(
  store: Store,
  rows: readonly { readonly report: ReportRow; readonly ticket: TicketRow }[],
): Promise<Label[][]> {
  const judged = rows.map(({ report, ticket }) => ({
    machine: ticket.root,
    owner: ticket.owner,
    agent_version: report.agent_version,
    scenario_set: ticket.scenario_set,
    log_index: report.log_index,
  }));
  const now = await standingLabels(store, judged);
  return rows.map(({ report }, i) => {
    const own = (JSON.parse(report.labels) as Label[]).filter((label) => !standing.includes(label));
    return [...(now[i] ?? []), ...own];
  });
}

/** The report at a log index, whole or withheld, or null. */
export async function publishedReport(
  store: Store,
  logIndex: number,
): Promise<LabReport | Omit<WithheldReport, 'note'> | null> {
  const rows = await read(store, (db) =>
    db
      .select({
        report: reports,
        body: envelopes,
        ticket: tickets,
        population: tickets.population,
        profile: profiles.profile,
      })
      .from(reports)
      .innerJoin(envelopes, eq(envelopes.hash, reports.report_hash))
      .innerJoin(tickets, eq(tickets.nonce, reports.nonce))
      .innerJoin(
        profiles,
        and(eq(profiles.machine, tickets.machine), eq(profiles.profile_sha256, tickets.profile_sha256)),
      )
      .where(eq(reports.log_index, logIndex)),
  );
  const row = rows[0];
  if (row === undefined) return null;
  const [labels = []] = await labelsOf(store, [row]);
  const said = {
    report_id: String(row.report.log_index),
    admitted_at: instant(row.report.admitted_at_ms),
    labels,
  };
  if (row.population === 'metal') return { ...said, population: 'metal' };
  const body = storedReport(row.body.payload);
  const envelope: Envelope = {
    payload: toBase64(row.body.payload),
    payloadType: payloadType('report'),
    signatures: [{ keyid: row.report.machine, sig: toBase64(row.body.signature) }],
  };
  return {
    ...said,
    body,
    outcome: outcomeSchema.parse(JSON.parse(row.report.outcome)),
    envelope,
    profile: storedProfile(row.profile),
  };
}

/** At most `count` reports of the lab below a log index, newest first. */
export async function reportsBelow(store: Store, logIndex: number, count: number): Promise<ReportSummary[]> {
  const rows = await read(store, (db) =>
    db
      .select({ report: reports, ticket: tickets })
      .from(reports)
      .innerJoin(tickets, eq(tickets.nonce, reports.nonce))
      .where(and(lt(reports.log_index, logIndex), eq(tickets.population, 'lab')))
      .orderBy(desc(reports.log_index))
      .limit(count),
  );
  const labels = await labelsOf(store, rows);
  return rows.map(({ report, ticket }, i) => ({
    report_id: String(report.log_index),
    admitted_at: instant(report.admitted_at_ms),
    machine: report.machine,
    labels: labels[i] ?? [],
    scenario: ticketOf(ticket).scenario,
    mechanism: ticket.mechanism,
    result: outcomeSchema.parse(JSON.parse(report.outcome)).result,
  }));
}
