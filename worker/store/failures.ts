/**
 * Reports of the lab whose trial was not captured, newest first, of those that count in an edition. Reports of real
 * machines are not public.
 */
import { and, desc, eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { FailureEntry } from '../../schema/answer/driver.ts';
import { type Outcome, outcome as outcomeSchema } from '../../schema/outcome.ts';
import { envelopes, facts, profiles, reports, tickets } from '../../schema/tables.ts';
import { type Cause, driverCauses } from '../../schema/vocabulary.ts';
import { instant } from '../time.ts';
import { evidenceLines } from '../view/excerpt.ts';
import { selected } from './cells.ts';
import { read, type Store } from './open.ts';
import { storedProfile, storedReport } from './stored.ts';
import type { Coverage } from './visible.ts';

/** Which failures are wanted. */
export interface FailureQuery {
  /** The driver of the dump target, or null for all. */
  readonly driver: string | null;
  /** Only what is charged to the driver or the kernel, or to nobody: what a maintainer can act on. */
  readonly actionable: boolean;
  readonly coverage: Coverage;
  readonly count: number;
}

/** The cause in the outcome that the server derived. */
const cause = sql<Cause | null>`json_extract(${reports.outcome}, '$.cause')`;

/** At most `count` failures, newest first, each with its driver, scenario and telling lines. */
export async function newestFailures(
  store: Store,
  { driver, actionable, coverage, count }: FailureQuery,
): Promise<FailureEntry[]> {
  const conditions: (SQL | undefined)[] = [
    selected(coverage, 'lab', { role: 'dump_target', ...(driver === null ? {} : { driver }) }),
    eq(facts.kind, 'report'),
    eq(facts.result, 'failed'),
    actionable ? inArray(cause, [...driverCauses]) : undefined,
  ];
  const rows = await read(store, (db) =>
    db
      .select({
        log_index: reports.log_index,
        driver: sql<string>`min(${facts.driver})`,
        admitted_at_ms: reports.admitted_at_ms,
        outcome: reports.outcome,
        payload: envelopes.payload,
        profile: profiles.profile,
      })
      .from(facts)
      .innerJoin(reports, eq(reports.log_index, facts.log_index))
      .innerJoin(envelopes, eq(envelopes.hash, reports.report_hash))
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
  const body = storedReport(row.payload);
  const profile = storedProfile(row.profile);
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
