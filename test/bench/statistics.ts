/**
 * What a query costs over a large fact table, held against the least that looks at each row: counting them, with
 * no index to count instead. The rows are made up, and nobody else reads the store.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { scenarioSets } from '../../schema/scenario.ts';
import { groups } from '../../schema/statistics.ts';
import { facts, trust } from '../../schema/tables.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import { cellsBy } from '../../worker/store/cells.ts';
import { applyMigrations } from '../../worker/store/migrations.ts';
import { closeStore, openStore, type Store, write } from '../../worker/store/open.ts';
import { inTurns, timeOf } from './measure.ts';
import type { Context, Findings } from './section.ts';

const rowCount = 200_000;
const machineCount = 400;
const driversPerMachine = 5;
const driverNames = Array.from({ length: 60 }, (_, i) => `driver_${i}`);
const rowsPerStatement = 500;

type FactRow = typeof facts.$inferInsert;

function hex(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}

/** The facts of one made-up trial: a row for each driver of its machine. Every number follows from the index. */
function factsOfTrial(index: number): FactRow[] {
  const machine = (index * 7919) % machineCount;
  const set = scenarioSets['standard/1'];
  const scenario = set[Math.floor(index / machineCount) % set.length];
  if (!scenario) throw new Error('the set is empty');
  const silent = index % 20 === 0;
  const captured = index % 10 < 7;
  const trial = {
    log_index: index,
    nonce: hex(`trial ${index}`, 32),
    kind: silent ? 'armed' : 'report',
    machine: hex(`machine ${machine}`, 64),
    owner: hex('owner', 64),
    agent_version: silent ? null : '0.1.0',
    scenario_set: 'standard/1',
    control: false,
    population: 'lab',
    chipset: machine % 2 === 0 ? 'Q35' : 'i440FX',
    kernel_series: machine % 3 === 0 ? '6.12' : '6.1',
    crash_point: scenario.crash_point,
    crash_type: scenario.crash_type,
    load: scenario.load,
    mitigation: scenario.mitigation,
    mechanism: 'kdump',
    environment: 'instrumented',
    result: silent ? 'no_reply' : captured ? 'captured' : 'failed',
    stage: silent ? 'armed' : captured ? 'dump_written' : 'handed_over',
    report_by_ms: silent ? index : null,
  } as const satisfies Partial<FactRow>;
  return Array.from({ length: driversPerMachine }, (_, i) => ({
    ...trial,
    driver: driverNames[(machine * 13 + i * 7) % driverNames.length] ?? '',
    role: i === 0 ? 'dump_target' : 'present',
  }));
}

async function fill(store: Store): Promise<void> {
  await applyMigrations(store);
  const decided = { label: 'reference', invited_by: null, depth: 0, ordinal: null, since_ms: 0 } as const;
  await write(store, [
    store.db.insert(trust).values({ from_index: 0, owner: hex('owner', 64), until_index: null, ...decided }),
  ]);
  const rows = Array.from({ length: rowCount / driversPerMachine }, (_, i) => factsOfTrial(i)).flat();
  for (let i = 0; i < rows.length; i += 20 * rowsPerStatement) {
    const some = rows.slice(i, i + 20 * rowsPerStatement);
    const statements = Array.from({ length: Math.ceil(some.length / rowsPerStatement) }, (_, j) =>
      store.db.insert(facts).values(some.slice(j * rowsPerStatement, (j + 1) * rowsPerStatement)),
    );
    await write(store, statements);
  }
}

/** The section. */
export async function statistics({ rounds, say }: Context): Promise<Findings> {
  const data = await mkdtemp(join(tmpdir(), 'dumpsurvey-bench-'));
  const store = await openStore({ url: pathToFileURL(join(data, 'survey.db')).href });
  try {
    say(`making up ${rowCount} facts`);
    await fill(store);
    const edition = { log_size: rowCount, cut_off_ms: rowCount };
    const by = ['driver', 'crash_type'] as const;
    const all = {
      one: () => cellsBy(store, edition, 'lab', by, { driver: 'driver_7', role: 'dump_target' }),
      role: () => cellsBy(store, edition, 'lab', by, { role: 'dump_target' }),
      finest: () => cellsBy(store, edition, 'lab', namesOf(groups), {}),
      count: () => store.client.execute('select count(*) from facts not indexed'),
    };
    for (const [name, query] of Object.entries(all)) {
      const answer = await query();
      say(`${name}: ${Array.isArray(answer) ? `${answer.length} cells` : 'done'}`);
    }
    const medians = await inTurns(rounds, {
      one: () => timeOf(all.one),
      role: () => timeOf(all.role),
      finest: () => timeOf(all.finest),
      count: () => timeOf(all.count),
    });
    const row = (what: string, measured: number) => ({
      what: `statistics: ${what}`,
      unit: 'ms' as const,
      measured,
      against: `counting all ${rowCount} facts`,
      peer: medians.count,
      bound: null,
    });
    return {
      rows: [
        row('one driver by crash type', medians.one),
        row('every dump target by driver and crash type', medians.role),
        row('by every group, as an edition is hashed', medians.finest),
      ],
    };
  } finally {
    closeStore(store);
    await rm(data, { recursive: true, force: true });
  }
}
