/**
 * Every released schema rolls forward: a store of each prefix of the migrations, filled with rows that a server of
 * that schema wrote, is brought to today's schema by a server that starts, and served.
 */
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { drizzle } from 'drizzle-orm/libsql';
import { migrate } from 'drizzle-orm/libsql/migrator';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startServer } from '../../worker/node.ts';
import { migrations } from '../../worker/store/schema-version.ts';
import { enrol, get, post, takeTicket } from './client.ts';
import { keyPair, sampleMachine, seal } from './samples.ts';

const migrationsFolder = fileURLToPath(new URL('../../schema/migrations', import.meta.url));
const fixtures = new URL('../fixtures/stores/', import.meta.url);

let root: string;
let path: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dumpsurvey-migrations-'));
  path = join(root, 'survey.db');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const open = (at = path) => createClient({ url: pathToFileURL(at).href, concurrency: 1 });

/** Applies the first `count` migrations, as the code that had no more of them did. */
async function migrateTo(count: number): Promise<void> {
  const folder = join(root, `first-${count}`);
  await cp(migrationsFolder, folder, { recursive: true });
  const journalPath = join(folder, 'meta', '_journal.json');
  const journal = JSON.parse(await readFile(journalPath, 'utf8')) as { entries: unknown[] };
  await writeFile(journalPath, JSON.stringify({ ...journal, entries: journal.entries.slice(0, count) }));
  const client = open();
  await migrate(drizzle(client), { migrationsFolder: folder });
  client.close();
}

/** Rows as texts, so that they can be looked for. */
async function rowsBy(sql: string, at = path): Promise<string[]> {
  const client = open(at);
  const { rows } = await client.execute(sql);
  client.close();
  return rows.map((row) =>
    JSON.stringify(row, (_, value) =>
      value instanceof ArrayBuffer ? Buffer.from(value).toString('hex') : value,
    ),
  );
}

/**
 * Where the rows of a table went that is no more: the same values, asked for before and after. A migration that does
 * away with a table adds a row here.
 */
const moved: Readonly<Record<string, readonly [before: string, after: string]>> = {
  log: ['select log_index, kind from log', 'select log_index, kind from log_entries'],
  report_bodies: ['select payload, signature from report_bodies', 'select payload, signature from envelopes'],
};

/** Columns whose meaning ended with a migration. */
const ended = ['machines.reference'];

async function columnsOf(tables: readonly string[]): Promise<Record<string, string[]>> {
  const client = open();
  const columns = tables.map(async (table) => {
    const { rows } = await client.execute(`select name from pragma_table_info('${table}')`);
    return [table, rows.map((row) => String(row[0]))] as const;
  });
  const all = Object.fromEntries(await Promise.all(columns));
  client.close();
  return all;
}

/** How to ask for all rows of each table before and after the migrations. */
function questions(
  before: Readonly<Record<string, string[]>>,
  after: Readonly<Record<string, string[]>>,
): (readonly [table: string, before: string, after: string])[] {
  return Object.entries(before).map(([table, names]) => {
    const now = after[table] ?? [];
    if (now.length === 0) {
      const where = moved[table];
      if (where === undefined)
        throw new Error(`the table ${table} is gone; say in \`moved\` where its rows went`);
      return [table, ...where];
    }
    const lost = names.filter((name) => !now.includes(name) && !ended.includes(`${table}.${name}`));
    if (lost.length > 0) throw new Error(`${table} has lost ${lost.join(', ')}`);
    const ask = `select ${names.filter((name) => now.includes(name)).join(', ')} from ${table}`;
    return [table, ask, ask];
  });
}

/** The schema, whatever order columns came in. */
async function schemaAt(at: string): Promise<string[]> {
  const client = open(at);
  const { rows } = await client.execute(`
    select m.type, m.name, p.name as column, p.type as of, p."notnull", p.pk
      from sqlite_master m join pragma_table_info(m.name) p where m.type = 'table'
    union all select m.type, m.name, i.name, i.seqno, m.tbl_name, 0
      from sqlite_master m join pragma_index_info(m.name) i where m.type = 'index'`);
  client.close();
  return rows.map((row) => JSON.stringify(Object.values(row))).sort();
}

const recorded = (await readdir(fixtures)).filter((name) => name.endsWith('.sql')).sort();

/** For each prefix of the migrations, the newest fixture that is not newer than it. */
const prefixes = migrations.map(({ tag }, i) => {
  const tags = migrations.slice(0, i + 1).map((migration) => `${migration.tag}.sql`);
  const fixture = recorded.filter((name) => tags.includes(name)).at(-1) ?? '(none)';
  return { count: i + 1, tag, fixture, laidAt: tags.indexOf(fixture) + 1 };
});

it('every fixture belongs to a migration, and the first three have their own', () => {
  expect(recorded.filter((name) => !migrations.some(({ tag }) => `${tag}.sql` === name))).toEqual([]);
  expect(prefixes.slice(0, 3).map(({ tag, fixture }) => fixture === `${tag}.sql`)).toEqual([
    true,
    true,
    true,
  ]);
});

describe.each(prefixes)('a store of $tag with the rows of $fixture', ({ count, fixture, laidAt }) => {
  it('is brought to the schema of this code, loses nothing, and is served', async () => {
    await migrateTo(laidAt);
    const text = await readFile(new URL(fixture, fixtures), 'utf8');
    const tables = [...new Set([...text.matchAll(/^INSERT INTO (\w+)/gm)].map((match) => match[1] ?? ''))];
    const client = open();
    await client.executeMultiple(text);
    client.close();
    const columns = await columnsOf(tables);
    const laid = join(root, 'laid.db');
    await cp(path, laid);
    const reports = (await rowsBy('select log_index, nonce from reports')).map(
      (row) => JSON.parse(row) as { log_index: number; nonce: string },
    );
    await migrateTo(count);

    const server = await startServer({
      port: 0,
      data: root,
      editionEveryMs: 20,
      lookEveryMs: 20,
      referenceOwners: [keyPair('owner').publicHex],
      controlShare: 0,
    });
    const asked = questions(columns, await columnsOf(tables));
    for (const [table, before, after] of asked) {
      const there = new Set(await rowsBy(after));
      const missing = (await rowsBy(before, laid)).filter((row) => !there.has(row));
      expect([table, missing]).toEqual([table, []]);
    }
    const fresh = join(root, 'fresh');
    await mkdir(fresh);
    await (await startServer({ port: 0, data: fresh })).close();
    expect(await schemaAt(path)).toEqual(await schemaAt(join(fresh, 'survey.db')));

    expect((await get(server.url, '/readyz')).status).toBe(200);
    expect(reports.length).toBe(8);
    for (const { log_index: id, nonce } of reports) {
      const answer = await get(server.url, `/v1/reports/${id}`);
      expect([answer.text.slice(0, 200), answer.status]).toEqual([answer.text.slice(0, 200), 200]);
      expect(answer.json).toMatchObject({ report_id: String(id), body: { nonce } });
      expect((await get(server.url, `/reports/${id}`, 'text/html')).status).toBe(200);
    }
    for (const address of ['/', '/v1/reports', '/failures.atom', '/drivers/am53c974', '/v1/editions']) {
      expect([address, (await get(server.url, address)).status]).toEqual([address, 200]);
    }
    const query = '/v1/statistics?by=driver,set_up&population=lab&role=dump_target';
    await vi.waitFor(async () =>
      expect((await get(server.url, query)).json).toMatchObject({
        cells: ['am53c974', 'virtio_blk'].map((driver) => ({
          driver,
          set_up: 'panic',
          machines: 1,
          trials: 4,
          captured: 1,
          no_reply: 1,
          inconclusive: 1,
        })),
      }),
    );

    // What was issued then is honored today: a late report on a ticket of that time, and whatever is new.
    const machine = sampleMachine('new');
    await enrol(server.url, machine);
    const ticket = await takeTicket(server.url, machine, 'new');
    const report = seal('report', machine.report(ticket, 'captured', Date.now()), machine.key);
    expect((await post(server.url, 'report', report)).status).toBe(201);
    await server.close();
  });
});
