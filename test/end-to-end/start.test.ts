/**
 * `npm start` as a user runs it, with a small campaign: real crashes, signed reports, an edition, pages; the
 * server is killed in the middle.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { isConfined } from '../../agent/lab/confine.ts';
import { dataDir, packageDir } from '../../agent/paths.ts';

const trials = 5;
const data = mkdtempSync(join(tmpdir(), 'dumpsurvey-'));
let url = '';
let port = 0;
let output = '';
let started: ChildProcess | undefined;

const statusAnswer = z.object({
  campaign: z.object({
    planned: z.number(),
    done: z.number(),
    captured: z.number(),
    failed: z.number(),
    inconclusive: z.number(),
  }),
  imported: z.number(),
  edition: z.number(),
  log_size: z.number(),
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  return typeof address === 'object' && address ? address.port : 0;
}

function start(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [join(packageDir, 'agent/bin/start.js'), ...args], {
    env: { ...process.env, PORT: String(port), DUMPSURVEY_DATA: data },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return child;
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (!child || child.exitCode !== null) return;
  const gone = new Promise((done) => child.once('close', done));
  child.kill('SIGTERM');
  await gone;
}

async function status(): Promise<z.infer<typeof statusAnswer> | null> {
  try {
    return statusAnswer.parse(await (await fetch(`${url}/v1/status`)).json());
  } catch {
    return null;
  }
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const limit = performance.now() + 500_000; performance.now() < limit; await sleep(200)) {
    if (await holds()) return;
  }
  throw new Error(`not within 500 s: ${what}\n${output}`);
}

/** The processes whose command line holds a word and whose environment names this data directory. */
function processes(word: string): { pid: number; status: string }[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8');
      const ours = read('cmdline').includes(word) && read('environ').includes(`DUMPSURVEY_DATA=${data}`);
      return ours ? [{ pid: Number(pid), status: read('status') }] : [];
    } catch {
      return [];
    }
  });
}

beforeAll(async () => {
  symlinkSync(join(dataDir(), 'lab'), join(data, 'lab'));
  port = await freePort();
  url = `http://127.0.0.1:${port}`;
});
afterAll(async () => {
  await stop(started);
  rmSync(data, { recursive: true, force: true });
});

describe('npm start', () => {
  it('runs its campaign to the end, although the server is killed in the middle', async () => {
    started = start('--trials', String(trials));
    await until('a first report', async () => ((await status())?.campaign.done ?? 0) > 0);
    const before = await status();
    const acknowledged = z
      .object({ reports: z.array(z.object({ report_id: z.string() })) })
      .parse(await (await fetch(`${url}/v1/reports`, { headers: { accept: 'application/json' } })).json());
    for (const { pid } of processes('worker/node.ts').slice(-1)) process.kill(pid, 'SIGKILL');
    const parts = ['qemu-system-x86_64', 'agent/cli.ts', 'worker/node.ts'];
    await until('a guest, and the server again', async () =>
      parts.every((word) => processes(word).length > 0),
    );
    const confined = parts.flatMap((word) => processes(word));
    await until('every trial', async () => (await status())?.campaign.done === trials);

    expect(output).toContain('The server ended; starting it again.');
    const after = await status();
    expect(after?.log_size).toBeGreaterThan(before?.log_size ?? 0);
    for (const { report_id } of acknowledged.reports) {
      expect((await fetch(`${url}/v1/reports/${report_id}`)).status).toBe(200);
    }
    expect(after?.campaign).toMatchObject({ planned: trials, done: trials, inconclusive: 0 });
    expect(after?.campaign.captured).toBeGreaterThanOrEqual(2);
    expect((after?.campaign.captured ?? 0) + (after?.campaign.failed ?? 0)).toBe(trials);
    expect(confined.length).toBeGreaterThanOrEqual(3);
    for (const process of confined) expect(isConfined(process.status), process.status).toBe(true);
  });

  it('publishes them: statistics, page, failure feed', async () => {
    await until('an edition with every trial', async () => {
      const answer = await fetch(`${url}/v1/statistics?by=driver&population=lab&role=dump_target`);
      const { cells } = (await answer.json()) as { cells: { trials: number }[] };
      return cells.reduce((sum, cell) => sum + cell.trials, 0) === trials;
    });
    const query = 'by=driver,crash_type&population=lab&role=dump_target';
    const { cells } = (await (await fetch(`${url}/v1/statistics?${query}`)).json()) as {
      cells: Record<string, unknown>[];
    };
    // One trial: the exact interval of 0 of 1 reaches to 0.975, that of 1 of 1 begins at 0.025.
    const cell = cells.find(({ driver }) => driver === 'am53c974');
    const captured = cell?.captured === 1;
    const interval = captured ? { estimate: 1, low: 0.025, high: 1 } : { estimate: 0, low: 0, high: 0.975 };
    expect(cell).toMatchObject({ crash_type: 'exception', machines: 1, trials: 1, no_reply: 0, ...interval });
    const csv = await (await fetch(`${url}/v1/statistics?${query}&format=csv`)).text();
    expect(csv.trim().split('\r\n')).toHaveLength(cells.length + 1);
    const page = await (await fetch(url, { headers: { accept: 'text/html' } })).text();
    expect(page).toContain('am53c974');
    const feed = await (await fetch(`${url}/v1/drivers/am53c974/failures.atom`)).text();
    // This machine fails more often than not; its feed has the failure exactly if it did.
    const command = 'npx dumpsurvey lab --machine am53c974-pc --scenario timer/exception/disk/none';
    expect(feed.includes(command)).toBe(!captured);
    expect(feed.includes('esp_scsi')).toBe(!captured);
  });

  it('only serves at the next start', async () => {
    await stop(started);
    output = '';
    started = start();
    await until('the server', async () => (await status()) !== null);
    await until('the last line', async () => output.includes('stays up'));
    expect(output).not.toMatch(/unpacking|building|Campaign/);
    expect((await status())?.campaign.done).toBe(trials);
  });
});
