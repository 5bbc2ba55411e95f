/**
 * The rules of decisions and invitations. An operator decides as he thinks right; what the log's own key signs must
 * follow by rule: it trusts who is configured as the survey's own, and holds back who reported a false capture.
 */
import type { DecisionRow, RowOf } from '../../../schema/log/row.ts';
import type { Label } from '../../../schema/vocabulary.ts';
import type { DecisionBody } from '../../../schema/wire.ts';
import { faultOfForm } from '../../admit/decide.ts';
import { faultOfInviting } from '../../admit/invitation-limits.ts';
import { decisionRowOf } from '../../admit/own-decision.ts';
import type { TrustRow } from '../../store/trust.ts';
import type { ItemOf } from '../contents.ts';
import { type History, isLost } from './history.ts';
import { mustBeCurrent, mustBeMeant } from './keys.ts';
import { type Derived, type Ruling, ruling } from './ruling.ts';

/** Whose decisions count. */
export interface Deciders {
  /** The log's public key in hexadecimal. */
  readonly log: string;
  /** Public keys in hexadecimal; empty where the auditor named none. */
  readonly operators: ReadonlySet<string>;
}

export interface Decided {
  readonly rules: Ruling;
  readonly derived: Derived<DecisionRow>;
  /** Who signed, where nobody said that he is an operator. */
  readonly unknownOperator: string | null;
}

export function judgeDecision(item: ItemOf<'decision'>, history: History, deciders: Deciders): Decided {
  const { row, said, index } = item;
  const rules = ruling();
  rules.mustNot(faultOfForm(row, index), 'action, subject and index that belong together');
  if (said === null) return { rules, derived: { absent: 'withheld' }, unknownOperator: null };
  const { body } = said;
  mustBeMeant(rules, history, said, item.admittedMs);
  let unknownOperator: string | null = null;
  if (body.operator === deciders.log) mustFollow(rules, item, history);
  else if (deciders.operators.size === 0) unknownOperator = body.operator;
  else if (!deciders.operators.has(body.operator))
    rules.must(false, 'a decision of an operator that you named, or of the log', `one of ${body.operator}`);
  return { rules, derived: derivedDecision(body, history), unknownOperator };
}

function derivedDecision(body: DecisionBody, history: History): Derived<DecisionRow> {
  const { kind, value } = body.subject;
  const row = decisionRowOf(body);
  if (kind !== 'owner' && kind !== 'machine') return { row };
  const known = history.chains.find(kind, value);
  if (known === null && isLost(history, 'enrol', 'rotate')) return { absent: 'withdrawn' };
  if (known === null && kind === 'machine') return { fault: `no row: machine ${value} was never enrolled` };
  return { row: { ...row, subject: { kind, value: known?.root ?? value } } };
}

/** What the survey decides itself: who its own owners are, and what a false capture has it hold back. */
function mustFollow(rules: Ruling, { row }: ItemOf<'decision'>, history: History): void {
  if (row.action === 'reference') return;
  const { kind, value } = row.subject;
  const isDue = history.toHold.some((hold) => hold.kind === kind && hold.value === value);
  if (row.action === 'quarantine' && isDue) return;
  // The report itself, or another owner's before it, may have been withdrawn since.
  const ofVersion = kind === 'agent_version' && value === history.batch && isLost(history, 'report');
  if (row.action === 'quarantine' && (history.batch === 'unknown' || ofVersion)) {
    rules.cannot('withdrawn');
    return;
  }
  rules.must(
    false,
    "by the log's own key, the trust in the survey's own owners, or a quarantine that a false capture just before it asks for",
    `${row.action} of ${kind} ${value}: ${row.reason}`,
  );
}

/** What the limits of invitations ask of an owner, by the entries before. */
export interface Standing {
  readonly given: TrustRow | null;
  /** What the owner is labeled. */
  readonly labels: readonly Label[];
  readonly invitedAtMs: readonly number[];
  /** The trust in who is invited. */
  readonly before: TrustRow | null;
}

export function judgeInvite(
  { row, said, admittedMs }: ItemOf<'invite'>,
  history: History,
  { given, labels, invitedAtMs, before }: Standing,
): { readonly rules: Ruling; readonly derived: Derived<RowOf['invite']> } {
  const { owner } = row;
  const rules = ruling();
  for (const label of ['quarantined', 'revoked'] as const)
    rules.must(!labels.includes(label), 'an owner who may vouch', `${owner}, who is ${label}`);
  rules.must(given !== null, 'a trusted owner', `${owner}, whom nobody trusts`);
  rules.must(
    before === null,
    'somebody whom nobody vouched for yet',
    `${row.invited}, who is ${before?.label} already`,
  );
  if (given !== null) mustBeWithin(rules, row.owner, given, invitedAtMs, admittedMs, history);
  if (said === null) return { rules, derived: { absent: 'withheld' } };
  const { body } = said;
  mustBeMeant(rules, history, said, admittedMs);
  if (history.chains.find('owner', body.owner) !== null)
    mustBeCurrent(rules, history, 'owner', body.owner, admittedMs);
  const { chains } = history;
  const isUnknown = chains.find('owner', body.owner) === null || chains.find('owner', body.invited) === null;
  const rooted = { owner: chains.rootOf('owner', body.owner), invited: chains.rootOf('owner', body.invited) };
  const isSame = rooted.owner === row.owner && rooted.invited === row.invited;
  if (!isSame && isUnknown && isLost(history, 'enrol', 'rotate'))
    return { rules, derived: { absent: 'withdrawn' } };
  return { rules, derived: { row: rooted } };
}

function mustBeWithin(
  rules: Ruling,
  owner: string,
  { depth, since_ms }: TrustRow,
  invitedAtMs: readonly number[],
  atMs: number,
  history: History,
): void {
  const reports = history.reportsOf.get(owner) ?? 0;
  // Reports that were withdrawn later stood at that time.
  if (depth > 0 && reports === 0 && isLost(history, 'report')) {
    rules.cannot('withdrawn');
    return;
  }
  const inviter = { depth, sinceMs: since_ms, reports, invitedAtMs };
  rules.mustNot(faultOfInviting(owner, inviter, atMs), 'an invitation within the limits');
}
