/** Counts of distinct trials by groups, over the facts that an edition covers. */
import { and, asc, eq, type SQL, sql } from 'drizzle-orm';
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core';
import type { Filters, Group, KeyedCell } from '../../schema/statistics.ts';
import { facts } from '../../schema/tables.ts';
import type { Population } from '../../schema/vocabulary.ts';
import { cellOf } from '../statistics/cell.ts';
import { read, type Store } from './open.ts';
import { type Coverage, visibleAt } from './visible.ts';

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

function trialsWhere(condition: SQL): SQL<number> {
  return sql<number>`count(distinct case when ${condition} then ${facts.nonce} end)`;
}

/** The facts of a population that pass the filters. */
export function selected(coverage: Coverage, population: Population, filters: Filters): SQL | undefined {
  const names = Object.keys(columns) as Group[];
  const wanted = names.flatMap((name) => {
    const value = filters[name];
    return value === undefined ? [] : [eq(columns[name], value)];
  });
  return and(eq(facts.population, population), ...wanted, visibleAt(coverage));
}

/** The cells of a grouping, in the order of the groups' values. A trial counts once in each cell. */
export async function cellsBy(
  store: Store,
  coverage: Coverage,
  population: Population,
  by: readonly Group[],
  filters: Filters,
): Promise<KeyedCell[]> {
  const keys = by.map((name) => columns[name]);
  const rows = await read(store, (db) =>
    db
      .select({
        ...Object.fromEntries(by.map((name) => [name, columns[name]])),
        machines: sql<number>`count(distinct ${facts.machine})`,
        trials: trialsWhere(sql`${facts.result} <> 'inconclusive'`),
        captured: trialsWhere(sql`${facts.result} = 'captured'`),
        no_reply: trialsWhere(sql`${facts.result} = 'no_reply'`),
        inconclusive: trialsWhere(sql`${facts.result} = 'inconclusive'`),
      })
      .from(facts)
      .where(selected(coverage, population, filters))
      .groupBy(...keys)
      .orderBy(...keys.map((key) => asc(key))),
  );
  return rows.map((row) => {
    const named: Record<string, unknown> = row;
    return { ...Object.fromEntries(by.map((name) => [name, String(named[name])])), ...cellOf(row) };
  });
}
