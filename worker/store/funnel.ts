/** Where the trials of a mechanism ended, over the facts that an edition covers. */
import { and, eq, ne, sql } from 'drizzle-orm';
import type { FunnelCounts } from '../../schema/answer/driver.ts';
import type { Filters } from '../../schema/statistics.ts';
import { facts } from '../../schema/tables.ts';
import type { Mechanism, Population } from '../../schema/vocabulary.ts';
import { selected } from './cells.ts';
import { read, type Store } from './open.ts';
import type { Coverage } from './visible.ts';

/** The funnel of one mechanism: each trial once, without the inconclusive ones. */
export async function funnelOf(
  store: Store,
  coverage: Coverage,
  population: Population,
  mechanism: Mechanism,
  filters: Filters,
): Promise<FunnelCounts> {
  const ended = await read(store, (db) =>
    db
      .select({
        stage: facts.stage,
        trials: sql<number>`count(distinct ${facts.nonce})`,
        captured: sql<number>`count(distinct case when ${facts.result} = 'captured' then ${facts.nonce} end)`,
      })
      .from(facts)
      .where(
        and(
          selected(coverage, population, filters),
          eq(facts.mechanism, mechanism),
          ne(facts.result, 'inconclusive'),
        ),
      )
      .groupBy(facts.stage),
  );
  return {
    mechanism,
    ended: ended.map(({ stage, trials }) => ({ stage, trials })),
    captured: ended.reduce((sum, { captured }) => sum + captured, 0),
  };
}
