/** What one request may be, on both runtimes; and clients that are slow on purpose, on Node. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProblemSlug, problems } from '../../schema/problem.ts';
import { bodyMaxBytes } from '../../schema/wire.ts';
import { type RunningServer, startServer } from '../../worker/node.ts';
import { type Answer, get, paths, post, postRaw, readAnswer, rowCounts } from './client.ts';
import { askRaw, drip, openRaw, parseRaw } from './raw.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import { sampleMachine, seal } from './samples.ts';

function expectProblem(answer: Pick<Answer, 'status' | 'headers'>, json: unknown, slug: ProblemSlug): void {
  expect([answer.status, json]).toEqual([
    problems[slug].status,
    { type: `/problems/${slug}`, ...problems[slug], detail: expect.stringMatching(/.{10}/) },
  ]);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
}

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  const machine = sampleMachine('limits');
  const valid = JSON.stringify(seal('enrol', machine.enrol(), machine.key));
  beforeAll(async () => {
    runtime = await startRuntime(name);
    // The first request lets a Worker write what the log begins with.
    await get(runtime.url, '/readyz');
  });
  afterAll(() => runtime.stop());

  const json = { 'content-type': 'application/json' };
  it.each<[string, BodyInit, Record<string, string>, ProblemSlug]>([
    ['compressed', gzipSync(valid), { ...json, 'content-encoding': 'gzip' }, 'unsupported-encoding'],
    ['said to be compressed', valid, { ...json, 'content-encoding': 'br' }, 'unsupported-encoding'],
    [
      'a bomb of a gigabyte',
      gzipSync(Buffer.alloc(2 ** 30)),
      { ...json, 'content-encoding': 'gzip' },
      'unsupported-encoding',
    ],
    [
      'a form',
      'payload=x',
      { 'content-type': 'application/x-www-form-urlencoded' },
      'unsupported-media-type',
    ],
    ['plain text, as a page may send it', valid, { 'content-type': 'text/plain' }, 'unsupported-media-type'],
    ['one byte too large', ' '.repeat(bodyMaxBytes + 1), json, 'too-large'],
    ['33 levels deep', '['.repeat(33) + ']'.repeat(33), json, 'not-an-envelope'],
  ])('a body that is %s is refused', async (_, body, headers, slug) => {
    const before = await rowCounts(runtime);
    const answer = await postRaw(runtime.url, paths.enrol, body, headers);
    expectProblem(answer, answer.json, slug);
    expect(await rowCounts(runtime)).toEqual(before);
  });

  it('a body of exactly the allowed size is read', async () => {
    const answer = await postRaw(runtime.url, paths.enrol, valid.padEnd(bodyMaxBytes));
    expect(answer.status).toBe(201);
  });

  it.each<[string, Record<string, string>]>([
    ['no type', {}],
    ['the agent’s type', json],
    ['a kind of JSON', { 'content-type': 'application/vnd.dsse.envelope.v1+json; charset=utf-8' }],
    ['identity', { ...json, 'content-encoding': 'identity' }],
  ])('a body with %s is taken', async (_, headers) => {
    const answer = await postRaw(runtime.url, paths.enrol, Buffer.from(valid), headers);
    expect([200, 201]).toContain(answer.status);
  });

  it.each<[string, string, ProblemSlug | null]>([
    ['a path as long as allowed', `/${'x'.repeat(4095)}`, 'not-found'],
    ['a longer one', `/${'x'.repeat(4096)}`, 'uri-too-long'],
    ['a query as long as allowed', `/v1?${'x'.repeat(4092)}`, null],
    ['a longer one', `/v1?${'x'.repeat(4093)}`, 'uri-too-long'],
  ])('%s', async (_, path, slug) => {
    const answer = await get(runtime.url, path);
    if (slug === null) expect(answer.status).toBe(200);
    else expectProblem(answer, answer.json, slug);
  });

  it('a long address is refused before a body is read', async () => {
    const answer = await readAnswer(
      await fetch(`${runtime.url}${paths.enrol}?${'x'.repeat(5000)}`, { method: 'POST', body: valid }),
    );
    expectProblem(answer, answer.json, 'uri-too-long');
  });
});

describe('slow and broken connections, on Node', () => {
  let data: string;
  let server: RunningServer;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'dumpsurvey-slow-'));
    server = await startServer({ port: 0, data, quotas: { headersWithinMs: 1500, bodyWithinMs: 1500 } });
  });
  afterAll(async () => {
    await server.close();
    await rm(data, { recursive: true, force: true });
  });

  const head = 'POST /v1/reports HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';

  it.each([
    ['a body that stops', `${head}Content-Length: 100\r\n\r\n{"payload"`, ''],
    ['a body that drips', `${head}Content-Length: 100\r\n\r\n`, '{"payload": "'.padEnd(90, 'x')],
    ['chunks that stop', `${head}Transfer-Encoding: chunked\r\n\r\n3\r\n{"p\r\n`, ''],
    ['headers that stop', `${head}X:`, ''],
    ['headers that drip', head, 'X: '.padEnd(90, 'x')],
  ])('%s: 408 with a problem document, and the connection is closed', async (_, atOnce, slowly) => {
    const connection = await openRaw(server.url);
    const startedAt = performance.now();
    connection.socket.write(atOnce);
    await drip(connection, slowly, 50);
    const answer = parseRaw(await connection.ended);
    expectProblem(answer, JSON.parse(answer.body), 'too-slow');
    expect(performance.now() - startedAt).toBeGreaterThan(1400);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });

  it('two hundred of them do not stop others', async () => {
    const elsewhere = join(data, 'crowded');
    const patient = { headersWithinMs: 6000, bodyWithinMs: 6000 };
    const crowded = await startServer({ port: 0, data: elsewhere, quotas: patient });
    const machine = sampleMachine('beside the slow');
    const envelope = seal('enrol', machine.enrol(), machine.key);
    const connections = await Promise.all(Array.from({ length: 200 }, () => openRaw(crowded.url)));
    const dripping = connections.map((connection, i) => {
      connection.socket.write(i % 2 === 0 ? `${head}Content-Length: 1000\r\n\r\n` : head);
      return drip(connection, 'X'.repeat(100), 100);
    });
    const statusesBeside = [
      (await post(crowded.url, 'enrol', envelope)).status,
      (await post(crowded.url, 'enrol', envelope)).status,
      (await get(crowded.url, '/v1/status')).status,
    ];
    // All were answered before the time of any of the slow ones was over.
    const stillOpen = connections.filter(({ socket }) => socket.writable).length;
    expect(statusesBeside).toEqual([201, 200, 200]);
    expect(stillOpen).toBe(200);
    const statuses = await Promise.all(connections.map(async ({ ended }) => parseRaw(await ended).status));
    expect(new Set(statuses)).toEqual(new Set([408]));
    await Promise.all(dripping);
    expect((await get(crowded.url, '/healthz')).text).toBe('ok\n');
    await crowded.close();
  });

  it.each<[string, string, ProblemSlug]>([
    [
      'headers of 17 KiB',
      `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(17_408)}\r\n\r\n`,
      'headers-too-large',
    ],
    ['nothing of HTTP', '\0\x01\x02\r\n\r\n', 'not-http'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', 'not-http'],
    ['two lengths', `${head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}`, 'not-http'],
    [
      'a length and chunks',
      `${head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      'not-http',
    ],
    ['chunks that are none', `${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`, 'not-http'],
    ['a negative length', `${head}Content-Length: -1\r\n\r\n`, 'not-http'],
    ['a header that is folded', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n', 'not-http'],
    ['no Host in HTTP/1.0', 'GET /v1 HTTP/1.0\r\n\r\n', 'not-http'],
    ['a Host that is none', 'GET /v1 HTTP/1.1\r\nHost: a b/../@\r\n\r\n', 'not-http'],
    ['an absolute address that is none', 'GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n', 'not-http'],
    ['a backslash in the path', 'GET /\\..\\etc HTTP/1.1\r\nHost: x\r\n\r\n', 'not-http'],
  ])('%s: a problem document', async (_, bytes, slug) => {
    const answer = await askRaw(server.url, bytes);
    expectProblem(answer, JSON.parse(answer.body), slug);
  });
});
