/** What travels: payloads of signed requests, answers, and their limits. The field lists are closed. */
import * as z from 'zod';
import { crashPoints } from './crash-point.ts';
import { crashTypes, setUps } from './crash-type.ts';
import { evidence } from './evidence.ts';
import { outcome } from './outcome.ts';
import { profileMaxBytes } from './profile.ts';
import { loads, mitigations, scenarioSetNames, triggers } from './scenario.ts';
import { environments, labels, mechanisms, namesOf, populations } from './vocabulary.ts';

const hex = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `${bytes} bytes in lower-case hexadecimal`);
/** A time as it travels. */
export const instant = z.iso.datetime({ precision: 3 }).describe('UTC, milliseconds, RFC 3339');
const version = z.string().regex(/^[0-9A-Za-z.+:~-]{1,60}$/);

export const publicKey = hex(32).describe('an Ed25519 public key: 32 bytes in lower-case hexadecimal');
export const nonce = hex(16).describe('names a ticket and its trial: 16 bytes in lower-case hexadecimal');
export const sha256Hex = hex(32).describe('a SHA-256 hash in lower-case hexadecimal');

/** Report versions that this code admits, oldest first. */
export const reportVersions = ['1.0'] as const;

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
  agent_version: version,
  created_at: instant,
});
export type EnrolBody = z.infer<typeof enrolBody>;

export const machineAnswer = z.strictObject({
  machine: publicKey,
  owner: publicKey,
  profile_sha256: sha256Hex,
  labels: z.array(z.enum(namesOf(labels))),
});
export type MachineAnswer = z.infer<typeof machineAnswer>;

/** Asks for tickets. The same `request` again is answered with the same tickets. */
export const ticketsBody = z.strictObject({
  version: z.literal('1.0'),
  machine: publicKey,
  request: hex(16),
  profile_sha256: sha256Hex,
  set: z.enum(scenarioSetNames),
  /** Ids of entries of the set (`crash_point/crash_type/load/mitigation`), one ticket each, in order. */
  scenarios: z.array(z.string().max(100)).min(1).max(64),
  mechanism: z.enum(namesOf(mechanisms)),
  environment: z.enum(namesOf(environments)),
  created_at: instant,
});
export type TicketsBody = z.infer<typeof ticketsBody>;

export const ticket = z.strictObject({
  nonce,
  machine: publicKey,
  profile_sha256: sha256Hex,
  scenario: scenarioFields,
  mechanism: z.enum(namesOf(mechanisms)),
  environment: z.enum(namesOf(environments)),
  issued_at: instant,
  /** The agent refuses to crash after it. */
  arm_by: instant,
  /** Armed and silent after it, the trial is `no_reply`. */
  report_by: instant,
  log_index: z.int().min(0),
});
export type Ticket = z.infer<typeof ticket>;

export const ticketsAnswer = z.strictObject({ tickets: z.array(ticket) });

/** Said just before arming, so that a machine that dies is counted. */
export const armedBody = z.strictObject({
  version: z.literal('1.0'),
  machine: publicKey,
  nonce,
  armed_at: instant,
});
export type ArmedBody = z.infer<typeof armedBody>;

export const armedAnswer = z.strictObject({ nonce, log_index: z.int().min(0), admitted_at: instant });

export const reportBody = z.strictObject({
  version: z.enum(reportVersions),
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
  agent_version: version,
  /** In `lab`: what emulated the machine. */
  emulator: z.string().max(80).nullable(),
  /** Null where the trial never got so far. */
  armed_at: instant.nullable(),
  reported_at: instant,
  evidence,
  outcome,
});
export type ReportBody = z.infer<typeof reportBody>;

/** A report is addressed by its index in the log. */
export const reportId = z.string().regex(/^\d{1,15}$/);

export const receipt = z.strictObject({
  report_id: reportId,
  log_index: z.int().min(0),
  admitted_at: instant,
});
export type Receipt = z.infer<typeof receipt>;

/** The ways in which the clocks and deadlines of the protocol are bounded. */
export const limits = {
  armWithinMs: 24 * 3600_000,
  reportWithinMs: 48 * 3600_000,
  lateMaxMs: 90 * 24 * 3600_000,
  futureMaxMs: 10 * 60_000,
} as const;
