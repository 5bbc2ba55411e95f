/** What travels: payloads of signed requests, answers, and their limits. The field lists are closed. */
import * as z from 'zod';
import { crashPoints } from './crash-point.ts';
import { crashTypes, setUps } from './crash-type.ts';
import { envelope } from './envelope.ts';
import { evidence, watchedEvidence } from './evidence.ts';
import { outcome } from './outcome.ts';
import { profileMaxBytes } from './profile.ts';
import { loads, mitigations, scenarioSetNames, triggers } from './scenario.ts';
import {
  decisionActions,
  decisionSubjects,
  environments,
  keyRoles,
  labels,
  mechanisms,
  namesOf,
  populations,
} from './vocabulary.ts';

const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `${bytes} bytes in lower-case hexadecimal`);
/** A time as it travels. */
export const instant = z.iso.datetime({ precision: 3 }).describe('UTC, milliseconds, RFC 3339');
export const versionText = z.string().regex(/^[0-9A-Za-z.+:~-]{1,60}$/);
export const logIndex = z.int().min(0).describe('an index in the log');

export const publicKey = hex(32).describe('an Ed25519 public key: 32 bytes in lower-case hexadecimal');
export const nonce = hex(16).describe('names a ticket and its trial: 16 bytes in lower-case hexadecimal');
export const sha256Hex = hex(32).describe('a SHA-256 hash in lower-case hexadecimal');

/** A body that is larger is refused before it is read. */
export const bodyMaxBytes = 512 * 1024;

export const scenarioFields = z.strictObject({
  set: z.enum(scenarioSetNames),
  crash_point: z.enum(namesOf(crashPoints)),
  crash_type: z.enum(namesOf(crashTypes)),
  load: z.enum(namesOf(loads)),
  mitigation: z.enum(namesOf(mitigations)),
  set_up: z.enum(namesOf(setUps)),
  in_flight_min: z.int().min(0).max(1024),
});
export type ScenarioFields = z.infer<typeof scenarioFields>;

/** Enrols a machine, or tells the survey the next profile of an enrolled one. */
export const enrolBody = z.strictObject({
  version: z.literal('1.0'),
  machine: publicKey,
  owner: publicKey,
  /** The owner's Ed25519 signature over `ownerStatement`. */
  owner_signature: hex(64),
  /** The profile's JSON text: its hash is that of exactly these bytes. */
  profile: z.string().min(2).max(profileMaxBytes),
  work: z.strictObject({ counter: z.int().min(0) }),
  agent_version: versionText,
  created_at: instant,
});
export type EnrolBody = z.infer<typeof enrolBody>;

/**
 * What every admission is answered with, beside its own fields: the entry that was appended, what opens its
 * commitments, and the log's signed promise to have it in the tree by `merge_by`.
 */
export const logged = z.strictObject({
  log_index: logIndex,
  admitted_at: instant,
  /** The entry's JSON text: its leaf is the hash of exactly these bytes. */
  entry: z.string().max(1000),
  row: z.string(),
  row_salt: hex(16),
  /** Null where the entry commits to no envelope. */
  envelope_salt: hex(16).nullable(),
  /** A DSSE envelope of payload type `receipt`, signed by the log's key, over a `promiseBody`. */
  promise: envelope,
});
export type Logged = z.infer<typeof logged>;

/** What the log promises: if a later checkpoint does not hold this leaf at this index, this proves it. */
export const promiseBody = z.strictObject({
  version: z.literal('1.0'),
  origin: z.string().min(1).max(200),
  log_index: logIndex,
  leaf_hash: sha256Hex,
  merge_by: instant,
});
export type PromiseBody = z.infer<typeof promiseBody>;

/** The newest checkpoint of the log, a signed note: whoever holds an older one checks that they are consistent. */
export const checkpointNote = z.string().max(20_000);

export const machineAnswer = z.strictObject({
  machine: publicKey,
  owner: publicKey,
  profile_sha256: sha256Hex,
  labels: z.array(z.enum(namesOf(labels))),
  /** The entry of the enrolment of this profile; null where it was enrolled before there were such entries. */
  log_index: logIndex.nullable(),
  checkpoint: checkpointNote,
});
export type MachineAnswer = z.infer<typeof machineAnswer>;

const ticketsFields = {
  machine: publicKey,
  request: hex(16),
  profile_sha256: sha256Hex,
  set: z.enum(scenarioSetNames),
  /** Ids of entries of the set (`crash_point/crash_type/load/mitigation`), one ticket each, in order. */
  scenarios: z.array(z.string().max(100)).min(1).max(64),
  mechanism: z.enum(namesOf(mechanisms)),
  environment: z.enum(namesOf(environments)),
  created_at: instant,
} as const;

/** Asks for tickets. The same `request` again is answered with the same tickets. */
export const ticketsBody = z.discriminatedUnion('version', [
  z.strictObject({ version: z.literal('1.0'), ...ticketsFields }),
  z.strictObject({
    version: z.literal('1.1'),
    ...ticketsFields,
    /** Whether a ticket may be a control: the agent knows how to disable the mechanism, and the machine comes back. */
    controls: z.boolean(),
    /** For a machine without a network: the deadlines are `limits.offline…`. */
    offline: z.boolean(),
  }),
]);
export type TicketsBody = z.infer<typeof ticketsBody>;

export const ticket = z.strictObject({
  nonce,
  machine: publicKey,
  profile_sha256: sha256Hex,
  scenario: scenarioFields,
  mechanism: z.enum(namesOf(mechanisms)),
  environment: z.enum(namesOf(environments)),
  /** The mechanism is to be disabled on purpose: a capture would be a false one. */
  control: z.boolean(),
  issued_at: instant,
  /** The agent refuses to crash after it. */
  arm_by: instant,
  /** Armed and silent after it, the trial is `no_reply`. */
  report_by: instant,
  log_index: z.int().min(0),
});
export type Ticket = z.infer<typeof ticket>;

export const ticketsAnswer = z.strictObject({ tickets: z.array(ticket), checkpoint: checkpointNote });
export type TicketsAnswer = z.infer<typeof ticketsAnswer>;

/** Said just before arming, so that a machine that dies is counted. */
export const armedBody = z.strictObject({
  version: z.literal('1.0'),
  machine: publicKey,
  nonce,
  armed_at: instant,
});
export type ArmedBody = z.infer<typeof armedBody>;

export const armedAnswer = z.strictObject({ nonce, ...logged.shape, checkpoint: checkpointNote });
export type ArmedAnswer = z.infer<typeof armedAnswer>;

const reportFields = {
  machine: publicKey,
  nonce,
  profile_sha256: sha256Hex,
  population: z.enum(namesOf(populations)),
  scenario: scenarioFields,
  mechanism: z.enum(namesOf(mechanisms)),
  environment: z.enum(namesOf(environments)),
  triggered_by: z.enum(namesOf(triggers)),
  /** Sysctls that the scenario set before arming, as they were read back. */
  sysctls: z.record(z.string().regex(/^[a-z_.]{1,60}$/), z.int()),
  agent_version: versionText,
  /** In `lab`: what emulated the machine. */
  emulator: z.string().max(80).nullable(),
  /** Null where the trial never got so far. */
  armed_at: instant.nullable(),
  reported_at: instant,
  outcome,
} as const;

/** Why a report amends the first one on its trial. */
export const amendmentReasons = {
  'dump-found': 'a dump was found after the report',
  'dump-lost': 'the dump that was reported is not of this trial after all',
  'evidence-found': 'a log, a watchdog status or a beacon was found after the report',
} as const;

/** Null in a first report. `report_hash` is that of the first one (`hashInput`). */
const amendedReport = z
  .strictObject({ report_hash: sha256Hex, reason: z.enum(namesOf(amendmentReasons)) })
  .nullable();

/**
 * A report on a trial. From 1.1 on it may amend the first report of its ticket, once; 1.2 has what a real machine
 * finds once it is up again.
 */
export const reportBody = z.discriminatedUnion('version', [
  z.strictObject({ version: z.literal('1.0'), ...reportFields, evidence: watchedEvidence }),
  z.strictObject({
    version: z.literal('1.1'),
    ...reportFields,
    evidence: watchedEvidence,
    amends: amendedReport,
  }),
  z.strictObject({ version: z.literal('1.2'), ...reportFields, evidence, amends: amendedReport }),
]);
export type ReportBody = z.infer<typeof reportBody>;

/** A report is addressed by its index in the log. */
export const reportId = z.string().regex(/^\d{1,15}$/);

export const receipt = z.strictObject({
  report_id: reportId,
  ...logged.shape,
  checkpoint: checkpointNote,
});
export type Receipt = z.infer<typeof receipt>;

/** Replaces a key by another one. Signed by the old key; `next_signature` is the new key's over `rotationStatement`. */
export const rotateBody = z.strictObject({
  version: z.literal('1.0'),
  role: z.enum(namesOf(keyRoles)),
  key: publicKey,
  next: publicKey,
  next_signature: hex(64),
  created_at: instant,
});
export type RotateBody = z.infer<typeof rotateBody>;

/**
 * An owner takes the trust in a key of his back: reports under it from `from_index` on do not count. `key` is a
 * machine of his, or the owner's own key.
 */
export const revokeBody = z.strictObject({
  version: z.literal('1.0'),
  owner: publicKey,
  role: z.enum(namesOf(keyRoles)),
  key: publicKey,
  from_index: logIndex,
  created_at: instant,
});
export type RevokeBody = z.infer<typeof revokeBody>;

/** Withdraws all data of a machine, signed by it or by its owner, or of an owner with all machines, signed by the owner. */
export const withdrawBody = z.strictObject({
  version: z.literal('1.0'),
  signer: publicKey,
  role: z.enum(namesOf(keyRoles)),
  key: publicKey,
  created_at: instant,
});
export type WithdrawBody = z.infer<typeof withdrawBody>;

/** A trusted owner vouches for another one. */
export const inviteBody = z.strictObject({
  version: z.literal('1.0'),
  owner: publicKey,
  invited: publicKey,
  created_at: instant,
});
export type InviteBody = z.infer<typeof inviteBody>;

/** The operator labels something; the survey itself signs with the log's key what follows by rule. */
export const decisionBody = z.strictObject({
  version: z.literal('1.0'),
  operator: publicKey,
  action: z.enum(namesOf(decisionActions)),
  subject: z.strictObject({ kind: z.enum(namesOf(decisionSubjects)), value: z.string().min(1).max(80) }),
  /** Only of `revoke`, whose subject is an owner or a machine. */
  from_index: logIndex.nullable(),
  reason: z.string().min(1).max(300),
  created_at: instant,
});
export type DecisionBody = z.infer<typeof decisionBody>;

/** What rotations, revocations, withdrawals, invitations and decisions are answered with. */
export const entryAnswer = z.strictObject({ ...logged.shape, checkpoint: checkpointNote });
export type EntryAnswer = z.infer<typeof entryAnswer>;

/** The ways in which the clocks and deadlines of the protocol are bounded. */
export const limits = {
  armWithinMs: 24 * 3600_000,
  reportWithinMs: 48 * 3600_000,
  offlineArmWithinMs: 14 * 24 * 3600_000,
  offlineReportWithinMs: 28 * 24 * 3600_000,
  lateMaxMs: 90 * 24 * 3600_000,
  futureMaxMs: 10 * 60_000,
  /** Requests that change keys or trust were signed at most so long ago: nobody may keep one until it suits him. */
  signedWithinMs: 24 * 3600_000,
  /** The log has every entry in its tree this long after its admission (maximum merge delay). */
  mergeWithinMs: 5 * 60_000,
} as const;
