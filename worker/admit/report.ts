/**
 * `POST /v1/reports`: admits the signed report on a trial. Accept and label: the server derives the outcome again
 * and says where it disagrees; it never changes a report and never drops one silently.
 */
import { classify } from '../../schema/classify/classify.ts';
import { type Outcome, outcome as outcomeSchema } from '../../schema/outcome.ts';
import type { Label } from '../../schema/vocabulary.ts';
import { limits, type Receipt, type ReportBody, reportBody } from '../../schema/wire.ts';
import { type Fault, refuseIf } from '../refusal.ts';
import type { Services } from '../services.ts';
import { commitTo } from '../store/log.ts';
import { insertReport, type ReportRow } from '../store/reports.ts';
import type { TicketRow } from '../store/tickets.ts';
import { instant } from '../time.ts';
import type { Admission } from './admission.ts';
import { machineLabels } from './enrol.ts';
import { factsOf } from './facts.ts';
import { openEnvelope } from './open.ts';
import { ownTrial, profileOf } from './own-trial.ts';

/** Admits a report; the same one again gets its first receipt. Throws a Refusal; then nothing was stored. */
export async function admitReport(services: Services, bytes: Uint8Array): Promise<Admission<Receipt>> {
  const { store, now, random } = services;
  const { body, payload, signature, hash } = await openEnvelope(bytes, 'report', reportBody);
  const trial = await ownTrial(services, body);
  const { machine, ticket, report: earlier } = trial;
  if (earlier?.report_hash === hash) return { fresh: false, answer: receiptOf(earlier) };
  const nowMs = now();
  refuseIf(
    faultOfMatch(body, ticket) ?? faultOfTime(body, ticket, nowMs) ?? faultOfSecond(earlier, ticket.nonce),
  );

  const outcome = classify(body.evidence, body.scenario, body.mechanism);
  const labels = [...machineLabels(machine), ...labelsOf(body, ticket, outcome, nowMs)];
  const facts = factsOf(ticket, profileOf(trial), {
    kind: 'report',
    result: outcome.result,
    stage: outcome.reached.proven,
    report_by_ms: null,
  });
  const row = {
    nonce: ticket.nonce,
    report_hash: hash,
    machine: body.machine,
    admitted_at_ms: nowMs,
    labels: JSON.stringify(labels),
    outcome: JSON.stringify(outcome),
  };
  const committed = await commitTo(hash, random(16));
  const inserted = await insertReport(store, row, { payload, signature }, committed, facts);
  if (inserted !== null) return { fresh: true, answer: receiptOf(inserted) };

  // Another request was faster: with the same report, or with a different one.
  const { report: meanwhile } = await ownTrial(services, body);
  if (meanwhile === null)
    throw new Error(`the report on ${ticket.nonce} was neither stored nor there before`);
  if (meanwhile.report_hash !== hash) refuseIf(faultOfSecond(meanwhile, ticket.nonce));
  return { fresh: false, answer: receiptOf(meanwhile) };
}

function receiptOf(row: ReportRow): Receipt {
  return {
    report_id: String(row.log_index),
    log_index: row.log_index,
    admitted_at: instant(row.admitted_at_ms),
  };
}

/** The first field in which a report differs from its ticket. */
export function faultOfMatch(body: ReportBody, ticket: TicketRow): Fault | null {
  const pairs: readonly (readonly [string, string | number, string | number])[] = [
    ['population', body.population, ticket.population],
    ['profile_sha256', body.profile_sha256, ticket.profile_sha256],
    ['scenario.set', body.scenario.set, ticket.scenario_set],
    ['scenario.crash_point', body.scenario.crash_point, ticket.crash_point],
    ['scenario.crash_type', body.scenario.crash_type, ticket.crash_type],
    ['scenario.load', body.scenario.load, ticket.load],
    ['scenario.mitigation', body.scenario.mitigation, ticket.mitigation],
    ['scenario.set_up', body.scenario.set_up, ticket.set_up],
    ['scenario.in_flight_min', body.scenario.in_flight_min, ticket.in_flight_min],
    ['mechanism', body.mechanism, ticket.mechanism],
    ['environment', body.environment, ticket.environment],
  ];
  const differing = pairs.find(([, reported, issued]) => reported !== issued);
  if (differing === undefined) return null;
  const [field, reported, issued] = differing;
  return {
    slug: 'ticket-mismatch',
    detail: `${field} is ${reported}; ticket ${ticket.nonce} was issued for ${issued}.`,
  };
}

/** Whether a report is dated in the future, or is too late to be of use. */
export function faultOfTime(body: ReportBody, ticket: TicketRow, nowMs: number): Fault | null {
  if (Date.parse(body.reported_at) > nowMs + limits.futureMaxMs) {
    return {
      slug: 'report-from-future',
      detail: `reported_at is ${body.reported_at}; the server has ${instant(nowMs)}.`,
    };
  }
  if (nowMs > ticket.report_by_ms + limits.lateMaxMs) {
    return {
      slug: 'report-too-late',
      detail: `Ticket ${ticket.nonce} was to be reported by ${instant(ticket.report_by_ms)}; the server has ${instant(nowMs)}.`,
    };
  }
  return null;
}

function faultOfSecond(earlier: ReportRow | null, nonce: string): Fault | null {
  if (earlier === null) return null;
  return {
    slug: 'different-report',
    detail: `Ticket ${nonce} has report ${earlier.log_index}, whose bytes are others than these.`,
  };
}

/** What the server says of a report beside who sent it. */
export function labelsOf(body: ReportBody, ticket: TicketRow, derived: Outcome, nowMs: number): Label[] {
  const labels: Label[] = [];
  if (nowMs > ticket.report_by_ms) labels.push('late');
  if (!sameOutcome(body.outcome, derived)) labels.push('outcome-differs');
  return labels;
}

/** Equal in every field, whatever the order of fields. */
function sameOutcome(a: Outcome, b: Outcome): boolean {
  return JSON.stringify(outcomeSchema.parse(a)) === JSON.stringify(outcomeSchema.parse(b));
}
