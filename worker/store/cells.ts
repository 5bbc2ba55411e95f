/** Counts of distinct trials by groups, over the facts that an edition covers. */
import { and, eq, type SQL, sql } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { Filters, Group, KeyedCell } from '../../schema/statistics.ts';
import { facts } from '../../schema/tables.ts';
import type { Population } from '../../schema/vocabulary.ts';
import { type Counts, cellOf, ownerTrialsMax } from '../statistics/cell.ts';
import { read, type Store } from './open.ts';
import { type Coverage, isReferenceAt, visibleAt } from './visible.ts';

const columns = {
  driver: facts.driver,
  role: facts.role,
  chipset: facts.chipset,
  crash_type: facts.crash_type,
  crash_point: facts.crash_point,
  load: facts.load,
  kernel_series: facts.kernel_series,
  mitigation: facts.mitigation,
  set_up: facts.set_up,
  mechanism: facts.mechanism,
} as const satisfies Record<Group, SQLiteColumn>;

/** The facts of a population that pass the filters. */
export function selected(coverage: Coverage, population: Population, filters: Filters): SQL | undefined {
  const names = Object.keys(columns) as Group[];
  const wanted = names.flatMap((name) => {
    const value = filters[name];
    return value === undefined ? [] : [eq(columns[name], value)];
  });
  return and(eq(facts.population, population), ...wanted, visibleAt(coverage));
}

/** The counts of a cell as the query gives them, beside the values of its groups. */
type CountedRow = Counts & Readonly<Record<string, unknown>>;

/**
 * The cells of a grouping, in the order of the groups' values. A trial counts once in each cell, and in each cell at
 * most `ownerTrialsMax` trials of one owner, its first ones; the survey's own owners are not capped.
 */
export async function cellsBy(
  store: Store,
  coverage: Coverage,
  population: Population,
  by: readonly Group[],
  filters: Filters,
): Promise<KeyedCell[]> {
  const names = sql.join(
    by.map((name) => sql.identifier(name)),
    sql`, `,
  );
  const values = sql.join(
    by.map((name) => sql`${columns[name]} as ${sql.identifier(name)}`),
    sql`, `,
  );
  const trials = sql`select ${values}, ${facts.nonce} as nonce, ${facts.machine} as machine, ${facts.owner} as owner,
      min(${facts.result}) as result, min(${facts.log_index}) as first
    from ${facts} where ${selected(coverage, population, filters)} group by ${names}, ${facts.nonce}`;
  const ranked = sql`select *, row_number() over (partition by ${names}, owner order by first) as rank from (${trials})`;
  const rows = await read(store, (db) =>
    db.all<CountedRow>(sql`select ${names},
        count(distinct machine) as machines,
        count(case when result <> 'inconclusive' then 1 end) as trials,
        count(case when result = 'captured' then 1 end) as captured,
        count(case when result = 'no_reply' then 1 end) as no_reply,
        count(case when result = 'inconclusive' then 1 end) as inconclusive
      from (${ranked}) where rank <= ${ownerTrialsMax} or ${isReferenceAt(coverage.log_size, sql`owner`)}
      group by ${names} order by ${names}`),
  );
  return rows.map((row) => ({
    ...Object.fromEntries(by.map((name) => [name, String(row[name])])),
    ...cellOf(row),
  }));
}
