/** 20,000 requests that the OpenAPI document leads to; and that the fuzzer finds what is wrong where something is. */
import { createClient } from '@libsql/client';
import { describe, expect, it, test } from 'vitest';
import { type Problem, problem } from '../../schema/problem.ts';
import { openApi } from '../../worker/openapi/document.ts';
import { responseAt } from '../../worker/openapi/response.ts';
import { contractOf } from './contract.ts';
import { problemCount, reportText, wasAnswered } from './fuzz/report.ts';
import { operationsAt } from './fuzz/requests.ts';
import { fuzz } from './fuzz/run.ts';
import type { Fetch } from './fuzz/session.ts';

test('no answer to 20,000 requests is a 5xx or other than described, and each operation is answered', async () => {
  const report = await fuzz({
    seed: 1,
    requestCount: 20_000,
    told: (line) => console.log(`PROGRESS fuzz: ${line}`),
  });
  console.log(reportText(report));
  expect(report.findings).toEqual([]);
  expect(report.requestCount).toBe(20_000);
  expect(report.operationIds.length).toBeGreaterThan(20);
  expect(report.operationIds.filter((id) => !wasAnswered(report, id))).toEqual([]);
  for (const id of ['enrollMachine', 'issueTickets', 'noteArmed', 'admitReport'])
    expect([id, report.tally[id]?.[201] ?? 0]).toEqual([id, expect.toSatisfy((count: number) => count > 2)]);
  // What is behind the signature is reached, and not only what is before it.
  for (const type of ['invalid-payload', 'ticket-mismatch', 'different-report', 'invalid-query', 'not-found'])
    expect([type, problemCount(report, `/problems/${type}`)]).toEqual([
      type,
      expect.toSatisfy((n: number) => n > 5),
    ]);
}, 600_000);

test('the same seed sends the same requests', async () => {
  const [a, b] = [await fuzz({ seed: 7, requestCount: 150 }), await fuzz({ seed: 7, requestCount: 150 })];
  expect({ ...a, durationMs: 0 }).toEqual({ ...b, durationMs: 0 });
  expect((await fuzz({ seed: 8, requestCount: 150 })).tally).not.toEqual(a.tally);
});

/** The answer with other text, status or headers. */
async function respoken(
  response: Response,
  change: (text: string) => string,
  init: ResponseInit = {},
): Promise<Response> {
  const text = await response.text();
  return new Response(change(text), { status: response.status, headers: response.headers, ...init });
}

function withHeaders(response: Response, change: (headers: Headers) => void): Headers {
  const headers = new Headers(response.headers);
  change(headers);
  return headers;
}

type Spoil = (response: Response, request: Request) => Promise<Response>;
const json = (text: string, change: (value: Record<string, unknown>) => object) =>
  JSON.stringify(change(JSON.parse(text)));
const at = (request: Request, path: string) => new URL(request.url).pathname === path;
const problemText = (p: Problem) => JSON.stringify(p);

const armedExample = responseAt(openApi(), '/v1/armed', 'post', 201)?.response.content['application/json']
  ?.example;

/** An answer that some operation would give, spoiled; and what the fuzzer must say of it. */
const spoils: readonly (readonly [string, RegExp, Spoil])[] = [
  [
    'an error inside',
    /status 500/,
    async (r) =>
      r.status === 404
        ? respoken(r, () => problemText(problem('internal-error', 'It failed.')), { status: 500 })
        : r,
  ],
  [
    'a status that is not described',
    /status 418 is not described/,
    async (r) => (r.status === 404 ? respoken(r, (t) => t, { status: 418 }) : r),
  ],
  [
    'a field more',
    /additional properties/,
    async (r, q) =>
      at(q, '/v1/editions') && r.ok ? respoken(r, (t) => json(t, (v) => ({ ...v, more: 1 }))) : r,
  ],
  [
    'a field less',
    /required property 'log_index'/,
    async (r, q) =>
      at(q, '/v1/armed') && r.ok ? respoken(r, (t) => json(t, ({ log_index: _, ...v }) => v)) : r,
  ],
  [
    'a value of another type',
    /must be string/,
    async (r, q) =>
      at(q, '/v1/reports') && r.status === 201
        ? respoken(r, (t) => json(t, (v) => ({ ...v, report_id: 1 })))
        : r,
  ],
  [
    'another media type',
    /media type text\/plain is not described/,
    async (r, q) =>
      at(q, '/v1/status')
        ? respoken(r, (t) => t, { headers: withHeaders(r, (h) => h.set('content-type', 'text/plain')) })
        : r,
  ],
  [
    'a problem that the operation does not name',
    /must be equal to one of the allowed values|must be equal to constant/,
    async (r, q) =>
      at(q, '/v1/tickets') && r.status === 422
        ? respoken(r, (t) => json(t, (v) => ({ ...v, type: '/problems/ticket-mismatch' })))
        : r,
  ],
  [
    'a stack trace',
    /shows the inside/,
    async (r) =>
      r.status === 400
        ? respoken(r, (t) => json(t, (v) => ({ ...v, detail: 'Error\n    at admit (report.js:1:2)' })))
        : r,
  ],
  [
    'text of a stranger as markup',
    /became markup/,
    async (r) =>
      r.headers.get('content-type')?.includes('html') ? respoken(r, (t) => `${t}<p><fuzz></p>`) : r,
  ],
  [
    'no request id',
    /no request id/,
    async (r) =>
      r.status === 200
        ? respoken(r, (t) => t, { headers: withHeaders(r, (h) => h.delete('x-request-id')) })
        : r,
  ],
  [
    '405 without Allow',
    /without Allow/,
    async (r) =>
      r.status === 405 ? respoken(r, (t) => t, { headers: withHeaders(r, (h) => h.delete('allow')) }) : r,
  ],
  [
    'HEAD with a body',
    /HEAD was answered/,
    async (r, q) => (q.method === 'HEAD' ? respoken(r, () => 'x') : r),
  ],
  [
    'the same request again, as if it were new',
    /201, and nothing was stored/,
    async (r, q) => (q.method === 'POST' && r.status === 200 ? respoken(r, (t) => t, { status: 201 }) : r),
  ],
  [
    'a query that is not taken, answered',
    /the query was answered|which is not described/,
    async (r, q) =>
      at(q, '/v1/reports') && r.status === 400 && q.method === 'GET'
        ? respoken(r, () => '{"reports":[],"next":null}', {
            status: 200,
            headers: withHeaders(r, (h) => h.set('content-type', 'application/json')),
          })
        : r,
  ],
  [
    'a payload that is not allowed, admitted',
    /admitted, and not as described/,
    async (r, q) =>
      at(q, '/v1/armed') && r.status === 422
        ? respoken(r, () => JSON.stringify(armedExample), {
            status: 200,
            headers: withHeaders(r, (h) => h.set('content-type', 'application/json')),
          })
        : r,
  ],
  [
    'a payload that is allowed, refused',
    /the document allows it/,
    async (r, q) =>
      q.method === 'POST' && r.status === 201
        ? respoken(r, () => problemText(problem('invalid-payload', 'No.')), {
            status: 422,
            headers: withHeaders(r, (h) => h.set('content-type', 'application/problem+json')),
          })
        : r,
  ],
];

describe('the fuzzer finds', () => {
  it.each(spoils)('%s', async (_what, fault, spoil) => {
    const through =
      (fetch: Fetch): Fetch =>
      async (request) =>
        spoil(await fetch(request), request);
    const { findings } = await fuzz({ seed: 3, requestCount: 1200, findingsMax: 3, through });
    expect(findings.map((finding) => finding.fault)).toContainEqual(expect.stringMatching(fault));
  });

  it('rows that a refused request has left', async () => {
    let count = 0;
    const through = (fetch: Fetch, databaseUrl: string): Fetch => {
      const client = createClient({ url: databaseUrl, concurrency: 1 });
      return async (request) => {
        const response = await fetch(request);
        if (response.status === 401 && count === 0)
          await client.execute(
            `insert into owners (owner, root, seen_at_ms) values ('stray ${count++}', 'stray', 0)`,
          );
        return response;
      };
    };
    const { findings } = await fuzz({ seed: 3, requestCount: 400, through });
    expect(findings.map(({ fault }) => fault)).toEqual([
      'POST was answered 401, and rows were stored: {"owners":1}',
    ]);
  });

  it('rows that are gone', async () => {
    const through = (fetch: Fetch, databaseUrl: string): Fetch => {
      const client = createClient({ url: databaseUrl, concurrency: 1 });
      return async (request) => {
        const response = await fetch(request);
        if (response.status === 401) await client.execute('delete from log_entries where log_index = 0');
        return response;
      };
    };
    const { findings } = await fuzz({ seed: 3, requestCount: 400, through });
    expect(findings.map(({ fault }) => fault)).toContainEqual('rows are gone: {"log_entries":-1}');
  });
});

describe('the operations of an address', () => {
  const contract = contractOf(openApi());
  it.each([
    ['/v1/reports', ['admitReport', 'listReports']],
    ['/v1/reports/7', ['getReport']],
    ['/v1/reports/a%2Fb', ['getReport']],
    ['/v1/reports/', []],
    ['/v1/reports/..', []],
    ['/v1/%73tatus', ['getStatus']],
    ['/v1/drivers/%zz', ['getDriver']],
    ['/v1/drivers/a/b', []],
    ['/v1/drivers/a/failures.atom', ['getDriverFailures']],
    ['/log/tile/0/000.p/5', ['getTile']],
    ['/log/tile/', []],
    ['/log/tile', []],
    ['/', ['getHomePage']],
    ['//', []],
  ])('%s', (path, ids) => {
    const found = operationsAt(contract, `http://survey.example${path}`);
    expect(found.map(({ operation }) => operation.operationId).toSorted()).toEqual(ids.toSorted());
  });
});
