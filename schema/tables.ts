/**
 * The store's tables. Report bodies stand apart from the narrow fact table: the dashboard never reads bodies.
 * Times are milliseconds since 1970 UTC. Bytes are BLOBs; keys, nonces and hashes are hexadecimal text.
 */
import { sql } from 'drizzle-orm';
import { blob, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { crashPoints } from './crash-point.ts';
import { crashTypes, setUps } from './crash-type.ts';
import { payloadKinds } from './envelope.ts';
import { loads, mitigations, scenarioSetNames } from './scenario.ts';
import {
  decisionSubjects,
  entryKinds,
  environments,
  mechanisms,
  namesOf,
  populations,
  results,
  roles,
  stages,
} from './vocabulary.ts';

/**
 * The append-only log: a gapless index from 0. `entry` is the text that the leaf hashes; it stays for ever. Rows and
 * salts are null where they were withdrawn.
 */
export const logEntries = sqliteTable(
  'log_entries',
  {
    log_index: integer().primaryKey(),
    kind: text({ enum: namesOf(entryKinds) }).notNull(),
    entry: text().notNull(),
    leaf_hash: text().notNull(),
    /** The envelope behind the entry, in `envelopes`; null where there is none. */
    envelope_hash: text(),
    envelope_salt: text(),
    row: text(),
    row_salt: text(),
    /** Of a machine or a trial. What real machines signed is not shown to everybody. */
    population: text({ enum: namesOf(populations) }),
    /** The first key of the machine's and of the owner's chain, whose withdrawal takes the contents away. */
    machine: text(),
    owner: text(),
  },
  (t) => [
    index('log_entries_by_machine').on(t.machine),
    index('log_entries_by_owner').on(t.owner),
    index('log_entries_by_envelope').on(t.envelope_hash),
  ],
);

/** Signed bytes as they came, by their hash. Several tickets may stand on one request. */
export const envelopes = sqliteTable('envelopes', {
  hash: text().primaryKey(),
  kind: text({ enum: payloadKinds }).notNull(),
  key: text().notNull(),
  payload: blob({ mode: 'buffer' }).notNull(),
  signature: blob({ mode: 'buffer' }).notNull(),
});

/**
 * Complete subtrees of the log of 256, 256², … leaves: each level holds what the tiles of that level hash. Leaves
 * are level 0 and stand in `log_entries`.
 */
export const treeNodes = sqliteTable(
  'tree_nodes',
  { level: integer().notNull(), position: integer().notNull(), hash: text().notNull() },
  (t) => [primaryKey({ columns: [t.level, t.position] })],
);

/** Signed checkpoints. Published as soon as witnesses were asked. */
export const checkpoints = sqliteTable('checkpoints', {
  size: integer().primaryKey(),
  root: text().notNull(),
  /** The signed note, without cosignatures. */
  note: text().notNull(),
  /** The fencing token under which it was written. */
  token: integer().notNull(),
  signed_at_ms: integer().notNull(),
  published: integer({ mode: 'boolean' }).notNull(),
});

/** Cosignatures of witnesses: signature lines of notes. */
export const cosignatures = sqliteTable(
  'cosignatures',
  { size: integer().notNull(), witness: text().notNull(), line: text().notNull() },
  (t) => [primaryKey({ columns: [t.size, t.witness] })],
);

/** One row: who may write checkpoints. Each new holder gets a higher token; a batch under an old one fails. */
export const sequencer = sqliteTable('sequencer', {
  id: integer().primaryKey(),
  holder: text().notNull(),
  token: integer().notNull(),
  expires_at_ms: integer().notNull(),
  /** Why nothing may be appended or signed; null where all is well. */
  halted: text(),
});

/** Enrolled keys. A rotated key has a successor; the first of a chain is its root. */
export const machines = sqliteTable(
  'machines',
  {
    machine: text().primaryKey(),
    /** The first key of the owner's chain. */
    owner: text().notNull(),
    root: text().notNull(),
    successor: text(),
    /** The entry of its withdrawal. */
    withdrawn_index: integer(),
    enrolled_at_ms: integer().notNull(),
  },
  (t) => [
    index('machines_by_owner').on(t.owner),
    // One key of a chain is the current one, also when two rotations race.
    uniqueIndex('machines_current').on(t.root).where(sql`${t.successor} is null`),
  ],
);

/** Owners' keys, by the same rule. */
export const owners = sqliteTable(
  'owners',
  {
    owner: text().primaryKey(),
    root: text().notNull(),
    successor: text(),
    withdrawn_index: integer(),
    seen_at_ms: integer().notNull(),
  },
  (t) => [uniqueIndex('owners_current').on(t.root).where(sql`${t.successor} is null`)],
);

/**
 * Trust in owners, by log index: from `from_index` on, until `until_index` where it was taken back. An edition of log
 * size S asks what held in the entries below S.
 */
export const trust = sqliteTable(
  'trust',
  {
    /** The entry that gave it. */
    from_index: integer().primaryKey(),
    owner: text().notNull(),
    label: text({ enum: ['reference', 'vouched'] }).notNull(),
    /** The owner whose invitation it was; null where an operator or the survey decided. */
    invited_by: text(),
    /** Invitations between the operator and this owner: 0 where the operator decided. */
    depth: integer().notNull(),
    /** Counts the invitations of one inviter, so that two that race do not both come in under the limit. */
    ordinal: integer(),
    since_ms: integer().notNull(),
    until_index: integer(),
  },
  (t) => [
    index('trust_by_owner').on(t.owner, t.from_index),
    uniqueIndex('trust_by_inviter').on(t.invited_by, t.ordinal),
  ],
);

/** What is held back: a quarantine, or a revocation from a log index on. */
export const holds = sqliteTable(
  'holds',
  {
    /** The entry that decided it. */
    from_index: integer().primaryKey(),
    label: text({ enum: ['quarantined', 'revoked'] }).notNull(),
    subject_kind: text({ enum: namesOf(decisionSubjects) }).notNull(),
    subject: text().notNull(),
    /** Entries from this index on are held. */
    since_index: integer().notNull(),
    /** The entry that released it. */
    until_index: integer(),
  },
  (t) => [index('holds_by_subject').on(t.subject_kind, t.subject)],
);

/** Every profile that a machine has had, as the text that its hash covers. */
export const profiles = sqliteTable(
  'profiles',
  {
    machine: text().notNull(),
    profile_sha256: text().notNull(),
    profile: text().notNull(),
    /** The entry of its enrolment; null for the profiles of before there were such entries. */
    log_index: integer(),
    admitted_at_ms: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.machine, t.profile_sha256] })],
);

/** Tickets. `request` and `ordinal` make asking again harmless. */
export const tickets = sqliteTable(
  'tickets',
  {
    nonce: text().primaryKey(),
    machine: text().notNull(),
    request: text().notNull(),
    ordinal: integer().notNull(),
    log_index: integer().notNull().unique(),
    /** The root of the machine's key. */
    root: text().notNull(),
    owner: text().notNull(),
    control: integer({ mode: 'boolean' }).notNull().default(false),
    profile_sha256: text().notNull(),
    population: text({ enum: namesOf(populations) }).notNull(),
    scenario_set: text({ enum: scenarioSetNames }).notNull(),
    crash_point: text({ enum: namesOf(crashPoints) }).notNull(),
    crash_type: text({ enum: namesOf(crashTypes) }).notNull(),
    load: text({ enum: namesOf(loads) }).notNull(),
    mitigation: text({ enum: namesOf(mitigations) }).notNull(),
    set_up: text({ enum: namesOf(setUps) })
      .notNull()
      .default('panic'),
    in_flight_min: integer().notNull(),
    mechanism: text({ enum: namesOf(mechanisms) }).notNull(),
    environment: text({ enum: namesOf(environments) }).notNull(),
    issued_at_ms: integer().notNull(),
    arm_by_ms: integer().notNull(),
    report_by_ms: integer().notNull(),
  },
  (t) => [
    uniqueIndex('tickets_by_request').on(t.machine, t.request, t.ordinal),
    index('tickets_by_root').on(t.root, t.report_by_ms),
    index('tickets_by_owner').on(t.owner, t.report_by_ms),
  ],
);

/** Armed notes. */
export const armedNotes = sqliteTable('armed_notes', {
  nonce: text().primaryKey(),
  log_index: integer().notNull().unique(),
  armed_at_ms: integer().notNull(),
  admitted_at_ms: integer().notNull(),
});

/** Admitted reports, without their bodies. One ticket has one report, and at most one amendment of it. */
export const reports = sqliteTable(
  'reports',
  {
    log_index: integer().primaryKey(),
    nonce: text().notNull(),
    /** 0: the first report. 1: its amendment. */
    ordinal: integer().notNull(),
    report_hash: text().notNull().unique(),
    /** The key that signed it. */
    machine: text().notNull(),
    agent_version: text().notNull(),
    admitted_at_ms: integer().notNull(),
    /** JSON array of the labels that stand for ever. */
    labels: text().notNull(),
    /** The outcome as the server derives it, JSON. */
    outcome: text().notNull(),
  },
  (t) => [uniqueIndex('reports_by_trial').on(t.nonce, t.ordinal)],
);

/**
 * The fact table: one narrow row for each driver and role in a trial. A trial's rows under its armed note stand
 * for `no_reply` until rows under its report replace them in the next edition; nothing is ever updated.
 */
export const facts = sqliteTable(
  'facts',
  {
    log_index: integer().notNull(),
    nonce: text().notNull(),
    kind: text({ enum: ['armed', 'report'] }).notNull(),
    /** Roots of chains of keys. */
    machine: text().notNull(),
    owner: text().notNull(),
    /** Null where only an armed note stands for the trial. */
    agent_version: text(),
    scenario_set: text({ enum: scenarioSetNames }).notNull(),
    control: integer({ mode: 'boolean' }).notNull(),
    population: text({ enum: namesOf(populations) }).notNull(),
    driver: text().notNull(),
    role: text({ enum: namesOf(roles) }).notNull(),
    chipset: text().notNull(),
    kernel_series: text().notNull(),
    crash_point: text({ enum: namesOf(crashPoints) }).notNull(),
    crash_type: text({ enum: namesOf(crashTypes) }).notNull(),
    load: text({ enum: namesOf(loads) }).notNull(),
    mitigation: text({ enum: namesOf(mitigations) }).notNull(),
    set_up: text({ enum: namesOf(setUps) })
      .notNull()
      .default('panic'),
    mechanism: text({ enum: namesOf(mechanisms) }).notNull(),
    environment: text({ enum: namesOf(environments) }).notNull(),
    result: text({ enum: namesOf(results) }).notNull(),
    /** The last stage proven to have been reached. */
    stage: text({ enum: namesOf(stages) }),
    /** Only of an armed note: from then on the trial is `no_reply`. */
    report_by_ms: integer(),
  },
  (t) => [
    primaryKey({ columns: [t.log_index, t.driver, t.role] }),
    index('facts_by_nonce').on(t.nonce, t.kind, t.log_index),
    index('facts_by_cell').on(
      t.population,
      t.driver,
      t.role,
      t.crash_type,
      t.log_index,
      t.kind,
      t.result,
      t.nonce,
      t.machine,
      t.owner,
    ),
  ],
);

/** Published editions: numbered from 1, immutable. An edition covers the log entries below `log_size`. */
export const editions = sqliteTable('editions', {
  number: integer().primaryKey(),
  log_size: integer().notNull(),
  cut_off_ms: integer().notNull(),
  /** Which version of the code computed the cells; null in editions of before it was kept. */
  statistics_version: integer(),
  /** Hash of the code's statistics version and of the published cells. */
  statistics_sha256: text().notNull(),
  /** The signed note of the checkpoint at `log_size`, as it was when the edition was published. */
  checkpoint: text().notNull(),
  published_at_ms: integer().notNull(),
});

/**
 * Limits by day: a key that keyed hashes of network prefixes are made with, and how often each was counted. Both are
 * forgotten with the day, so that nothing of a prefix remains. Days are dates in UTC.
 */
export const dailyKeys = sqliteTable('daily_keys', {
  day: text().primaryKey(),
  key: blob({ mode: 'buffer' }).notNull(),
});

export const dailyCounts = sqliteTable(
  'daily_counts',
  {
    day: text().notNull(),
    bucket: text().notNull(),
    count: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.day, t.bucket] })],
);
