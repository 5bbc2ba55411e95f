/** `/metrics` and `/readyz`: what they say, to whom, and that what they say is true. */
import { mkdtemp, rm } from 'node:fs/promises';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../worker/node.ts';
import { enrol, eventually, get, post, postRaw, problemOf, takeTicket, takeTickets } from './client.ts';
import { type ReadSample, readMetrics } from './prometheus.ts';
import { askRaw } from './raw.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import { sampleMachine, seal, simpleScenario } from './samples.ts';

const token = 'a token that nobody guesses'.replaceAll(' ', '-');
const hourMs = 3600_000;

async function metricsOf(url: string): Promise<ReturnType<typeof readMetrics>> {
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return readMetrics(await answer.text());
}

function sampled(
  metrics: ReturnType<typeof readMetrics>,
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const family = metrics.get(name) ?? metrics.get(name.replace(/_(?:count|sum|bucket)$/, ''));
  const fits = (sample: ReadSample) =>
    sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value);
  return family?.samples.find(fits)?.value;
}

describe('the reader of the format', () => {
  const good = '# HELP a_total A.\n# TYPE a_total counter\na_total{b="c"} 1\n';
  it('reads what is good', () => expect(readMetrics(good).get('a_total')?.samples[0]?.value).toBe(1));
  it.each([
    good.slice(0, -1),
    good.replace('1\n', 'one\n'),
    good.replace('1\n', '-1\n'),
    good.replace('"c"', '"c\\d"'),
    good.replace('"c"', 'c'),
    good.replace('b="c"', 'b="c",b="d"'),
    good.replace('HELP a_total A.', 'HELP b_total A.'),
    good.replaceAll('a_total', 'a'),
    good + good,
    `${good}a_total{b="c"} 2\n`,
    `${good}other 2\n`,
    '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n',
    '# HELP h H.\n# TYPE h histogram\nh_bucket{le="1"} 1\nh_sum 1\nh_count 1\n',
  ])('refuses %j', (text) => expect(() => readMetrics(text)).toThrow());
});

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await startRuntime(name, { metricsToken: token });
  });
  afterAll(() => runtime.stop());

  it('counts admissions by kind and outcome, and requests by route', async () => {
    const { url } = runtime;
    const machine = sampleMachine('metrics');
    await enrol(url, machine);
    await enrol(url, machine);
    const tickets = await takeTickets(url, machine, 'metrics', [simpleScenario, simpleScenario]);
    for (const ticket of tickets) {
      await post(url, 'report', seal('report', machine.report(ticket, 'captured', Date.now()), machine.key));
    }
    await postRaw(url, '/v1/reports', 'no JSON');
    for (let i = 0; i < 3; i++) await get(url, `/v1/drivers/driver-${i}`);
    await get(url, '/nothing/here');
    const metrics = await metricsOf(url);
    const admitted = (kind: string, outcome: string) =>
      sampled(metrics, 'dumpsurvey_admissions_total', { kind, outcome });
    expect(admitted('machines', 'fresh')).toBe(1);
    expect(admitted('machines', 'again')).toBe(1);
    expect(admitted('tickets', 'fresh')).toBe(1);
    expect(admitted('reports', 'fresh')).toBe(2);
    expect(admitted('reports', 'not-json')).toBe(1);
    const requests = (route: string, method: string, status: string) =>
      sampled(metrics, 'dumpsurvey_request_duration_seconds_count', { route, method, status });
    expect(requests('/v1/drivers/:driver', 'GET', '2xx')).toBe(3);
    expect(requests('/v1/reports', 'POST', '2xx')).toBe(2);
    expect(requests('/v1/reports', 'POST', '4xx')).toBe(1);
    expect(requests('(none)', 'GET', '4xx')).toBe(1);
    expect(sampled(metrics, 'dumpsurvey_unexpected_errors_total')).toBe(0);
  });

  it('reads from the store how the survey stands', async () => {
    const { url } = runtime;
    await eventually(runtime, async () => {
      const metrics = await metricsOf(url);
      return (sampled(metrics, 'dumpsurvey_edition_number') ?? 0) > 1;
    });
    const metrics = await metricsOf(url);
    const status = (await get(url, '/v1/status')).json as { log_size: number; edition: number };
    expect(sampled(metrics, 'dumpsurvey_log_entries')).toBe(status.log_size);
    expect(sampled(metrics, 'dumpsurvey_edition_number')).toBe(status.edition);
    expect(sampled(metrics, 'dumpsurvey_edition_age_seconds')).toBeLessThan(60);
    expect(sampled(metrics, 'dumpsurvey_armed_overdue_trials')).toBe(0);
    expect(sampled(metrics, 'dumpsurvey_store_up')).toBe(1);
    const startedAt = sampled(metrics, 'process_start_time_seconds') ?? 0;
    expect(Math.abs(Date.now() / 1000 - startedAt)).toBeLessThan(120);
    const build = metrics.get('dumpsurvey_build_info')?.samples;
    expect(build).toMatchObject([{ value: 1, labels: { runtime: name === 'node' ? 'node' : 'workers' } }]);
  });

  it('counts the armed trials that are overdue, until a late report comes', async () => {
    const { url } = runtime;
    const machine = sampleMachine('metrics');
    const ticket = await takeTicket(url, machine, 'overdue');
    await post(url, 'armed', seal('armed', machine.armed(ticket, Date.now()), machine.key));
    const overdue = async () => sampled(await metricsOf(url), 'dumpsurvey_armed_overdue_trials');
    expect(await overdue()).toBe(0);
    await runtime.setClock(49 * hourMs);
    expect(await overdue()).toBe(1);
    const late = machine.report(ticket, 'captured', Date.now() + 49 * hourMs);
    expect((await post(url, 'report', seal('report', late, machine.key))).status).toBe(201);
    expect(await overdue()).toBe(0);
    await runtime.setClock(0);
  });

  it('has labels of few values only, whatever is asked for', async () => {
    for (let i = 0; i < 100; i++) {
      await get(runtime.url, `/v1/drivers/${i}?${i}`);
      await get(runtime.url, `/${i}/${i}`);
      await postRaw(runtime.url, '/v1/reports', String(i));
    }
    const metrics = await metricsOf(runtime.url);
    const series = [...metrics.values()].reduce((sum, { samples }) => sum + samples.length, 0);
    expect(series).toBeLessThan(500);
    const labels = new Set(
      [...metrics.values()].flatMap(({ samples }) => samples.flatMap((s) => Object.keys(s.labels))),
    );
    expect([...labels].sort()).toEqual([
      'kind',
      'le',
      'method',
      'outcome',
      'route',
      'runtime',
      'status',
      'version',
    ]);
  });

  it('says in HELP who counts, and what is read from the store', async () => {
    const metrics = await metricsOf(runtime.url);
    const counter = name === 'node' ? 'Counted by this process' : 'Counted by one isolate of several';
    for (const [family, { type, help }] of metrics) {
      if (type !== 'gauge') expect([family, help]).toEqual([family, expect.stringContaining(counter)]);
    }
    expect(metrics.get('dumpsurvey_log_entries')?.help).toContain('Read from the store');
  });

  it.each([
    ['no token', {}],
    ['a wrong one', { authorization: 'Bearer wrong' }],
    ['an empty one', { authorization: 'Bearer ' }],
    ['the beginning of the right one', { authorization: `Bearer ${token.slice(0, -1)}` }],
    ['the right one and more', { authorization: `Bearer ${token}x` }],
    ['another scheme', { authorization: `Basic ${token}` }],
  ])('refuses them to whoever has %s', async (_, headers) => {
    const answer = await fetch(`${runtime.url}/metrics`, { headers: headers as Record<string, string> });
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(await answer.text()).not.toContain('# TYPE');
  });

  it('is ready, and says why', async () => {
    const answer = await get(runtime.url, '/readyz');
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const { ready, checks } = answer.json as { ready: boolean; checks: { name: string; ok: boolean }[] };
    expect(ready).toBe(true);
    expect(checks.map(({ name: check, ok }) => [check, ok])).toEqual(
      expect.arrayContaining([
        ['serving', true],
        ['store', true],
        ['schema', true],
      ]),
    );
  });

  it('is not ready while its schema is another, and says so', async () => {
    const schema = async () => {
      const answer = await get(runtime.url, '/readyz');
      const { ready, checks } = answer.json as { ready: boolean; checks: { name: string; detail: string }[] };
      return [answer.status, ready, checks.find(({ name: check }) => check === 'schema')?.detail];
    };
    const future = "insert into __drizzle_migrations (hash, created_at) values ('later', 99999999999999)";
    await runtime.database.execute(future);
    expect(await schema()).toEqual([503, false, expect.stringContaining('newer code')]);
    await runtime.database.execute("delete from __drizzle_migrations where hash = 'later'");
    await runtime.database.execute('alter table __drizzle_migrations rename to aside');
    expect(await schema()).toEqual([503, false, expect.stringContaining('not the schema of this survey')]);
    await runtime.database.execute('alter table aside rename to __drizzle_migrations');
    expect((await schema())[0]).toBe(200);
  });

  it('a store that does not answer is a gauge, a failed check, and no silence', async () => {
    await runtime.database.execute('alter table log_entries rename to hidden');
    const metrics = await metricsOf(runtime.url);
    const answer = await get(runtime.url, '/readyz');
    await runtime.database.execute('alter table hidden rename to log_entries');
    expect(sampled(metrics, 'dumpsurvey_store_up')).toBe(0);
    expect(metrics.get('dumpsurvey_log_entries')?.samples).toEqual([]);
    expect(
      sampled(metrics, 'dumpsurvey_request_duration_seconds_count', { route: '/readyz' }),
    ).toBeGreaterThan(0);
    expect(answer.status).toBe(503);
    expect(answer.text).not.toMatch(/SQLITE|no such|\.ts:/);
    expect((await get(runtime.url, '/readyz')).status).toBe(200);
  });
});

describe('without a token, on Node', () => {
  let data: string;
  let server: RunningServer;
  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), 'dumpsurvey-metrics-'));
    server = await startServer({ port: 0, data, host: '0.0.0.0' });
  });
  afterAll(async () => {
    await server.close();
    await rm(data, { recursive: true, force: true });
  });
  const at = (host: string) => `http://${host}:${new URL(server.url).port}`;

  it('the machine itself may read them', async () => {
    for (const host of ['127.0.0.1', 'localhost']) {
      expect((await get(at(host), '/metrics')).status).toBe(200);
    }
  });

  it('nobody else may, and no proxy that says for whom it asks', async () => {
    const others = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
    const address = others.find(({ internal, family }) => !internal && family === 'IPv4')?.address;
    if (address !== undefined) {
      const answer = await get(at(address), '/metrics');
      expect([answer.status, problemOf(answer).type]).toEqual([401, '/problems/not-authorized']);
    }
    const ask = (...headers: string[]) =>
      askRaw(
        at('127.0.0.1'),
        `GET /metrics HTTP/1.1\r\nConnection: close\r\n${headers.join('\r\n')}\r\n\r\n`,
      );
    expect((await ask('Host: 127.0.0.1:1')).status).toBe(200);
    expect((await ask('Host: [::1]:1')).status).toBe(200);
    for (const header of [
      'X-Forwarded-For: 127.0.0.1',
      'Forwarded: for=127.0.0.1',
      'Via: 1.1 x',
      'X-Real-IP: ::1',
    ]) {
      expect([header, (await ask('Host: localhost', header)).status]).toEqual([header, 401]);
    }
    // The page of a name that leads to this machine, as a browser here would ask.
    expect((await ask('Host: rebound.example')).status).toBe(401);
  });

  it('counts how often the store was locked', async () => {
    const blocker = createClient({ url: pathToFileURL(join(data, 'survey.db')).href, concurrency: 1 });
    const held = await blocker.transaction('write');
    const machine = sampleMachine('locked out');
    const refused = await post(server.url, 'enrol', seal('enrol', machine.enrol(), machine.key));
    await held.rollback();
    blocker.close();
    expect(refused.status).toBe(503);
    const metrics = readMetrics((await get(at('127.0.0.1'), '/metrics')).text);
    expect(sampled(metrics, 'dumpsurvey_store_busy_total')).toBe(5);
    expect(sampled(metrics, 'dumpsurvey_admissions_total', { outcome: 'store-busy' })).toBe(1);
  });
});
