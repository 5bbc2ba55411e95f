/** The cells that SQL counts against the same counts made by hand, over made-up facts. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Filters, Group } from '../../schema/statistics.ts';
import { facts, holds, trust } from '../../schema/tables.ts';
import { cellOf, ownerTrialsMax } from '../statistics/cell.ts';
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

const result = pick('captured' as const, 'failed' as const, 'inconclusive' as const, 'survived' as const);

/** One trial: armed or not, reported or not, amended or not, with some parts. */
const trial = fc.record({
  machine: pick('m1', 'm2', 'm3'),
  control: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, fc.constant(true)),
  agent_version: pick('0.1.0', '0.2.0'),
  scenario_set: pick('standard/1' as const, 'lab/1' as const),
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
  results: fc.array(result, { maxLength: 2 }),
  report_by_ms: fc.integer({ min: 0, max: 100 }),
});
type Trial = typeof trial extends fc.Arbitrary<infer T> ? T : never;

/** m1 and m2 are of one owner. */
const ownerOf: Readonly<Record<string, string>> = { m1: 'o1', m2: 'o1', m3: 'o2' };

const logIndex = fc.integer({ min: 0, max: 80 });

const trusted = fc.uniqueArray(
  fc.record({
    from_index: logIndex,
    owner: pick('o1', 'o2'),
    label: pick('reference' as const, 'vouched' as const),
    until_index: fc.option(logIndex),
  }),
  { selector: ({ from_index }) => from_index, maxLength: 4 },
);

const subjects = {
  machine: ['m1', 'm2', 'm3'],
  owner: ['o1', 'o2'],
  agent_version: ['0.1.0', '0.2.0'],
  scenario_set: ['standard/1', 'lab/1'],
} as const;

const held = fc.uniqueArray(
  fc
    .record({
      from_index: logIndex,
      label: pick('quarantined' as const, 'revoked' as const),
      subject_kind: pick(
        'machine' as const,
        'owner' as const,
        'agent_version' as const,
        'scenario_set' as const,
      ),
      which: fc.nat(10),
      since_index: logIndex,
      until_index: fc.option(logIndex),
    })
    .map(({ which, ...row }) => {
      const names = subjects[row.subject_kind];
      return { ...row, subject: names[which % names.length] ?? '' };
    }),
  { selector: ({ from_index }) => from_index, maxLength: 2 },
);

/** The facts of some trials, in the order in which the log takes them. */
function factsOf(trials: readonly Trial[]): Row[] {
  let log_index = 0;
  return trials.flatMap(({ parts, armed, results, report_by_ms, agent_version, ...fixed }, i) => {
    const common = {
      ...fixed,
      owner: ownerOf[fixed.machine] ?? '',
      nonce: `nonce ${i}`,
      kernel_series: '6.1',
      crash_point: 'direct' as const,
      load: 'idle' as const,
      mitigation: 'none' as const,
      set_up: 'panic' as const,
      environment: 'stock' as const,
      stage: null,
    };
    const entry = (said: Pick<Row, 'kind' | 'agent_version' | 'result' | 'report_by_ms'>) => {
      const at = log_index++;
      return parts.map((part) => ({ ...common, ...part, log_index: at, ...said }));
    };
    return [
      ...(armed ? entry({ kind: 'armed', agent_version: null, result: 'no_reply', report_by_ms }) : []),
      ...results.flatMap((r) => entry({ kind: 'report', agent_version, result: r, report_by_ms: null })),
    ];
  });
}

type Trust = Pick<typeof trust.$inferSelect, 'owner' | 'label' | 'from_index' | 'until_index'>;
type Hold = typeof holds.$inferSelect;

const standsAt =
  (size: number) =>
  ({ from_index, until_index }: { from_index: number; until_index: number | null }) =>
    from_index < size && (until_index === null || until_index >= size);

/** What the design says, read aloud. */
function countByHand(
  rows: readonly Row[],
  given: { readonly trusted: readonly Trust[]; readonly held: readonly Hold[] },
  { log_size, cut_off_ms }: Coverage,
  by: readonly Group[],
  filters: Filters,
) {
  const below = rows.filter((row) => row.log_index < log_size);
  const trustedNow = given.trusted.filter(standsAt(log_size));
  const heldNow = given.held.filter(standsAt(log_size));
  const isNewest = (row: Row) =>
    !below.some(
      (other) =>
        other.nonce === row.nonce &&
        other.kind === 'report' &&
        (row.kind === 'armed' || other.log_index > row.log_index),
    );
  const wanted = below.filter(
    (row) =>
      isNewest(row) &&
      (row.kind === 'report' || (row.report_by_ms ?? Infinity) < cut_off_ms) &&
      !row.control &&
      row.population === 'lab' &&
      row.mechanism !== 'pstore' &&
      trustedNow.some(({ owner }) => owner === row.owner) &&
      !heldNow.some((h) => row[h.subject_kind] === h.subject && h.since_index <= row.log_index) &&
      Object.entries(filters).every(([name, value]) => row[name as Group] === value),
  );
  const isReference = (owner: string) => trustedNow.some((t) => t.owner === owner && t.label === 'reference');
  const cells = Map.groupBy(wanted, (row) => by.map((name) => row[name]).join('\0'));
  return [...cells]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, some]) => {
      const trials = [...new Map(some.map((row) => [row.nonce, row])).values()];
      const taken = new Map<string, number>();
      const counted = trials.filter(({ owner }) => {
        taken.set(owner, (taken.get(owner) ?? 0) + 1);
        return isReference(owner) || (taken.get(owner) ?? 0) <= ownerTrialsMax;
      });
      const count = (holdsTrue: (row: Row) => boolean) => counted.filter(holdsTrue).length;
      return {
        ...Object.fromEntries(key.split('\0').map((value, i) => [by[i], value])),
        ...cellOf({
          machines: new Set(counted.map((row) => row.machine)).size,
          trials: count((row) => row.result !== 'inconclusive'),
          captured: count((row) => row.result === 'captured'),
          no_reply: count((row) => row.result === 'no_reply'),
          inconclusive: count((row) => row.result === 'inconclusive'),
        }),
      };
    });
}

async function fill(rows: readonly Row[], trusted: readonly Trust[], held: readonly Hold[]): Promise<void> {
  const { db } = store;
  for (const table of [facts, trust, holds]) await db.delete(table);
  if (rows.length > 0) await db.insert(facts).values([...rows]);
  const decided = { invited_by: null, depth: 0, ordinal: null, since_ms: 0 };
  if (trusted.length > 0) await db.insert(trust).values(trusted.map((row) => ({ ...row, ...decided })));
  if (held.length > 0) await db.insert(holds).values([...held]);
}

describe('cellsBy', () => {
  const someGroups = fc.uniqueArray(pick<Group>('driver', 'role', 'chipset', 'crash_type', 'mechanism'), {
    minLength: 1,
    maxLength: 3,
  });

  it('counts as the design says, for any rows, trust, holds, log size, cut-off, groups and filters', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(trial, { maxLength: 30 }),
        trusted,
        held,
        fc.integer({ min: 0, max: 90 }),
        fc.integer({ min: 0, max: 100 }),
        someGroups,
        pick<Filters>({}, { role: 'dump_target' }, { driver: 'nvme', crash_type: 'bug' }),
        async (trials, trustRows, holdRows, log_size, cut_off_ms, by, filters) => {
          const rows = factsOf(trials);
          await fill(rows, trustRows, holdRows);
          const coverage = { log_size, cut_off_ms };
          const counted = await cellsBy(store, coverage, 'lab', by, filters);
          expect(counted).toEqual(
            countByHand(rows, { trusted: trustRows, held: holdRows }, coverage, by, filters),
          );
        },
      ),
      { numRuns: 300 },
    );
  });

  it.each([
    ['vouched', ownerTrialsMax],
    ['reference', ownerTrialsMax + 5],
  ] as const)('counts of one %s owner at most %i trials in a cell', async (label, most) => {
    const one: Trial = {
      machine: 'm1',
      control: false,
      agent_version: '0.1.0',
      scenario_set: 'standard/1',
      population: 'lab',
      chipset: 'Q35',
      crash_type: 'panic',
      mechanism: 'kdump',
      parts: [
        { driver: 'nvme', role: 'dump_target' },
        { driver: 'nvme', role: 'present' },
      ],
      armed: true,
      results: ['failed'],
      report_by_ms: 0,
    };
    const rows = factsOf(Array<Trial>(ownerTrialsMax + 5).fill(one));
    await fill(rows, [{ owner: 'o1', label, from_index: 0, until_index: null }], []);
    const cells = await cellsBy(store, { log_size: 1000, cut_off_ms: 0 }, 'lab', ['driver'], {});
    expect(cells).toMatchObject([{ driver: 'nvme', trials: most, captured: 0 }]);
  });
});
