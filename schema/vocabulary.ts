/**
 * The survey's words: every enumeration of stages, verdicts, causes and factors stands here once, as a
 * table from name to meaning. Validators, database columns, pages and documentation derive from these tables.
 */

/** The names of a table, in its order, as the tuple that `z.enum` wants. */
export function namesOf<T extends Record<string, unknown>>(
  table: T,
): [keyof T & string, ...(keyof T & string)[]] {
  return Object.keys(table) as [keyof T & string, ...(keyof T & string)[]];
}

/** Where machines come from. Published side by side, never pooled. */
export const populations = {
  metal: 'real machines',
  lab: 'emulated machines',
} as const;
export type Population = keyof typeof populations;

/** The steps of the funnel, over all mechanisms. Each mechanism lists the ones it has, in its order. */
export const stages = {
  armed: 'the crash point was armed',
  fired: 'the crash point fired',
  detected: 'the kernel noticed: an oops or BUG header, or the panic line',
  handed_over: "the capture kernel's first line appeared",
  capture_booted: "the capture kernel's user space ran",
  target_ready: 'the dump device was found and usable',
  dump_written: 'the dump was written to its end',
  log_captured: 'the log was captured',
} as const;
export type Stage = keyof typeof stages;

const kdumpStages = [
  'armed',
  'fired',
  'detected',
  'handed_over',
  'capture_booted',
  'target_ready',
  'dump_written',
] as const satisfies readonly Stage[];

/** The dump facilities under test and their ordered stages. A `log` mechanism never enters a table of captures. */
export const mechanisms = {
  kdump: { captures: 'dump', stages: kdumpStages },
  fadump: { captures: 'dump', stages: kdumpStages },
  hypervisor: { captures: 'dump', stages: ['armed', 'fired', 'detected', 'dump_written'] },
  pstore: { captures: 'log', stages: ['armed', 'fired', 'detected', 'log_captured'] },
} as const satisfies Record<string, { captures: 'dump' | 'log'; stages: readonly Stage[] }>;
export type Mechanism = keyof typeof mechanisms;

/** What prepared the capture: the distribution's own environment, or one with the survey's beacons. */
export const environments = {
  stock: "the distribution's own capture environment",
  instrumented: "a capture environment with the survey's beacons",
} as const;
export type Environment = keyof typeof environments;

/** What the verifier says of a dump. Only `verified` counts as captured. */
export const verdicts = {
  verified: 'a readable, complete and accurate dump of this firing',
  incomplete: 'pages that should be there are not',
  inaccurate: 'sampled pages do not hold what was planted',
  foreign: 'the dump of another crash',
  unreadable: 'not a dump that can be read',
  unverifiable: 'out of reach of the verifier',
} as const;
export type Verdict = keyof typeof verdicts;

/** Why the verifier says so. Each reason belongs to one verdict. */
export const verdictReasons = {
  verified: 'verified',
  empty: 'unreadable',
  'no-dump-magic': 'unreadable',
  'unsupported-format': 'unverifiable',
  elsewhere: 'unverifiable',
  malformed: 'unreadable',
  truncated: 'incomplete',
  'incomplete-flag': 'incomplete',
  'pages-missing': 'incomplete',
  'pages-undecodable': 'inaccurate',
  'records-missing': 'incomplete',
  'canaries-missing': 'incomplete',
  'canaries-changed': 'inaccurate',
  'record-changed': 'inaccurate',
  'vmcoreinfo-unresolved': 'inaccurate',
  'log-unresolved': 'inaccurate',
  'other-trial': 'foreign',
  'armed-not-fired': 'foreign',
} as const satisfies Record<string, Verdict>;
export type VerdictReason = keyof typeof verdictReasons;

/** How the machine came back. */
export const recoveries = {
  self: 'it rebooted by itself',
  watchdog: 'a hardware watchdog reset it',
  operator: 'somebody had to reset it',
  none: 'it did not come back',
  'not-needed': 'it never went down',
  unknown: 'not known',
} as const;
export type Recovery = keyof typeof recoveries;

/** What a failure is charged to. */
export const causes = {
  device: 'a device or its driver',
  'core-kernel': 'the kernel outside of drivers',
  detection: 'nothing that was set up could notice the crash',
  'capture-environment': 'the capture environment: a missing module, a wrong command line',
  resource: 'too little memory, or no space on the target',
  harness: "the survey's own fault",
  unknown: 'the evidence does not say',
} as const;
export type Cause = keyof typeof causes;

/** The causes that a driver's headline counts. */
export const driverCauses = ['device', 'core-kernel', 'unknown'] as const satisfies readonly Cause[];

/** How a device took part in a trial. */
export const roles = {
  dump_target: 'the dump is written through it',
  load: 'it was kept busy',
  crash_site: 'the crash point fired in its path',
  present: 'it was there',
} as const;
export type Role = keyof typeof roles;

/** What became of a trial. `trials` = every row but `inconclusive`. */
export const results = {
  captured: 'a verified dump',
  failed: 'fired, or not known not to have fired, and no verified dump',
  survived: 'fired, and documented not to stop the kernel under this set-up',
  no_reply: 'armed, and silent past its deadline',
  inconclusive: "the survey's own fault, or proven not to have fired",
} as const;
export type Result = keyof typeof results;

/** What the server says of a report, beside its contents. */
export const labels = {
  enrolled: 'signed by an enrolled machine',
  vouched: 'its owner was invited by a trusted owner',
  corroborated: 'other owners agree in distribution',
  reference: "the survey's own machine",
  late: 'came after its deadline',
  'outcome-differs': 'the server derives another outcome from the same evidence',
  amendment: 'amends the first report on its trial',
  control: 'the mechanism was disabled on purpose: the trial counts nowhere',
  'false-capture': 'says that a dump was captured where the mechanism was disabled',
  quarantined: 'held back by the operator',
  revoked: 'its key was revoked',
} as const;
export type Label = keyof typeof labels;

/** What a log entry records. */
export const entryKinds = {
  enrol: 'a machine and its owner, or its next profile',
  invite: 'an owner vouched for another one',
  ticket: 'permission for one trial',
  armed: 'a machine said that it is about to crash',
  report: 'a signed report',
  rotate: 'a key was replaced by another one',
  revoke: 'an owner took the trust in a key back',
  withdraw: 'data was withdrawn: names the entries whose contents are gone',
  decision: 'the operator, or the survey by rule, labeled something',
} as const;
export type EntryKind = keyof typeof entryKinds;

/** Whose a key is. */
export const keyRoles = {
  machine: 'one installation of the agent',
  owner: 'signs the enrolment of machines',
} as const;
export type KeyRole = keyof typeof keyRoles;

/** What a decision does. Each is an entry of the log, signed by an operator's key or by the log's own. */
export const decisionActions = {
  reference: "the owner is the survey's own",
  vouch: 'the owner is trusted',
  distrust: 'the owner is trusted no longer, nor whom it has invited since',
  quarantine: 'what the subject reported is held back',
  release: 'a quarantine of the subject ends',
  revoke: 'reports under the key from a log index on do not count',
} as const;
export type DecisionAction = keyof typeof decisionActions;

/** What a decision is about. */
export const decisionSubjects = {
  owner: 'an owner, with all its machines',
  machine: 'one machine',
  agent_version: 'all reports of a version of the agent',
  scenario_set: 'all trials of a version of a scenario set',
} as const;
export type DecisionSubject = keyof typeof decisionSubjects;
