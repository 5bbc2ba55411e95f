/** What the operator's log says of requests, and what it never says: nothing of who asked, and nothing of what. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createEdge } from '../../worker/edge-handler.ts';
import { type RunningServer, startServer } from '../../worker/node.ts';
import { applyMigrations } from '../../worker/store/migrations.ts';
import { closeStore, openStore } from '../../worker/store/open.ts';
import type { Told } from '../../worker/telemetry/events.ts';
import { jsonLine } from '../../worker/telemetry/sinks.ts';
import { enrol, paths, post, postRaw, takeTicket } from './client.ts';
import { startHrana } from './hrana.ts';
import { askRaw } from './raw.ts';
import { sampleMachine, seal } from './samples.ts';

let data: string;
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'dumpsurvey-logs-'));
});
afterAll(() => rm(data, { recursive: true, force: true }));

/** Stands in every part of a request that a sender chooses. */
const mark = 'zq7marker';

describe('the log of the Node server', () => {
  const told: Told[] = [];
  let server: RunningServer;
  let breaks = false;
  beforeAll(async () => {
    server = await startServer({
      port: 0,
      data,
      log: (event) => told.push(event),
      random: (byteCount) => {
        // 16 bytes are asked for within admissions, 8 for a request's id.
        if (breaks && byteCount === 16) throw new Error('the random source is broken');
        return crypto.getRandomValues(new Uint8Array(byteCount));
      },
    });
  });
  afterAll(() => server.close());

  /** What was told by some work, but for editions, which come when they come. */
  async function during(work: () => Promise<unknown>): Promise<Told[]> {
    const from = told.length;
    await work();
    return told.slice(from).filter(({ event }) => event !== 'edition-published');
  }

  it.each<[string, RequestInit, object]>([
    ['/', {}, { route: '/', method: 'GET', status: 200, problem: null }],
    ['/v1/reports/77', {}, { route: '/v1/reports/:id', status: 404, problem: 'not-found' }],
    [`/v1/drivers/${mark}`, {}, { route: '/v1/drivers/:driver', status: 200 }],
    [`/v1/drivers/${mark}?${mark}=1`, {}, { route: '/v1/drivers/:driver', problem: 'invalid-query' }],
    [`/${mark}/${mark}`, {}, { route: '(none)', status: 404, problem: 'not-found' }],
    [`/v1/statistics?${mark}=${mark}`, {}, { route: '/v1/statistics', problem: 'invalid-query' }],
    ['/v1/reports', { method: 'DELETE' }, { method: 'DELETE', status: 405, problem: 'method-not-allowed' }],
    ['/v1/reports', { method: 'PROPFIND' }, { method: '(other)', status: 405 }],
    ['/v1/reports', { method: 'POST', body: mark }, { status: 415, problem: 'unsupported-media-type' }],
    [`/v1?${mark.repeat(600)}`, {}, { route: '/v1', status: 414, problem: 'uri-too-long' }],
    ['/healthz', { method: 'HEAD' }, { route: '/healthz', method: 'HEAD', status: 200 }],
  ])('%s is one line, with its route and without what was asked', async (path, init, fields) => {
    const headers = { 'user-agent': mark, cookie: mark, referer: `http://${mark}/`, 'x-forwarded-for': mark };
    let requestId: string | null = null;
    const lines = await during(async () => {
      requestId = (await fetch(server.url + path, { ...init, headers })).headers.get('x-request-id');
    });
    expect(lines).toMatchObject([{ event: 'request', request_id: requestId, ...fields }]);
    expect(JSON.stringify(lines)).not.toContain(mark);
  });

  it('says how large the answer was and how long it took', async () => {
    let bytes = 0;
    const [line] = await during(async () => {
      bytes = (await (await fetch(`${server.url}/style.css`)).arrayBuffer()).byteLength;
    });
    expect(line).toMatchObject({ bytes, duration_ms: expect.any(Number) });
    expect(bytes).toBeGreaterThan(1000);
  });

  it('names no key, nonce or address of a machine that enrols, asks and reports', async () => {
    const machine = sampleMachine('logs');
    let nonce = '';
    const lines = await during(async () => {
      await enrol(server.url, machine);
      const ticket = await takeTicket(server.url, machine, 'logs');
      nonce = ticket.nonce;
      await post(server.url, 'armed', seal('armed', machine.armed(ticket, Date.now()), machine.key));
      await post(
        server.url,
        'report',
        seal('report', machine.report(ticket, 'device', Date.now()), machine.key),
      );
    });
    expect(lines.map((line) => line.event === 'request' && [line.route, line.status])).toEqual([
      [paths.enrol, 201],
      [paths.tickets, 201],
      [paths.armed, 201],
      [paths.report, 201],
    ]);
    const text = lines.map((line) => jsonLine(line, 0)).join('\n');
    for (const secret of [machine.key.publicHex, machine.owner.publicHex, nonce, '127.0.0.1', 'virtio']) {
      expect(text).not.toContain(secret);
    }
  });

  it('tells of an error that nobody expected once, with its cause, under the id that the sender got', async () => {
    const machine = sampleMachine('logs');
    const ticket = await takeTicket(server.url, machine, 'logs');
    const armed = seal('armed', machine.armed({ ...ticket }, Date.now()), machine.key);
    const other = await takeTicket(server.url, machine, 'logs, broken');
    breaks = true;
    const lines = await during(async () => {
      const answer = await post(
        server.url,
        'armed',
        seal('armed', machine.armed(other, Date.now()), machine.key),
      );
      expect(answer.status).toBe(500);
      expect(answer.text).not.toContain('broken');
      expect((await post(server.url, 'armed', armed)).status).toBe(200);
    });
    breaks = false;
    expect(lines).toMatchObject([
      { event: 'request-failed', route: '/v1/armed', method: 'POST' },
      { event: 'request', route: '/v1/armed', status: 500, problem: 'internal-error' },
      { event: 'request', status: 200 },
    ]);
    const [failed, answered] = lines;
    if (failed?.event !== 'request-failed' || answered?.event !== 'request') throw new Error('other events');
    expect(failed.cause).toMatch(/^Error: the random source is broken\n +at /);
    expect(failed.request_id).toBe(answered.request_id);
    expect(failed.cause).not.toContain(other.nonce);
  });

  it('tells of bytes that never became a request', async () => {
    const lines = await during(() => askRaw(server.url, `${mark}\r\n\r\n`));
    expect(lines).toEqual([{ event: 'bytes-refused', problem: 'not-http' }]);
    expect(await during(() => askRaw(server.url, `GET / HTTP/1.1\r\nHost: ${mark} @/\r\n\r\n`))).toEqual([
      { event: 'bytes-refused', problem: 'not-http' },
    ]);
  });

  it('tells of editions', async () => {
    await vi.waitFor(() =>
      expect(told).toContainEqual({ event: 'edition-published', number: 1, log_size: 0 }),
    );
  });
});

describe('the log of the Worker', () => {
  it('is a line of JSON for each request, on the console', async () => {
    const path = join(data, 'edge.db');
    const hrana = await startHrana(path);
    const store = await openStore({ url: hrana.url });
    await applyMigrations(store);
    closeStore(store);
    const lines: string[] = [];
    const spy = vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line));
    const edge = createEdge();
    const context = { waitUntil: () => undefined };
    const env = { DATABASE_URL: hrana.url, LOG_KEY: '07'.repeat(32) };
    const request = new Request(`https://survey.example/v1/statistics?${mark}`, {
      headers: { 'cf-connecting-ip': '192.0.2.7' },
    });
    await edge.fetch(request, env, context);
    await edge.scheduled(null, env);
    await edge.fetch(new Request('https://survey.example/'), { LOG_KEY: env.LOG_KEY }, context);
    spy.mockRestore();
    await hrana.close();
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told).toMatchObject([
      { level: 'info', event: 'edition-published', number: 1 },
      { level: 'info', event: 'request', route: '/v1/statistics', status: 400, problem: 'invalid-query' },
      { level: 'error', event: 'store-failed', cause: expect.stringContaining('DATABASE_URL is not set') },
    ]);
    expect(lines.join('\n')).not.toMatch(new RegExp(`${mark}|192\\.0\\.2\\.7|survey\\.example`));
  });
});

describe('a malformed body', () => {
  it('does not reach the log either', async () => {
    const told: Told[] = [];
    const server = await startServer({ port: 0, data, log: (event) => told.push(event) });
    const machine = sampleMachine(mark);
    const spoilt = { ...machine.enrol(), [mark]: mark };
    for (const body of [mark, `{"${mark}":1}`, JSON.stringify(seal('enrol', spoilt, machine.key))]) {
      expect((await postRaw(server.url, paths.enrol, body)).text).not.toBe('');
    }
    await server.close();
    expect(told.filter(({ event }) => event === 'request')).toHaveLength(3);
    expect(JSON.stringify(told)).not.toContain(mark);
  });
});
