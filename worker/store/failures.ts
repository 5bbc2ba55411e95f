/** Reports of the lab whose trial was not captured, newest first. Reports of real machines are not public. */
import { and, desc, eq, inArray, lt, type SQL, sql } from 'drizzle-orm';
import type { FailureEntry } from '../../schema/answer/driver.ts';
import { type Outcome, outcome as outcomeSchema } from '../../schema/outcome.ts';
import { profile as profileSchema } from '../../schema/profile.ts';
import { facts, profiles, reportBodies, reports, tickets } from '../../schema/tables.ts';
import { type Cause, driverCauses } from '../../schema/vocabulary.ts';
import { reportBody } from '../../schema/wire.ts';
import { instant } from '../time.ts';
import { evidenceLines } from '../view/excerpt.ts';
import { read, type Store } from './open.ts';

/** Which failures are wanted. */
export interface FailureQuery {
  /** The driver of the dump target, or null for all. */
  readonly driver: string | null;
  /** Only what is charged to the driver or the kernel, or to nobody: what a maintainer can act on. */
  readonly actionable: boolean;
  readonly logSize: number;
  readonly count: number;
}

/** The cause in the outcome that the server derived. */
const cause = sql<Cause | null>`json_extract(${reports.outcome}, '$.cause')`;

/** At most `count` failures, newest first, each with its driver, scenario and telling lines. */
export async function newestFailures(
  store: Store,
  { driver, actionable, logSize, count }: FailureQuery,
): Promise<FailureEntry[]> {
  const conditions: (SQL | undefined)[] = [
    eq(facts.population, 'lab'),
    eq(facts.role, 'dump_target'),
    eq(facts.kind, 'report'),
    eq(facts.result, 'failed'),
    lt(facts.log_index, logSize),
    driver === null ? undefined : eq(facts.driver, driver),
    actionable ? inArray(cause, [...driverCauses]) : undefined,
  ];
  const rows = await read(store, (db) =>
    db
      .select({
        log_index: reports.log_index,
        driver: sql<string>`min(${facts.driver})`,
        admitted_at_ms: reports.admitted_at_ms,
        outcome: reports.outcome,
        payload: reportBodies.payload,
        profile: profiles.profile,
      })
      .from(facts)
      .innerJoin(reports, eq(reports.log_index, facts.log_index))
      .innerJoin(reportBodies, eq(reportBodies.log_index, facts.log_index))
      .innerJoin(tickets, eq(tickets.nonce, reports.nonce))
      .innerJoin(
        profiles,
        and(eq(profiles.machine, tickets.machine), eq(profiles.profile_sha256, tickets.profile_sha256)),
      )
      .where(and(...conditions))
      .groupBy(facts.log_index)
      .orderBy(desc(facts.log_index))
      .limit(count),
  );
  return rows.map(entryOf);
}

function entryOf(row: {
  log_index: number;
  driver: string;
  admitted_at_ms: number;
  outcome: string;
  payload: Buffer;
  profile: string;
}): FailureEntry {
  const body = reportBody.parse(JSON.parse(new TextDecoder().decode(row.payload)));
  const profile = profileSchema.parse(JSON.parse(row.profile));
  const outcome: Outcome = outcomeSchema.parse(JSON.parse(row.outcome));
  return {
    report_id: String(row.log_index),
    admitted_at: instant(row.admitted_at_ms),
    population: body.population,
    driver: row.driver,
    chipset: profile.chipset,
    kernel_release: profile.kernel.release,
    lab_machine: profile.lab_machine,
    scenario: body.scenario,
    mechanism: body.mechanism,
    outcome,
    evidence: [...evidenceLines(body.evidence)],
  };
}
