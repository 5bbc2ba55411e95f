/** The witness as its operators run it, as a process of its own: killed, started twice, renamed, and talked to badly. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCheckpoint } from '../../schema/log/checkpoint.ts';
import { openNote, parseVerifierKey } from '../../schema/log/note.ts';
import { originHash } from '../../schema/log/witness.ts';
import { largestSize, sampleLog } from '../../test/log/sample-log.ts';

const cli = fileURLToPath(new URL('../cli.ts', import.meta.url));
const log = await sampleLog();
const honest = await log.history('honest');
const forked = await log.history('forked', 0);
const hash = await originHash('dumps.example/log');

let state: string;
const children: ChildProcess[] = [];

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'dumpsurvey-witness-'));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(state, { recursive: true, force: true });
});

function run(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [cli, 'witness', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  return child;
}

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  readonly vkey: string;
}

async function start(...args: string[]): Promise<Started> {
  const child = run('--log', log.vkey, '--state', state, ...args);
  const errors = textOf(child, 'stderr');
  let [url, vkey] = ['', ''];
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    url = /listens at (\S+)/.exec(line)?.[1] ?? url;
    vkey = / {2}key {2}(\S+)/.exec(line)?.[1] ?? vkey;
    if (vkey) return { child, url, vkey };
  }
  throw new Error(`the witness did not start: ${await errors}`);
}

async function textOf(child: ChildProcess, stream: 'stdout' | 'stderr'): Promise<string> {
  let text = '';
  for await (const chunk of child[stream] as NodeJS.ReadableStream) text += chunk;
  return text;
}

/** Runs it to its end: exit status and what it said. */
async function ended(...args: string[]): Promise<{ status: number | null; said: string }> {
  const child = run(...args);
  const [said, [status]] = await Promise.all([textOf(child, 'stderr'), once(child, 'exit')]);
  return { status, said };
}

const post = (url: string, body: string) => fetch(`${url}/add-checkpoint`, { method: 'POST', body });

describe('a witness that is killed (SIGKILL) while a log grows', () => {
  it('has at every start what it gave out before, and takes no other history', async () => {
    let given = 0;
    let interrupted = 0;
    for (let round = 0; round < 6; round++) {
      const { child, url, vkey } = await start();
      const own = await parseVerifierKey(vkey);
      const served = await fetch(`${url}/checkpoint/${hash}`);
      let size = 0;
      if (served.ok) {
        const { text } = await openNote(await served.text(), [log.verifier, own]);
        size = parseCheckpoint(text).size;
        expect(parseCheckpoint(text).root).toEqual(await honest.root(size));
      }
      // At most one write was under way that nobody heard of.
      expect([given, given + 1]).toContain(size);
      given = size;
      if (given > 0) {
        expect((await post(url, await forked.request(given, given))).status).toBe(409);
        expect((await post(url, await forked.request(given, given + 1))).status).toBe(422);
      }
      const died = once(child, 'exit');
      setTimeout(() => child.kill('SIGKILL'), 40 + 23 * round);
      try {
        while (given < largestSize) {
          const answer = await post(url, await honest.request(given, given + 1));
          const line = await answer.text();
          expect(answer.status).toBe(200);
          await openNote((await honest.checkpoint(given + 1)) + line, [own]);
          given++;
        }
      } catch (error) {
        // A failed expectation is not the kill that is awaited.
        if (!(error instanceof TypeError)) throw error;
        interrupted++;
      }
      await died;
    }
    expect(given).toBeGreaterThan(6);
    expect(interrupted).toBeGreaterThan(0);
  });
});

describe('key, name and directory', () => {
  it('are made once and kept', async () => {
    const first = await start('--name', 'witness.example/w1');
    expect(first.vkey).toMatch(/^witness\.example\/w1\+[0-9a-f]{8}\+B/);
    expect((await post(first.url, await honest.request(0, 5))).status).toBe(200);
    first.child.kill('SIGTERM');
    expect(await once(first.child, 'exit')).toEqual([0, null]);
    expect(await readdir(state)).toEqual(['logs', 'name', 'witness.key']);
    const again = await start();
    expect(again.vkey).toBe(first.vkey);
    expect(await (await fetch(`${again.url}/checkpoint/${hash}`)).text()).toContain('dumps.example/log\n5\n');
  });

  it('get a name from the key where none is given', async () => {
    const { vkey } = await start();
    expect((await parseVerifierKey(vkey)).name).toMatch(/^dumpsurvey-witness\/[0-9a-f]{16}$/);
    expect(`${await readFile(join(state, 'name'), 'utf8')}`).toBe(`${vkey.split('+')[0]}\n`);
  });

  it('are used by one process at a time, and the next one may follow a kill', async () => {
    const { child } = await start();
    const second = await ended('--log', log.vkey, '--state', state);
    expect([second.status, second.said]).toEqual([3, expect.stringContaining('being run by process')]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await start();
  });

  it('do not change their name', async () => {
    const { child } = await start('--name', 'witness.example/w1');
    child.kill('SIGTERM');
    await once(child, 'exit');
    const renamed = await ended('--log', log.vkey, '--state', state, '--name', 'witness.example/w2');
    expect([renamed.status, renamed.said]).toEqual([
      3,
      expect.stringContaining('is called witness.example/w1'),
    ]);
  });

  it('are not started from a state that was tampered with', async () => {
    const { child, url } = await start();
    await post(url, await honest.request(0, 5));
    child.kill('SIGTERM');
    await once(child, 'exit');
    await writeFile(join(state, 'logs', `${hash}.checkpoint`), await forked.checkpoint(5));
    const tampered = await ended('--log', log.vkey, '--state', state);
    expect([tampered.status, tampered.said]).toEqual([1, expect.stringContaining('sign a second history')]);
  });
});

describe('a wrong command line', () => {
  it.each([
    [[], 2, '--log takes'],
    [['--log', ' '], 2, '--log is empty'],
    [['--log', 'dumps.example/log'], 2, 'is not a verifier key'],
    [['--log', `${log.vkey} ${log.vkey}`], 2, 'is there twice'],
    [['--log', log.vkey, '--port', 'x'], 2, '--port takes'],
    [['--log', log.vkey, '--port', '65536'], 2, '--port takes'],
    [['--log', log.vkey, '--name', 'a b'], 3, 'cannot name a witness'],
    [['--log', log.vkey, '--host', '192.0.2.1'], 3, 'cannot listen'],
  ])('%j', async (args, status, said) => {
    expect(await ended(...args, '--state', state)).toEqual({ status, said: expect.stringContaining(said) });
  });

  it("takes a witness' key for no log's", async () => {
    const { vkey } = await start();
    expect(await ended('--log', vkey)).toEqual({
      status: 2,
      said: expect.stringContaining("a witness' key"),
    });
  });
});

describe('bad company', () => {
  /** Sends raw bytes and gives what comes back before the other side or the deadline ends it. */
  async function talk(url: string, text: string): Promise<string> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.setTimeout(1500, () => socket.destroy());
    socket.on('error', () => {});
    socket.write(text);
    let answer = '';
    try {
      for await (const chunk of socket) answer += chunk;
    } catch {
      // Cut off: what came is what counts.
    }
    return answer;
  }

  it('does not stop it', async () => {
    const { child, url } = await start();
    const errors = textOf(child, 'stderr');
    const post = 'POST /add-checkpoint HTTP/1.1\r\nHost: w\r\n';
    const raw = [
      '\0\0\0\0',
      'GET / HTTP/9.9\r\n\r\n',
      'GET //[::: HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n',
      'GET /checkpoint/%ff HTTP/1.1\r\nHost: w\r\nConnection: close\r\n\r\n',
      `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: w\r\n\r\n`,
      `${post}Content-Length: 99999999999\r\nConnection: close\r\n\r\nold 0\n`,
      `${post}Content-Length: 500\r\nConnection: close\r\n\r\nold 0\n`,
      `${post}Content-Length: -1\r\n\r\n`,
      `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      `${post}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n${'fff\r\n'.padEnd(4102, 'a')}\r\n`.repeat(
        3,
      ),
    ];
    await Promise.all(raw.map((text) => talk(url, text)));
    const long = await fetch(`${url}/add-checkpoint`, { method: 'POST', body: 'a'.repeat(10_000_000) }).catch(
      () => null,
    );
    if (long) expect(long.status).toBe(413);
    expect((await fetch(url)).status).toBe(200);
    expect(
      (await fetch(`${url}/add-checkpoint`, { method: 'POST', body: await honest.request(0, 5) })).status,
    ).toBe(200);
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(await errors).toBe('');
  });
});
