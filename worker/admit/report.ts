/**
 * `POST /v1/reports`: admits the signed report on a trial. Accept and label: the server derives the outcome again
 * and says where it disagrees; it never changes a report and never drops one silently.
 */
import { classify } from '../../schema/classify/classify.ts';
import { type Outcome, outcome as outcomeSchema } from '../../schema/outcome.ts';
import type { Label } from '../../schema/vocabulary.ts';
import { limits, type Receipt, type ReportBody, reportBody } from '../../schema/wire.ts';
import { draftEntry } from '../log/draft.ts';
import { entryAnswerOf } from '../log/promise.ts';
import { factsOf, reportRowOf, type Terms, ticketRowOf } from '../log/rows.ts';
import { type Fault, refuseIf } from '../refusal.ts';
import type { Services } from '../services.ts';
import { logSize, type StoredEntry, storedEntry } from '../store/log.ts';
import { heldSince, insertReport, type ReportRow } from '../store/reports.ts';
import { instant } from '../time.ts';
import type { Admission } from './admission.ts';
import { faultOfAmendment } from './amendment.ts';
import { holdFalseCapture } from './control.ts';
import { judgedInTime } from './once.ts';
import { openEnvelope } from './open.ts';
import { ownTrial, profileOf } from './own-trial.ts';
import { faultOfReceiver } from './receiver.ts';

/** Admits a report; the same one again gets its first receipt. Throws a Refusal; then nothing was stored. */
export async function admitReport(services: Services, bytes: Uint8Array): Promise<Admission<Receipt>> {
  const { store, now } = services;
  const { body, request } = await openEnvelope(
    services,
    bytes,
    'report',
    reportBody,
    ({ machine }) => machine,
  );
  refuseIf(await faultOfReceiver(body));
  const { hash } = request;
  const trial = await ownTrial(services, body);
  const { ticket } = trial;
  const known = [trial.report, trial.amendment].find((report) => report?.report_hash === hash);
  if (known) return { fresh: false, answer: await receiptOf(services, known) };
  const nowMs = now();
  refuseIf(faultOfMatch(body, ticket) ?? faultOfTime(body, ticket, nowMs) ?? faultOfAmendment(body, trial));

  const outcome = classify(body.evidence, body.scenario, body.mechanism);
  const labels = labelsOf(body, ticket, outcome, nowMs);
  const publicRow = reportRowOf(
    body,
    amends(body) ? (trial.report?.log_index ?? null) : null,
    outcome,
    labels,
  );
  const publicTicket = ticketRowOf(ticket, profileOf(trial));
  const facts = factsOf(publicTicket, { kind: 'report', row: publicRow });
  const row = {
    nonce: ticket.nonce,
    ordinal: amends(body) ? 1 : 0,
    report_hash: hash,
    machine: body.machine,
    agent_version: body.agent_version,
    admitted_at_ms: nowMs,
    labels: JSON.stringify(labels),
    outcome: JSON.stringify(outcome),
  };
  const draft = await draftEntry(services, 'report', publicRow, request, publicTicket, nowMs);
  const insert = async () => {
    if (!labels.includes('false-capture')) return insertReport(store, row, draft, facts, []);
    const size = await logSize(store);
    const held = await holdFalseCapture(services, ticket, body.agent_version, nowMs);
    return insertReport(store, row, draft, facts, held, heldSince(size));
  };
  return judgedInTime(async () => {
    const inserted = await insert();
    if (inserted !== null) return { fresh: true, answer: await answer(services, inserted) };
    // Another request was faster: with the same report, with a different one, or with a false capture.
    const meanwhile = await ownTrial(services, body);
    const same = [meanwhile.report, meanwhile.amendment].find((report) => report?.report_hash === hash);
    if (same) return { fresh: false, answer: await receiptOf(services, same) };
    refuseIf(faultOfAmendment(body, meanwhile));
    return null;
  });
}

/** Whether a report says that it amends another one. */
function amends(body: ReportBody): boolean {
  return body.version !== '1.0' && body.amends !== null;
}

async function answer(services: Services, entry: StoredEntry): Promise<Receipt> {
  return { report_id: String(entry.log_index), ...(await entryAnswerOf(services, entry)) };
}

async function receiptOf(services: Services, row: ReportRow): Promise<Receipt> {
  const entry = await storedEntry(services.store, row.log_index);
  if (entry === null) throw new Error(`the entry of report ${row.log_index} is gone`);
  return answer(services, entry);
}

/** The first field in which a report differs from its ticket. */
export function faultOfMatch(body: ReportBody, ticket: Terms): Fault | null {
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
export function faultOfTime(body: ReportBody, ticket: Terms, nowMs: number): Fault | null {
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

/** The labels of a report that stand for ever: what it is, whoever sent it. */
export function labelsOf(
  body: ReportBody,
  ticket: Pick<Terms, 'report_by_ms' | 'control'>,
  derived: Outcome,
  nowMs: number,
): Label[] {
  const labels: Label[] = [];
  if (nowMs > ticket.report_by_ms) labels.push('late');
  if (!sameOutcome(body.outcome, derived)) labels.push('outcome-differs');
  if (amends(body)) labels.push('amendment');
  if (ticket.control) labels.push('control');
  if (ticket.control && derived.result === 'captured') labels.push('false-capture');
  return labels;
}

/** Equal in every field, whatever the order of fields. */
function sameOutcome(a: Outcome, b: Outcome): boolean {
  return JSON.stringify(outcomeSchema.parse(a)) === JSON.stringify(outcomeSchema.parse(b));
}
