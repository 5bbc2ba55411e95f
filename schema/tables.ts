/**
 * The store's tables. Report bodies stand apart from the narrow fact table: the dashboard never reads bodies.
 * Times are milliseconds since 1970 UTC. Bytes are BLOBs; keys, nonces and hashes are hexadecimal text.
 */
import { blob, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { crashPoints } from './crash-point.ts';
import { crashTypes, setUps } from './crash-type.ts';
import { loads, mitigations, scenarioSetNames } from './scenario.ts';
import {
  entryKinds,
  environments,
  mechanisms,
  namesOf,
  populations,
  results,
  roles,
  stages,
} from './vocabulary.ts';

/** The append-only log: a gapless index from 0. `hash` is the SHA-256 of what the entry records, under a random salt. */
export const log = sqliteTable('log', {
  log_index: integer().primaryKey(),
  kind: text({ enum: namesOf(entryKinds) }).notNull(),
  /** SHA-256(`salt` ‖ hash of the recorded payload). */
  commitment: text().notNull().unique(),
  salt: text().notNull(),
  appended_at_ms: integer().notNull(),
});

/** Enrolled keys. */
export const machines = sqliteTable('machines', {
  machine: text().primaryKey(),
  owner: text().notNull(),
  reference: integer({ mode: 'boolean' }).notNull(),
  enrolled_at_ms: integer().notNull(),
});

/** Every profile that a machine has had, as the text that its hash covers. */
export const profiles = sqliteTable(
  'profiles',
  {
    machine: text().notNull(),
    profile_sha256: text().notNull(),
    profile: text().notNull(),
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
  (t) => [uniqueIndex('tickets_by_request').on(t.machine, t.request, t.ordinal)],
);

/** Armed notes. */
export const armedNotes = sqliteTable('armed_notes', {
  nonce: text().primaryKey(),
  log_index: integer().notNull().unique(),
  armed_at_ms: integer().notNull(),
  admitted_at_ms: integer().notNull(),
});

/** Admitted reports, without their bodies. `nonce` is unique: one ticket, one report. */
export const reports = sqliteTable('reports', {
  log_index: integer().primaryKey(),
  nonce: text().notNull().unique(),
  report_hash: text().notNull().unique(),
  machine: text().notNull(),
  admitted_at_ms: integer().notNull(),
  /** JSON array of labels. */
  labels: text().notNull(),
  /** The outcome as the server derives it, JSON. */
  outcome: text().notNull(),
});

/** The signed bytes of reports, as they came. */
export const reportBodies = sqliteTable('report_bodies', {
  log_index: integer().primaryKey(),
  payload: blob({ mode: 'buffer' }).notNull(),
  signature: blob({ mode: 'buffer' }).notNull(),
});

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
    machine: text().notNull(),
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
    ),
  ],
);

/** Published editions: numbered from 1, immutable. An edition covers the log entries below `log_size`. */
export const editions = sqliteTable('editions', {
  number: integer().primaryKey(),
  log_size: integer().notNull(),
  cut_off_ms: integer().notNull(),
  /** Hash of the code's statistics version and of the published cells. */
  statistics_sha256: text().notNull(),
  published_at_ms: integer().notNull(),
});
