/** The operator's command line, as a process of its own beside real servers: backup, restore, status. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { commands, run } from '../../worker/operator.ts';
import { enrol, get, post, problemOf, receiptOf, takeTickets } from './client.ts';
import { operator } from './command-line.ts';
import { startHrana } from './hrana.ts';
import { type SampleMachine, sampleMachine, seal, simpleScenario } from './samples.ts';
import { endServers, spawnServer } from './spawn.ts';

let root: string;
let data: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dumpsurvey-operator-'));
  data = join(root, 'data');
  await mkdir(data);
});
afterEach(async () => {
  endServers();
  await rm(root, { recursive: true, force: true });
});

const storeOf = (directory: string) => join(directory, 'survey.db');

async function stopped({ child }: Awaited<ReturnType<typeof spawnServer>>): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** Reports on tickets that a server has issued, signed, none of them sent. */
async function signed(url: string, machine: SampleMachine, name: string, count: number) {
  await enrol(url, machine);
  const tickets = await takeTickets(url, machine, name, Array(count).fill(simpleScenario));
  return tickets.map((ticket) => seal('report', machine.report(ticket, 'captured', Date.now()), machine.key));
}

/** A data directory with a store that holds some reports, and the ids of these. */
async function filled(directory: string, name: string, count: number): Promise<string[]> {
  const server = await spawnServer(directory);
  const envelopes = await signed(server.url, sampleMachine(name), name, count);
  const ids = await Promise.all(
    envelopes.map(async (envelope) => receiptOf(await post(server.url, 'report', envelope)).report_id),
  );
  await stopped(server);
  return ids;
}

async function served(directory: string, ids: readonly string[]): Promise<number> {
  const server = await spawnServer(directory);
  const answers = await Promise.all(ids.map((id) => get(server.url, `/v1/reports/${id}`)));
  await stopped(server);
  return answers.filter(({ status }) => status === 200).length;
}

describe('backup and restore', () => {
  it('a backup under load has every report that was acknowledged before it began', async () => {
    const server = await spawnServer(data);
    const batches = [];
    for (let i = 0; i < 12; i++)
      batches.push(await signed(server.url, sampleMachine(`load ${i}`), 'load', 64));
    const acknowledged: { id: string; report: string }[] = [];
    let stop = false;
    const load = (async () => {
      for (const envelope of batches.flat()) {
        if (stop) return;
        const answer = await post(server.url, 'report', envelope);
        acknowledged.push({ id: receiptOf(answer).report_id, report: envelope.payload });
      }
    })();
    while (acknowledged.length < 100) await new Promise((done) => setTimeout(done, 5));
    const before = acknowledged.slice();
    const path = join(root, 'backup.db');
    const made = await operator(['backup', '--to', path, '--data', data, '--json']);
    const after = acknowledged.length;
    stop = true;
    await load;
    expect([made.err, made.status]).toEqual(['', 0]);
    const said = JSON.parse(made.out) as { reports: number; bytes: number; log_size: number };
    expect(said.reports).toBeGreaterThanOrEqual(before.length);
    expect(said.bytes).toBe((await stat(path)).size);
    // It went on meanwhile.
    expect(after).toBeGreaterThan(before.length);
    await stopped(server);

    const elsewhere = join(root, 'elsewhere');
    const restored = await operator(['restore', '--from', path, '--data', elsewhere]);
    expect([restored.err, restored.status]).toEqual(['', 0]);
    expect(restored.out).toContain('There was no store before.');
    const second = await spawnServer(elsewhere);
    for (const { id, report } of before) {
      const answer = (await get(second.url, `/v1/reports/${id}`)).json as { envelope: { payload: string } };
      expect(answer.envelope.payload).toBe(report);
    }
    const status = (await get(second.url, '/v1/status')).json as { log_size: number };
    expect(status.log_size).toBe(said.log_size);
    // It takes the next ones, those that it lost among them.
    const again = await Promise.all(
      batches
        .flat()
        .slice(-70)
        .map((envelope) => post(second.url, 'report', envelope)),
    );
    expect(new Set(again.map((answer) => answer.status))).toEqual(new Set([201]));
  }, 120_000);

  it('the replaced store is kept whole, and can be restored itself', async () => {
    const old = await filled(data, 'old', 3);
    const path = join(root, 'backup.db');
    expect((await operator(['backup', '--to', path, '--data', data])).status).toBe(0);
    const more = await filled(data, 'more', 4);
    const restored = await operator(['restore', '--older', '--from', path, '--data', data, '--json']);
    const { replaced } = JSON.parse(restored.out) as { replaced: string };
    expect(replaced).toMatch(/survey\.db\.before-restore-\d{8}T\d{9}Z$/);
    expect(await served(data, old)).toBe(3);
    expect(await served(data, more)).toBe(0);
    const back = await operator(['restore', '--from', replaced, '--data', data]);
    expect([back.err, back.status]).toEqual(['', 0]);
    expect(await served(data, [...old, ...more])).toBe(7);
  });

  it('refuses to restore while a server has the store, also one that was killed and started again', async () => {
    await filled(data, 'held', 1);
    const path = join(root, 'backup.db');
    await operator(['backup', '--to', path, '--data', data]);
    const first = await spawnServer(data);
    const refused = await operator(['restore', '--from', path, '--data', data]);
    expect([refused.status, refused.err]).toEqual([3, expect.stringContaining('has ')]);
    expect(refused.err).toContain('Stop it, then run this again.');
    const gone = once(first.child, 'exit');
    first.child.kill('SIGKILL');
    await gone;
    expect((await operator(['restore', '--from', path, '--data', data])).status).toBe(0);
    expect(await readdir(data)).toEqual(expect.arrayContaining(['survey.db']));
    expect((await readdir(data)).filter((name) => /restoring|-wal|-shm/.test(name))).toEqual([]);
  });

  it('the WAL that a killed server left is kept with the store that it belongs to', async () => {
    const path = join(root, 'backup.db');
    const server = await spawnServer(data);
    await operator(['backup', '--to', path, '--data', data]);
    const [envelope] = await signed(server.url, sampleMachine('wal'), 'wal', 1);
    if (envelope === undefined) throw new Error('no report');
    const { report_id } = receiptOf(await post(server.url, 'report', envelope));
    const gone = once(server.child, 'exit');
    server.child.kill('SIGKILL');
    await gone;
    expect((await stat(`${storeOf(data)}-wal`)).size).toBeGreaterThan(0);
    const restored = await operator(['restore', '--older', '--from', path, '--data', data, '--json']);
    const { replaced } = JSON.parse(restored.out) as { replaced: string };
    expect(await served(data, [report_id])).toBe(0);
    expect((await operator(['restore', '--from', replaced, '--data', data])).status).toBe(0);
    expect(await served(data, [report_id])).toBe(1);
  });
});

describe('a backup that lacks what the log has signed', () => {
  it('is refused, and where it is wanted all the same it is served, with a log that takes nothing', async () => {
    const old = await filled(data, 'signed', 2);
    const path = join(root, 'backup.db');
    await operator(['backup', '--to', path, '--data', data]);
    const server = await spawnServer(data);
    const checkpointSize = async (url: string) =>
      Number((await get(url, '/log/checkpoint')).text.split('\n')[1] ?? 0);
    const signedAt = await checkpointSize(server.url);
    const later = sampleMachine('later');
    await signed(server.url, later, 'later', 1);
    await vi.waitFor(async () => expect(await checkpointSize(server.url)).toBeGreaterThan(signedAt), 20_000);
    await stopped(server);

    const refused = await operator(['restore', '--from', path, '--data', data]);
    expect([refused.status, refused.err]).toEqual([3, expect.stringContaining('was signed up to')]);
    expect((await operator(['restore', '--older', '--from', path, '--data', data])).status).toBe(0);
    const again = await spawnServer(data, {}, 'ignore');
    expect((await get(again.url, `/v1/reports/${old[0]}`)).status).toBe(200);
    const halted = await post(again.url, 'enrol', seal('enrol', later.enrol(), later.key));
    expect(problemOf(halted).type).toBe('/problems/log-halted');
    const readiness = await get(again.url, '/readyz');
    expect([readiness.status, readiness.text]).toEqual([503, expect.stringContaining('The log is halted')]);
  }, 120_000);
});

describe('files that are no backup', () => {
  let kept: string;
  let good: Buffer;
  beforeAll(async () => {
    kept = await mkdtemp(join(tmpdir(), 'dumpsurvey-backup-'));
    await filled(kept, 'kept', 40);
    await operator(['backup', '--to', join(kept, 'good.db'), '--data', kept]);
    good = await readFile(join(kept, 'good.db'));
  });
  afterAll(() => rm(kept, { recursive: true, force: true }));

  const changed = (change: (bytes: Buffer) => void) => async (path: string) => {
    const bytes = Buffer.from(good);
    change(bytes);
    await writeFile(path, bytes);
  };
  const bySql =
    (...statements: string[]) =>
    async (path: string) => {
      await writeFile(path, good);
      const db = new Database(path);
      for (const statement of statements) db.exec(statement);
      db.close();
    };

  it.each<[string, (path: string) => Promise<unknown>, string]>([
    ['a missing file', async () => undefined, 'There is no file'],
    ['an empty file', (path) => writeFile(path, ''), 'is foreign'],
    ['words', (path) => writeFile(path, 'hello '.repeat(1000)), 'is unreadable'],
    ['a directory', (path) => mkdir(path), 'could not be copied'],
    ['half of a backup', (path) => writeFile(path, good.subarray(0, good.length / 2)), 'is '],
    ['all but its last page', (path) => writeFile(path, good.subarray(0, -4096)), 'is '],
    ['one with a page of zeros', changed((b) => b.fill(0, 20 * 4096, 21 * 4096)), 'is '],
    ['one with a header of zeros', changed((b) => b.fill(0, 0, 100)), 'is unreadable'],
    [
      'another program’s database',
      bySql('drop table __drizzle_migrations', 'create table notes (x)'),
      'is foreign',
    ],
    [
      'one of newer code',
      bySql("insert into __drizzle_migrations (hash, created_at) values ('x', 99999999999999)"),
      'is newer',
    ],
    [
      'one of another survey’s code',
      bySql('update __drizzle_migrations set created_at = created_at + 1'),
      'is foreign',
    ],
    ['one with a gap in its log', bySql('delete from log_entries where log_index = 5'), 'is torn'],
    [
      'one with a report without a body',
      bySql('delete from envelopes where hash in (select report_hash from reports limit 1)'),
      'is torn',
    ],
    [
      'a store with its WAL',
      async (path) => [await writeFile(path, good), await writeFile(`${path}-wal`, 'x')],
      'has a WAL',
    ],
  ])('%s is refused, and nothing is changed', async (_, make, words) => {
    const path = join(root, 'given.db');
    await writeFile(storeOf(data), good);
    await make(path);
    const refused = await operator(['restore', '--from', path, '--data', data]);
    expect([refused.status, refused.err]).toEqual([3, expect.stringContaining(words)]);
    expect(refused.err).not.toMatch(/\n +at /);
    expect(await readdir(data)).toEqual(['survey.db']);
    expect((await readFile(storeOf(data))).equals(good)).toBe(true);
  });

  it('a damaged store can be replaced', async () => {
    await changed((b) => b.fill(0, 20 * 4096, 21 * 4096))(storeOf(data));
    const restored = await operator(['restore', '--from', join(kept, 'good.db'), '--data', data]);
    expect([restored.err, restored.status]).toEqual(['', 0]);
    expect((await readFile(storeOf(data))).equals(good)).toBe(true);
  });

  it('a damaged store is not backed up as if it were whole', async () => {
    await changed((b) => b.fill(0, 20 * 4096, 21 * 4096))(storeOf(data));
    const path = join(root, 'backup.db');
    expect((await operator(['backup', '--to', path, '--data', data])).status).not.toBe(0);
    expect(await readdir(root)).toEqual(['data']);
  });

  it('a backup is for its owner’s eyes', async () => {
    expect((await stat(join(kept, 'good.db'))).mode & 0o777).toBe(0o600);
  });

  it('where there is no room, nothing is left', async () => {
    await writeFile(storeOf(data), good);
    const target = join(root, 'full');
    await mkdir(target);
    const path = join(target, 'backup.db');
    // `ulimit -f` counts blocks of 512 bytes: no file may grow beyond 64 KiB.
    const limited = await operator(['backup', '--to', path, '--data', data], {}, 'ulimit -f 128; ');
    expect([limited.status, limited.err]).toEqual([3, expect.stringContaining('Is there room')]);
    expect(await readdir(target)).toEqual([]);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', target]).status === 0;
    if (!mounted) return;
    try {
      const full = await operator(['backup', '--to', path, '--data', data]);
      expect([full.status, full.err]).toEqual([3, expect.stringContaining('Is there room')]);
      expect(await readdir(target)).toEqual([]);
    } finally {
      spawnSync('umount', [target]);
    }
  });

  it('a restore without room leaves the store as it is', async () => {
    await writeFile(storeOf(data), good);
    const limited = await operator(
      ['restore', '--from', join(kept, 'good.db'), '--data', data],
      {},
      'ulimit -f 128; ',
    );
    expect(limited.status).toBe(3);
    expect(await readdir(data)).toEqual(['survey.db']);
    expect((await readFile(storeOf(data))).equals(good)).toBe(true);
  });

  it('a store that is restored belongs to whom it belonged to, and to nobody else', async () => {
    await writeFile(storeOf(data), good);
    const isRoot = process.getuid?.() === 0;
    if (isRoot) await chown(storeOf(data), 65_534, 65_534);
    const before = await stat(storeOf(data));
    await operator(['restore', '--from', join(kept, 'good.db'), '--data', data]);
    const { uid, gid, mode } = await stat(storeOf(data));
    expect([uid, gid, mode & 0o777]).toEqual([before.uid, before.gid, 0o600]);
    expect(isRoot ? uid : 65_534).toBe(65_534);
  });

  it('no file is overwritten by a backup', async () => {
    await writeFile(storeOf(data), good);
    const path = join(root, 'taken');
    await writeFile(path, 'mine');
    const refused = await operator(['backup', '--to', path, '--data', data]);
    expect([refused.status, refused.err]).toEqual([3, expect.stringContaining('is not overwritten')]);
    expect(await readFile(path, 'utf8')).toBe('mine');
  });
});

describe('status', () => {
  it('says the same as the server, while that runs', async () => {
    const ids = await filled(data, 'status', 5);
    const server = await spawnServer(data);
    const { log_size, edition } = (await get(server.url, '/v1/status')).json as {
      log_size: number;
      edition: number;
    };
    const said = await operator(['status', '--data', data, '--json']);
    expect(JSON.parse(said.out)).toMatchObject({
      log_size,
      edition,
      schema: { state: 'current' },
      rows: { reports: ids.length, tickets: 5, machines: 1 },
    });
    expect((await operator(['status'], { DUMPSURVEY_DATA: data })).out).toContain(
      `Log       ${log_size} entries`,
    );
  });

  it('reads a libSQL server too; what needs a file says what to use instead', async () => {
    await filled(data, 'remote', 2);
    const hrana = await startHrana(storeOf(data));
    const said = await operator(['status', '--json'], { DATABASE_URL: hrana.url });
    expect(JSON.parse(said.out)).toMatchObject({ bytes: null, rows: { reports: 2 } });
    for (const args of [
      ['backup', '--to', join(root, 'x')],
      ['restore', '--from', join(root, 'x')],
    ]) {
      const refused = await operator(args, { DATABASE_URL: hrana.url });
      expect([refused.status, refused.err]).toEqual([3, expect.stringContaining('For Turso:')]);
    }
    await hrana.close();
  });
});

describe('the command line', () => {
  /** As in `operator`, in this process: these do not touch a store. */
  async function here(args: readonly string[]): Promise<{ status: number; text: string }> {
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    return { status: await run(args, { out: print, err: print }), text: lines.join('\n') };
  }

  it('explains each command', async () => {
    const { text: all, status } = await here(['--help']);
    expect(status).toBe(0);
    for (const { name, summary } of commands) {
      expect(all).toContain(summary);
      expect(await here([name, '--help'])).toEqual({ status: 0, text: expect.stringContaining('Examples:') });
    }
  });

  it.each<[readonly string[], number, string]>([
    [[], 2, 'Usage:'],
    [['sing'], 2, 'There is no command sing.'],
    [['status', '--loud'], 2, "Unknown option '--loud'"],
    [['backup', '--data', '/nonexistent'], 2, '--to is needed.'],
    [['status', '--data', '/nonexistent'], 3, 'There is no store at /nonexistent/survey.db.'],
    [
      ['backup', '--to', '/nonexistent/x', '--data', '/nonexistent'],
      3,
      'There is no directory /nonexistent.',
    ],
  ])('%j ends with %i', async (args, status, words) => {
    expect(await here(args)).toEqual({ status, text: expect.stringContaining(words) });
  });
});
