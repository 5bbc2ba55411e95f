/** The rules of trials: tickets before crashes, armed notes in time, one report for each ticket and one amendment. */
import { classify } from '../../../schema/classify/classify.ts';
import type { ReportRow, RowOf } from '../../../schema/log/row.ts';
import type { Profile } from '../../../schema/profile.ts';
import { findScenario, scenarioId, scenarioSets } from '../../../schema/scenario.ts';
import { limits, type ReportBody, type TicketsBody } from '../../../schema/wire.ts';
import { faultOfAmendment } from '../../admit/amendment.ts';
import { faultOfArming } from '../../admit/armed.ts';
import { faultOfMatch, faultOfTime, labelsOf } from '../../admit/report.ts';
import { faultOfRisk } from '../../admit/tickets.ts';
import { reportRowOf, type Terms, termsOf, ticketRowOf } from '../../log/rows.ts';
import type { Absent } from '../checks.ts';
import type { ItemOf } from '../contents.ts';
import { type History, nameOf, raceMs, type Trial } from './history.ts';
import { mustBeCurrent, mustNotBeRevoked, mustNotBeWithdrawn } from './keys.ts';
import { type Derived, type Ruling, ruling } from './ruling.ts';

/** Why the request behind an entry about a trial is not there. Where no reason holds it is a flaw (`isHidden`). */
function absenceOf(item: ItemOf<'ticket' | 'armed' | 'report'>): Absent {
  return item.isSigned ? 'withheld' : 'unkept';
}

/** A ticket: of an enrolled machine, for a profile that it told, for a scenario of its set, with deadlines as agreed. */
export function judgeTicket(
  item: ItemOf<'ticket'>,
  history: History,
): { readonly rules: Ruling; readonly derived: Derived<RowOf['ticket']> } {
  const { row, said, admittedMs } = item;
  const rules = ruling();
  rules.must(!history.trials.has(row.nonce), 'a nonce that no other ticket has', row.nonce);
  const machine = history.chains.find('machine', row.machine);
  // Before the log had a tree, enrolments were not in it: they were carried over behind the tickets.
  if (item.isSigned || machine !== null) {
    rules.must(
      machine !== null && machine.root === row.machine && machine.owner === row.owner,
      `a machine that owner ${row.owner} enrolled before`,
      machine === null ? `${row.machine}, whom no earlier entry enrols` : `one of owner ${machine.owner}`,
    );
  }
  mustNotBeWithdrawn(rules, history, 'machine', row.machine);
  mustNotBeWithdrawn(rules, history, 'owner', row.owner);
  if (item.isSigned) {
    mustNotBeRevoked(rules, history, 'machine', row.machine);
    mustNotBeRevoked(rules, history, 'owner', row.owner);
  }
  mustKeepTimes(rules, item);
  mustBeOfSet(rules, row);
  const names = row.parts.map(({ driver, role }) => `${driver} ${role}`);
  rules.must(
    new Set(names).size === names.length,
    'each driver with each of its roles once',
    names.join(', '),
  );
  if (said === null) return { rules, derived: { absent: absenceOf(item) } };

  const { body, request } = said;
  mustBeCurrent(rules, history, 'machine', body.machine, admittedMs);
  rules.must(
    !row.control || (body.version !== '1.0' && body.controls),
    'no control where the request allows none',
    'a control',
  );
  const id = idOfTicket(rules, item, body, request.hash, history);
  const root = history.chains.rootOf('machine', body.machine);
  const profile = history.profiles.get(body.profile_sha256);
  const isTold = history.told.has(nameOf(root, body.profile_sha256));
  if (profile === undefined || !isTold) {
    const why = history.untold.get(root);
    if (why !== undefined) return { rules, derived: { absent: why } };
    return { rules, derived: { fault: `no row: machine ${root} told no profile ${body.profile_sha256}` } };
  }
  return { rules, derived: derivedTicket(item, body, id, root, profile, history) };
}

/** The id of the scenario that this ticket of its request is for. */
function idOfTicket(
  rules: Ruling,
  { index }: ItemOf<'ticket'>,
  body: TicketsBody,
  hash: string,
  history: History,
): string {
  const open = history.request?.hash === hash ? history.request : null;
  if (open === null) {
    const name = nameOf(body.machine, body.request);
    rules.must(
      !history.answered.has(name),
      `request ${body.request} answered once`,
      `a second time, by entry ${index}`,
    );
  }
  const at = open?.next ?? 0;
  rules.must(at < body.scenarios.length, `${body.scenarios.length} tickets for this request`, `one more`);
  return body.scenarios[at] ?? '';
}

function derivedTicket(
  { row, admittedMs }: ItemOf<'ticket'>,
  body: TicketsBody,
  id: string,
  root: string,
  profile: Profile,
  { chains }: History,
): Derived<RowOf['ticket']> {
  const scenario = findScenario(body.set, id);
  if (scenario === null) return { fault: `no row: set ${body.set} has no scenario ${id}` };
  const isOffline = body.version !== '1.0' && body.offline;
  const { crash_point, crash_type, load, mitigation, set_up, in_flight_min } = scenario;
  const terms: Terms = {
    // The server draws nonces and controls.
    nonce: row.nonce,
    control: row.control,
    root,
    owner: chains.find('machine', root)?.owner ?? '',
    profile_sha256: body.profile_sha256,
    population: profile.population,
    scenario_set: body.set,
    ...{ crash_point, crash_type, load, mitigation, set_up, in_flight_min },
    mechanism: body.mechanism,
    environment: body.environment,
    issued_at_ms: admittedMs,
    arm_by_ms: admittedMs + (isOffline ? limits.offlineArmWithinMs : limits.armWithinMs),
    report_by_ms: admittedMs + (isOffline ? limits.offlineReportWithinMs : limits.reportWithinMs),
  };
  return { row: ticketRowOf(terms, profile) };
}

/** A ticket is admitted when it is issued, and its deadlines are of one of two kinds. */
function mustKeepTimes(rules: Ruling, { row, admittedMs, isSigned }: ItemOf<'ticket'>): void {
  const issuedMs = Date.parse(row.issued_at);
  if (isSigned) rules.must(issuedMs === admittedMs, 'a ticket issued when it was admitted', row.issued_at);
  const pairs = [
    [limits.armWithinMs, limits.reportWithinMs],
    [limits.offlineArmWithinMs, limits.offlineReportWithinMs],
  ];
  const [armMs, reportMs] = [Date.parse(row.arm_by) - issuedMs, Date.parse(row.report_by) - issuedMs];
  rules.must(
    pairs.some(([arm, report]) => arm === armMs && report === reportMs),
    'deadlines as agreed',
    `arm_by ${row.arm_by} and report_by ${row.report_by}`,
  );
}

function mustBeOfSet(rules: Ruling, { scenario, population }: RowOf['ticket']): void {
  const { set, ...fields } = scenario;
  const id = scenarioId(fields);
  const known = scenarioSets[set].find((s) => scenarioId(s) === id);
  rules.must(known?.in_flight_min === fields.in_flight_min, `a scenario of set ${set}`, id);
  rules.mustNot(faultOfRisk(set, fields, population), 'a scenario that this machine may run');
}

/** Whether the signer may speak of the trial: the ticket's own machine, or the newest key of its chain. */
function mustBeOwn(rules: Ruling, history: History, trial: Trial, signer: string, atMs: number): void {
  const link = history.chains.find('machine', signer);
  const root = link?.root ?? signer;
  rules.must(root === trial.row.machine, `a signature of machine ${trial.row.machine}`, `one of ${signer}`);
  if (trial.machine === null) return;
  const isNewest = link?.replacedAtMs == null || atMs <= link.replacedAtMs + raceMs;
  rules.must(
    signer === trial.machine || isNewest,
    `the key that asked for the ticket, ${trial.machine}, or the newest of its chain`,
    signer,
  );
}

function trialOf(rules: Ruling, history: History, nonce: string): Trial | null {
  const trial = history.trials.get(nonce) ?? null;
  rules.must(
    trial?.isShown === true,
    'a ticket before it',
    trial === null ? `nonce ${nonce}, of no earlier ticket` : `ticket ${trial.index}, which was withdrawn`,
  );
  return trial;
}

/** An armed note: on a ticket, once, and armed in time. */
export function judgeArmed(
  item: ItemOf<'armed'>,
  history: History,
): { readonly rules: Ruling; readonly derived: Derived<RowOf['armed']> } {
  const { row, said, admittedMs } = item;
  const rules = ruling();
  const trial = trialOf(rules, history, row.nonce);
  if (trial !== null) {
    rules.must(!trial.isArmed, 'one armed note for each ticket', 'a second one');
    const terms = { nonce: row.nonce, arm_by_ms: Date.parse(trial.row.arm_by) };
    rules.mustNot(faultOfArming(row, terms, admittedMs), `armed by ${trial.row.arm_by}`);
    if (said !== null) mustBeOwn(rules, history, trial, said.body.machine, admittedMs);
  }
  if (said === null) return { rules, derived: { absent: absenceOf(item) } };
  return { rules, derived: { row: { nonce: said.body.nonce, armed_at: said.body.armed_at } } };
}

/** A report: the first on its ticket, or the one amendment of it; not too late, and as the ticket says. */
export function judgeReport(
  item: ItemOf<'report'>,
  history: History,
): { readonly rules: Ruling; readonly derived: Derived<RowOf['report']> } {
  const { row, said } = item;
  const rules = ruling();
  const trial = trialOf(rules, history, row.nonce);
  rules.must(item.isSigned, 'a signed report', 'an entry that commits to no request');
  if (trial === null) return { rules, derived: { fault: 'no row: there is no ticket' } };
  mustBeInTurn(rules, row, trial);
  if (said === null) {
    mustBeLabeled(rules, item, trial);
    return { rules, derived: { absent: absenceOf(item) } };
  }
  const { body } = said;
  mustBeOwn(rules, history, trial, body.machine, item.admittedMs);
  const terms = termsOf(trial.row, trial.profileSha256 ?? body.profile_sha256);
  if (trial.profileSha256 === null) rules.cannot(history.untold.get(trial.row.machine) ?? 'unkept');
  rules.mustNot(faultOfMatch(body, terms), 'a report on what the ticket was issued for');
  rules.mustNot(faultOfTime(body, terms, item.admittedMs), 'a report in time');
  mustAmendTheFirst(rules, body, trial);
  return { rules, derived: { row: derivedReport(item, body, terms, trial) } };
}

/** By the rows alone: one report, then at most one amendment that names it. */
function mustBeInTurn(rules: Ruling, row: ReportRow, trial: Trial): void {
  if (row.amends === null) {
    rules.must(
      trial.report === null,
      'one report for each ticket',
      `a second one after ${trial.report?.log_index}`,
    );
    return;
  }
  rules.must(
    trial.report?.log_index === row.amends,
    `an amendment of the first report, ${trial.report?.log_index ?? 'which is not there'}`,
    `an amendment of ${row.amends}`,
  );
  rules.must(trial.amendment === null, 'one amendment for each report', 'a second one');
}

function mustAmendTheFirst(rules: Ruling, body: ReportBody, { report, amendment }: Trial): void {
  if (body.version === '1.0' || body.amends === null || report === null) return;
  if (report.report_hash === null) rules.cannot('withheld');
  const first = { log_index: report.log_index, report_hash: report.report_hash ?? body.amends.report_hash };
  rules.mustNot(
    faultOfAmendment(body, { report: first, amendment }),
    'an amendment that names the first report',
  );
}

function derivedReport(
  { admittedMs }: ItemOf<'report'>,
  body: ReportBody,
  terms: Terms,
  trial: Trial,
): RowOf['report'] {
  const outcome = classify(body.evidence, body.scenario, body.mechanism);
  const amends = body.version !== '1.0' && body.amends !== null ? (trial.report?.log_index ?? null) : null;
  return reportRowOf(body, amends, outcome, labelsOf(body, terms, outcome, admittedMs));
}

/** The labels that follow from rows alone. */
function mustBeLabeled(rules: Ruling, { row, admittedMs }: ItemOf<'report'>, trial: Trial): void {
  const isControl = trial.row.control;
  const labels = {
    late: admittedMs > Date.parse(trial.row.report_by),
    amendment: row.amends !== null,
    control: isControl,
    'false-capture': isControl && row.outcome.result === 'captured',
  } as const;
  for (const [label, holds] of Object.entries(labels)) {
    const has = (row.labels as readonly string[]).includes(label);
    rules.must(
      has === holds,
      holds ? `the label ${label}` : `no label ${label}`,
      row.labels.join(', ') || 'no label',
    );
  }
}
