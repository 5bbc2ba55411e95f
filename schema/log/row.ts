/**
 * Public rows: what everybody may see of each entry of the log. Editions are computed from rows alone, so that
 * anyone can rebuild them. A row is JSON text; the entry's leaf commits to exactly these bytes (entry.ts).
 *
 * Like all that is published, a row holds only allow-listed fields: keys, which are pseudonyms, the cell of a trial,
 * and what became of it. Where a key was rotated, rows name the first key of its chain.
 */
import * as z from 'zod';
import { outcome } from '../outcome.ts';
import {
  decisionActions,
  decisionSubjects,
  environments,
  keyRoles,
  labels,
  mechanisms,
  namesOf,
  populations,
  roles,
} from '../vocabulary.ts';
import { instant, logIndex, nonce, publicKey, scenarioFields, versionText } from '../wire.ts';

const enrolRow = z.strictObject({
  machine: publicKey,
  owner: publicKey,
  population: z.enum(namesOf(populations)),
});

const inviteRow = z.strictObject({ owner: publicKey, invited: publicKey });

/** All cells of a trial, fixed before its result is known. */
const ticketRow = z.strictObject({
  nonce,
  machine: publicKey,
  owner: publicKey,
  population: z.enum(namesOf(populations)),
  scenario: scenarioFields,
  mechanism: z.enum(namesOf(mechanisms)),
  environment: z.enum(namesOf(environments)),
  /** The mechanism is to be disabled on purpose: the trial measures false captures. */
  control: z.boolean(),
  chipset: z.string(),
  kernel_series: z.string(),
  /** Each driver with each of its roles, once. */
  parts: z.array(z.strictObject({ driver: z.string(), role: z.enum(namesOf(roles)) })).min(1),
  issued_at: instant,
  arm_by: instant,
  report_by: instant,
});

const armedRow = z.strictObject({ nonce, armed_at: instant });

const reportRow = z.strictObject({
  nonce,
  /** The log index of the report that this one amends. */
  amends: logIndex.nullable(),
  agent_version: versionText,
  /** As the server derives it from the evidence. */
  outcome,
  /** Those that stand for ever: of the report itself, not of who sent it. */
  labels: z.array(z.enum(namesOf(labels))),
});

const rotateRow = z.strictObject({ role: z.enum(namesOf(keyRoles)), key: publicKey, next: publicKey });

const revokeRow = z.strictObject({ role: z.enum(namesOf(keyRoles)), key: publicKey, from_index: logIndex });

/** Inclusive ranges of log indices, ascending. */
const ranges = z.array(z.tuple([logIndex, logIndex]));

const withdrawRow = z.strictObject({ role: z.enum(namesOf(keyRoles)), key: publicKey, entries: ranges });

const decisionRow = z.strictObject({
  action: z.enum(namesOf(decisionActions)),
  subject: z.strictObject({ kind: z.enum(namesOf(decisionSubjects)), value: z.string().min(1).max(80) }),
  /** Only of `revoke`. */
  from_index: logIndex.nullable(),
  reason: z.string().max(300),
});

/** The row of each kind of entry. */
export const rows = {
  enrol: enrolRow,
  invite: inviteRow,
  ticket: ticketRow,
  armed: armedRow,
  report: reportRow,
  rotate: rotateRow,
  revoke: revokeRow,
  withdraw: withdrawRow,
  decision: decisionRow,
} as const;

export type EnrolRow = z.infer<typeof enrolRow>;
export type TicketRow = z.infer<typeof ticketRow>;
export type ReportRow = z.infer<typeof reportRow>;
export type WithdrawRow = z.infer<typeof withdrawRow>;
export type DecisionRow = z.infer<typeof decisionRow>;
export type RowOf = { readonly [kind in keyof typeof rows]: z.infer<(typeof rows)[kind]> };
