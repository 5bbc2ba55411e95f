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
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startServer } from '../../worker/node.ts';
import { migrations } from '../../worker/store/schema-version.ts';
import { enrol, get, post, takeTicket } from './client.ts';
import { sampleMachine, seal } from './samples.ts';

const migrationsFolder = fileURLToPath(new URL('../../schema/migrations', import.meta.url));
const fixtures = new URL('../fixtures/stores/', import.meta.url);

let root: string;
let path: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dumpsurvey-migrations-'));
  path = join(root, 'survey.db');
});
afterEach(() => rm(root, { recursive: true, force: true }));

const open = () => createClient({ url: pathToFileURL(path).href, concurrency: 1 });

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

/** All rows of the tables, without the columns that came later. */
async function rowsOf(columns: Record<string, string[]>): Promise<Record<string, unknown[]>> {
  const client = open();
  const tables = Object.entries(columns).map(async ([table, names]) => {
    const { rows } = await client.execute(`select ${names.join(', ')} from ${table} order by 1, 2`);
    return [table, rows.map((row) => names.map((name) => row[name]))] as const;
  });
  const all = Object.fromEntries(await Promise.all(tables));
  client.close();
  return all;
}

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

/** The schema, whatever order columns came in. */
async function schemaAt(at: string): Promise<string[]> {
  const client = createClient({ url: pathToFileURL(at).href, concurrency: 1 });
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

it('every fixture belongs to a migration, and the first ones have their own', () => {
  expect(recorded.filter((name) => !migrations.some(({ tag }) => `${tag}.sql` === name))).toEqual([]);
  expect(prefixes.slice(0, 2).map(({ tag, fixture }) => fixture === `${tag}.sql`)).toEqual([true, true]);
});

describe.each(prefixes)('a store of $tag with the rows of $fixture', ({ count, fixture, laidAt }) => {
  it('is brought to the schema of this code, loses nothing, and is served', async () => {
    await migrateTo(laidAt);
    const text = await readFile(new URL(fixture, fixtures), 'utf8');
    const tables = [...new Set([...text.matchAll(/^INSERT INTO (\w+)/gm)].map((match) => match[1] ?? ''))];
    const columns = await columnsOf(tables);
    const client = open();
    await client.executeMultiple(text);
    client.close();
    const before = await rowsOf(columns);
    await migrateTo(count);

    const server = await startServer({ port: 0, data: root, editionEveryMs: 20, lookEveryMs: 20 });
    expect(await rowsOf(columns)).toMatchObject({ ...before, editions: expect.anything() });
    const editions = (await rowsOf(columns)).editions ?? [];
    expect(editions.slice(0, before.editions?.length)).toEqual(before.editions);
    const fresh = join(root, 'fresh');
    await mkdir(fresh);
    await (await startServer({ port: 0, data: fresh })).close();
    expect(await schemaAt(path)).toEqual(await schemaAt(join(fresh, 'survey.db')));

    expect((await get(server.url, '/readyz')).status).toBe(200);
    const reports = before.reports ?? [];
    expect(reports.length).toBe(8);
    for (const [id, nonce] of reports as [number, string][]) {
      const answer = await get(server.url, `/v1/reports/${id}`);
      expect([answer.text.slice(0, 200), answer.status]).toEqual([answer.text.slice(0, 200), 200]);
      expect(answer.json).toMatchObject({ report_id: String(id), body: { nonce } });
      expect((await get(server.url, `/reports/${id}`, 'text/html')).status).toBe(200);
    }
    for (const address of ['/', '/v1/reports', '/failures.atom', '/drivers/am53c974', '/v1/editions']) {
      expect([address, (await get(server.url, address)).status]).toEqual([address, 200]);
    }
    const query = '/v1/statistics?by=driver,set_up&population=lab&role=dump_target';
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
    });

    // What was issued then is honored today: a late report on a ticket of that time, and whatever is new.
    const machine = sampleMachine('new');
    await enrol(server.url, machine);
    const ticket = await takeTicket(server.url, machine, 'new');
    const report = seal('report', machine.report(ticket, 'captured', Date.now()), machine.key);
    expect((await post(server.url, 'report', report)).status).toBe(201);
    await server.close();
  });
});
