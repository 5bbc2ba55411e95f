/** The cells that SQL counts against the same counts made by hand, over made-up facts. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Filters, Group } from '../../schema/statistics.ts';
import { facts } from '../../schema/tables.ts';
import { cellOf } from '../statistics/cell.ts';
import { cellsBy } from './cells.ts';
import { applyMigrations } from './migrations.ts';
import { closeStore, openStore, type Store } from './open.ts';
import type { Coverage } from './visible.ts';

type Row = typeof facts.$inferSelect;

let store: Store;
beforeAll(async () => {
  store = await openStore({ url: 'file::memory:' });
  await applyMigrations(store);
});
afterAll(() => closeStore(store));

const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);

/** One trial: armed or not, reported or not, with some parts. */
const trial = fc.record({
  machine: pick('m1', 'm2', 'm3'),
  population: pick('lab' as const, 'metal' as const),
  chipset: pick('Q35', 'i440FX'),
  crash_type: pick('panic' as const, 'bug' as const),
  mechanism: pick('kdump' as const, 'pstore' as const),
  parts: fc.uniqueArray(
    fc.record({
      driver: pick('ahci', 'nvme', 'e1000'),
      role: pick('dump_target' as const, 'present' as const),
    }),
    { minLength: 1, selector: ({ driver, role }) => `${driver} ${role}` },
  ),
  armed: fc.boolean(),
  result: fc.option(
    pick('captured' as const, 'failed' as const, 'inconclusive' as const, 'survived' as const),
  ),
  report_by_ms: fc.integer({ min: 0, max: 100 }),
});

/** The facts of some trials, in the order in which the log takes them. */
function factsOf(trials: readonly (typeof trial extends fc.Arbitrary<infer T> ? T : never)[]): Row[] {
  let log_index = 0;
  return trials.flatMap(({ parts, armed, result, report_by_ms, ...fixed }, i) => {
    const common = {
      ...fixed,
      nonce: `nonce ${i}`,
      kernel_series: '6.1',
      crash_point: 'direct' as const,
      load: 'idle' as const,
      mitigation: 'none' as const,
      set_up: 'panic' as const,
      environment: 'stock' as const,
      stage: null,
    };
    const rows: Row[] = [];
    if (armed) {
      const at = log_index++;
      rows.push(
        ...parts.map((part) => ({
          ...common,
          ...part,
          log_index: at,
          kind: 'armed' as const,
          result: 'no_reply' as const,
          report_by_ms,
        })),
      );
    }
    if (result !== null) {
      const at = log_index++;
      rows.push(
        ...parts.map((part) => ({
          ...common,
          ...part,
          log_index: at,
          kind: 'report' as const,
          result,
          report_by_ms: null,
        })),
      );
    }
    return rows;
  });
}

/** What the design says, read aloud. */
function countByHand(
  rows: readonly Row[],
  { log_size, cut_off_ms }: Coverage,
  by: readonly Group[],
  filters: Filters,
) {
  const below = rows.filter((row) => row.log_index < log_size);
  const reported = new Set(below.filter((row) => row.kind === 'report').map((row) => row.nonce));
  const visible = below.filter(
    (row) =>
      row.kind === 'report' || ((row.report_by_ms ?? Infinity) < cut_off_ms && !reported.has(row.nonce)),
  );
  const wanted = visible.filter(
    (row) =>
      row.population === 'lab' &&
      row.mechanism !== 'pstore' &&
      Object.entries(filters).every(([name, value]) => row[name as Group] === value),
  );
  const cells = Map.groupBy(wanted, (row) => by.map((name) => row[name]).join('\0'));
  const distinct = (some: readonly Row[]) => new Set(some.map((row) => row.nonce)).size;
  return [...cells]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, some]) => ({
      ...Object.fromEntries(key.split('\0').map((value, i) => [by[i], value])),
      ...cellOf({
        machines: new Set(some.map((row) => row.machine)).size,
        trials: distinct(some.filter((row) => row.result !== 'inconclusive')),
        captured: distinct(some.filter((row) => row.result === 'captured')),
        no_reply: distinct(some.filter((row) => row.result === 'no_reply')),
        inconclusive: distinct(some.filter((row) => row.result === 'inconclusive')),
      }),
    }));
}

describe('cellsBy', () => {
  it('counts as the design says, for any rows, log size, cut-off, groups and filters', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(trial, { maxLength: 30 }),
        fc.integer({ min: 0, max: 60 }),
        fc.integer({ min: 0, max: 100 }),
        fc.uniqueArray(pick<Group>('driver', 'role', 'chipset', 'crash_type', 'mechanism'), {
          minLength: 1,
          maxLength: 3,
        }),
        pick<Filters>({}, { role: 'dump_target' }, { driver: 'nvme', crash_type: 'bug' }),
        async (trials, log_size, cut_off_ms, by, filters) => {
          const rows = factsOf(trials);
          await store.db.delete(facts);
          if (rows.length > 0) await store.db.insert(facts).values(rows);
          const coverage = { log_size, cut_off_ms };
          const counted = await cellsBy(store, coverage, 'lab', by, filters);
          expect(counted).toEqual(countByHand(rows, coverage, by, filters));
        },
      ),
      { numRuns: 300 },
    );
  });
});
