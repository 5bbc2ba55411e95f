/** Security headers and who may read what from where, as a table: one row for each class of address. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer } from '../../worker/node.ts';
import { eventually, get, post } from './client.ts';
import { askRaw } from './raw.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import { sampleMachine, seal } from './samples.ts';

const token = 'operator-token-of-this-test';
const auditor = 'auditor-token-of-this-test';

/** What every answer has, whatever it is. */
const strict = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'permissions-policy':
    'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()',
  'cross-origin-opener-policy': 'same-origin',
};

interface Row {
  readonly what: string;
  readonly path: string;
  readonly init?: RequestInit;
  readonly status: number;
  readonly type: string;
  /** Whether a page of another origin may read the answer. */
  readonly isReadByAll: boolean;
  readonly cache: string;
}

const bearer = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` } });
const json = 'application/json; charset=utf-8';
const problemJson = 'application/problem+json; charset=utf-8';
const immutable = 'public, max-age=31536000, immutable';

const rows: readonly Row[] = [
  {
    what: 'a page',
    path: '/',
    status: 200,
    type: 'text/html; charset=utf-8',
    isReadByAll: true,
    cache: 'no-cache',
  },
  {
    what: 'its style',
    path: '/style.css',
    status: 200,
    type: 'text/css; charset=utf-8',
    isReadByAll: true,
    cache: 'no-cache',
  },
  {
    what: 'its icon',
    path: '/favicon.svg',
    status: 200,
    type: 'image/svg+xml; charset=utf-8',
    isReadByAll: true,
    cache: 'no-cache',
  },
  {
    what: 'a feed',
    path: '/failures.atom',
    status: 200,
    type: 'application/atom+xml; charset=utf-8',
    isReadByAll: true,
    cache: 'no-cache',
  },
  {
    what: 'an answer of the API',
    path: '/v1/status',
    status: 200,
    type: json,
    isReadByAll: true,
    cache: 'no-cache',
  },
  {
    what: 'a download',
    path: '/v1/statistics?by=driver&population=lab&format=csv',
    status: 200,
    type: 'text/csv; charset=utf-8; header=present',
    isReadByAll: true,
    cache: 'no-cache',
  },
  {
    what: 'what never changes',
    path: '/log/tile/0/000.p/1',
    status: 200,
    type: 'application/octet-stream',
    isReadByAll: true,
    cache: immutable,
  },
  {
    what: 'the log',
    path: '/log/checkpoint',
    status: 200,
    type: 'text/plain; charset=utf-8',
    isReadByAll: true,
    cache: 'no-cache',
  },
  {
    what: 'contents of the log',
    path: '/log/rows/0',
    status: 200,
    type: 'application/x-ndjson; charset=utf-8',
    isReadByAll: true,
    cache: 'no-cache',
  },
  {
    what: 'contents of the log, for an auditor',
    path: '/log/rows/0',
    init: bearer(auditor),
    status: 200,
    type: 'application/x-ndjson; charset=utf-8',
    isReadByAll: false,
    cache: 'no-store',
  },
  {
    what: 'a problem',
    path: '/v1/nothing',
    status: 404,
    type: problemJson,
    isReadByAll: true,
    cache: 'no-cache',
  },
  {
    what: 'HEAD',
    path: '/v1/status',
    init: { method: 'HEAD' },
    status: 200,
    type: json,
    isReadByAll: true,
    cache: 'no-cache',
  },
  {
    what: 'what is sent',
    path: '/v1/reports',
    init: { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } },
    status: 400,
    type: problemJson,
    isReadByAll: false,
    cache: 'no-cache',
  },
  {
    what: 'another method',
    path: '/v1/status',
    init: { method: 'DELETE' },
    status: 405,
    type: problemJson,
    isReadByAll: false,
    cache: 'no-cache',
  },
  {
    what: 'metrics',
    path: '/metrics',
    init: bearer(token),
    status: 200,
    type: 'text/plain; version=0.0.4; charset=utf-8',
    isReadByAll: false,
    cache: 'no-store',
  },
  {
    what: 'metrics for nobody',
    path: '/metrics',
    status: 401,
    type: problemJson,
    isReadByAll: false,
    cache: 'no-store',
  },
  { what: 'readiness', path: '/readyz', status: 200, type: json, isReadByAll: true, cache: 'no-store' },
  {
    what: 'health',
    path: '/healthz',
    status: 200,
    type: 'text/plain; charset=utf-8',
    isReadByAll: true,
    cache: 'no-cache',
  },
];

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  beforeAll(async () => {
    const auditors = [createHash('sha256').update(auditor).digest('hex')];
    runtime = await startRuntime(name, { metricsToken: token, auditors });
    const machine = sampleMachine('headers');
    await post(runtime.url, 'enrol', seal('enrol', machine.enrol(), machine.key));
    await eventually(runtime, async () => (await get(runtime.url, '/log/rows/0')).status === 200);
  });
  afterAll(() => runtime.stop());

  it.each(rows)('$what: $path', async ({ path, init, status, type, isReadByAll, cache }) => {
    const { headers, status: answered } = await fetch(runtime.url + path, init ?? {});
    expect([answered, headers.get('content-type')]).toEqual([status, type]);
    const given = Object.fromEntries(Object.keys(strict).map((header) => [header, headers.get(header)]));
    expect(given).toEqual(strict);
    expect(headers.get('cache-control')).toBe(cache);
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{16}$/);
    expect(headers.get('access-control-allow-origin')).toBe(isReadByAll ? '*' : null);
    expect(headers.get('cross-origin-resource-policy')).toBe(isReadByAll ? 'cross-origin' : 'same-origin');
    for (const never of ['access-control-allow-credentials', 'set-cookie', 'server', 'x-powered-by']) {
      expect([never, headers.get(never)]).toEqual([never, null]);
    }
    // Nothing here is https, so nothing may claim to be.
    expect(headers.get('strict-transport-security')).toBeNull();
  });

  it.each([
    ['/v1/statistics', 'GET, HEAD, OPTIONS', true],
    ['/', 'GET, HEAD, OPTIONS', true],
    ['/v1/reports', 'GET, HEAD, POST, OPTIONS', true],
    ['/v1/machines', 'POST, OPTIONS', false],
    ['/v1/tickets', 'POST, OPTIONS', false],
  ])('a page that asks whether it may use %s', async (path, allow, isReadable) => {
    const headers = {
      origin: 'https://elsewhere.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    };
    const answer = await fetch(runtime.url + path, { method: 'OPTIONS', headers });
    expect([answer.status, answer.headers.get('allow')]).toEqual([204, allow]);
    expect(answer.headers.get('access-control-allow-origin')).toBe(isReadable ? '*' : null);
    // To read, it need not ask; to send JSON, it would have to, and is not let.
    expect(answer.headers.get('access-control-allow-methods')).toBe(isReadable ? 'GET, HEAD' : null);
    expect(answer.headers.get('access-control-allow-headers')).toBeNull();
  });
});

describe('on Node', () => {
  it('says that it is https where its public address is', async () => {
    const data = await mkdtemp(join(tmpdir(), 'dumpsurvey-headers-'));
    const server = await startServer({ port: 0, data, publicUrl: 'https://survey.example' });
    for (const path of ['/', '/v1/nothing']) {
      const { headers } = await get(server.url, path);
      expect(headers.get('strict-transport-security')).toBe('max-age=31536000');
    }
    const refused = await askRaw(server.url, 'nothing of HTTP\r\n\r\n');
    await server.close();
    await rm(data, { recursive: true, force: true });
    expect(Object.keys(strict).map((header) => [header, refused.headers.get(header)])).toEqual(
      Object.entries(strict),
    );
  });
});
