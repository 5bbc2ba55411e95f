/** Control trials: how often a capture was reported where the mechanism was disabled. */
import { and, eq, inArray, isNull, lt, ne, sql } from 'drizzle-orm';
import { facts, trust } from '../../schema/tables.ts';
import type { Mechanism, Population } from '../../schema/vocabulary.ts';
import { read, type Store } from './open.ts';
import type { Coverage } from './visible.ts';

/**
 * How many false captures trusted owners other than this one have reported under a version of the agent. Owners whom
 * nobody trusts cost nothing, and must not take from the figures what others have reported.
 */
export async function otherFalseCaptures(store: Store, agentVersion: string, owner: string): Promise<number> {
  const rows = await read(store, (db) =>
    db
      .select({ count: sql<number>`count(distinct ${facts.nonce})` })
      .from(facts)
      .where(
        and(
          eq(facts.control, true),
          eq(facts.result, 'captured'),
          eq(facts.agent_version, agentVersion),
          ne(facts.owner, owner),
          inArray(
            facts.owner,
            db.select({ owner: trust.owner }).from(trust).where(isNull(trust.until_index)),
          ),
        ),
      ),
  );
  return rows[0]?.count ?? 0;
}

/** The control trials of a mechanism under a version of the agent, and how many of them were reported as captured. */
export interface ControlCounts {
  readonly mechanism: Mechanism;
  readonly agent_version: string;
  readonly population: Population;
  readonly trials: number;
  readonly false_captures: number;
}

/** All control trials below the log size of an edition; also those of machines that are held back for them. */
export async function controlCounts(
  store: Store,
  { log_size }: Pick<Coverage, 'log_size'>,
): Promise<ControlCounts[]> {
  const rows = await read(store, (db) =>
    db
      .select({
        mechanism: facts.mechanism,
        agent_version: facts.agent_version,
        population: facts.population,
        trials: sql<number>`count(distinct ${facts.nonce})`,
        false_captures: sql<number>`count(distinct case when ${facts.result} = 'captured' then ${facts.nonce} end)`,
      })
      .from(facts)
      .where(
        and(
          eq(facts.control, true),
          eq(facts.kind, 'report'),
          ne(facts.result, 'inconclusive'),
          lt(facts.log_index, log_size),
        ),
      )
      .groupBy(facts.mechanism, facts.agent_version, facts.population)
      .orderBy(facts.mechanism, facts.agent_version, facts.population),
  );
  return rows.map((row) => ({ ...row, agent_version: row.agent_version ?? '' }));
}
