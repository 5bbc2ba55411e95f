/** Limits of how often: by network, by key, by day. Who is told to wait, who is not, and what is kept of it. */
import { createHash, createHmac } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@libsql/client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type RunningServer, startServer } from '../../worker/node.ts';
import { backup } from '../../worker/operator/backup.ts';
import { readAnswer } from './client.ts';
import { readMetrics } from './prometheus.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import { keyPair, requestId, type SampleMachine, sampleMachine, seal, simpleScenario } from './samples.ts';

const token = 'x'.repeat(32);
const figures = {
  requestsPerPrefix: { burst: 40, perSecond: 0.05 },
  admissionsPerKey: { burst: 5, perSecond: 0.05 },
  enrolmentsPerPrefixAndDay: 3,
};
const dayMs = 24 * 3600_000;

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  let network = 0;
  let address = '';
  beforeAll(async () => {
    runtime = await startRuntime(name, { quotas: figures, trustProxy: true, metricsToken: token });
  });
  afterAll(() => runtime.stop());
  /** Each test has a network of its own. */
  beforeEach(() => {
    network += 1;
    address = `198.51.${network}.7`;
  });

  /** As the entry of the runtime learns the address. */
  const from = (of: string): Record<string, string> =>
    name === 'node' ? { 'x-forwarded-for': `203.0.113.5, ${of}` } : { 'cf-connecting-ip': of };

  const get = async (path: string, of: string) =>
    readAnswer(await fetch(runtime.url + path, { headers: { accept: 'application/json', ...from(of) } }));
  const post = async (path: string, body: unknown, of: string) =>
    readAnswer(
      await fetch(runtime.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...from(of) },
        body: JSON.stringify(body),
      }),
    );
  const enrolment = (machine: SampleMachine) => seal('enrol', machine.enrol(), machine.key);

  it('a network that asks too often is told when to come back, and no other network is', async () => {
    const answers = [];
    for (let i = 0; i < 42; i++) answers.push(await get('/healthz', address));
    expect(answers.map(({ status }) => status)).toEqual([...Array(40).fill(200), 429, 429]);
    const refused = answers.at(-1);
    expect(refused?.json).toMatchObject({
      type: '/problems/too-many-requests',
      detail: expect.stringMatching(/Come back in \d+ s/),
    });
    const retryAfter = Number(refused?.headers.get('retry-after'));
    expect(retryAfter).toBeGreaterThan(15);
    expect(retryAfter).toBeLessThanOrEqual(20);
    expect((await get('/healthz', address.replace(/\d+$/, '201'))).status).toBe(429);
    expect((await get('/healthz', `198.52.${network}.7`)).status).toBe(200);
    expect((await get('/healthz', '2001:db8::1')).status).toBe(200);
  });

  it('a network of IPv6 is a /48', async () => {
    for (let i = 0; i < 40; i++) await get('/healthz', `2001:db8:77:${i.toString(16)}::1`);
    expect((await get('/healthz', '2001:db8:77:ffff::9')).status).toBe(429);
    expect((await get('/healthz', '2001:db8:78::9')).status).toBe(200);
  });

  it('a key that signs too much is told to wait, wherever it sends from; others are not', async () => {
    const machine = sampleMachine(`rates ${name}`);
    expect((await post('/v1/machines', enrolment(machine), address)).status).toBe(201);
    const ask = (i: number, of = address, who = machine) =>
      post(
        '/v1/tickets',
        seal('tickets', who.tickets(requestId(`rates ${i}`), [simpleScenario]), who.key),
        of,
      );
    const statuses = [];
    for (let i = 0; i < 5; i++) statuses.push((await ask(i)).status);
    expect(statuses).toEqual([201, 201, 201, 201, 429]);
    const refused = await ask(5, '192.0.2.1');
    expect([refused.status, refused.json]).toEqual([
      429,
      expect.objectContaining({ detail: expect.stringContaining(machine.key.publicHex) }),
    ]);
    const other = sampleMachine(`rates other ${name}`);
    expect((await post('/v1/machines', enrolment(other), address)).status).toBe(201);
  });

  it('nobody can use up what another key may do', async () => {
    const machine = sampleMachine(`victim ${name}`);
    const envelope = enrolment(machine);
    const forged = {
      ...envelope,
      signatures: [
        { ...envelope.signatures[0], sig: seal('enrol', {}, keyPair('forger')).signatures[0]?.sig },
      ],
    };
    for (let i = 0; i < 10; i++) expect((await post('/v1/machines', forged, address)).status).toBe(401);
    expect((await post('/v1/machines', envelope, address)).status).toBe(201);
  });

  it('a network enrols so many machines a day, and again the next day', async () => {
    const machines = Array.from({ length: 5 }, (_, i) => sampleMachine(`daily ${name} ${i}`));
    const statuses = [];
    for (const machine of machines.slice(0, 4)) {
      statuses.push((await post('/v1/machines', enrolment(machine), address)).status);
    }
    expect(statuses).toEqual([201, 201, 201, 429]);
    // Known machines may come with their next profile, and other networks are counted apart.
    expect((await post('/v1/machines', enrolment(machines[0] as SampleMachine), address)).status).toBe(200);
    expect((await post('/v1/machines', enrolment(machines[3] as SampleMachine), '192.0.2.44')).status).toBe(
      201,
    );
    const refused = await post('/v1/machines', enrolment(machines[4] as SampleMachine), address);
    const retryAfter = Number(refused.headers.get('retry-after'));
    expect(Math.abs(retryAfter - (dayMs - (Date.now() % dayMs)) / 1000)).toBeLessThan(5);
    await runtime.setClock(dayMs);
    expect((await post('/v1/machines', enrolment(machines[4] as SampleMachine), address)).status).toBe(201);
    await runtime.setClock(0);
  });

  it('counts in metrics what was refused, by limit', async () => {
    const answer = await fetch(`${runtime.url}/metrics`, {
      headers: { authorization: `Bearer ${token}`, ...from('192.0.2.250') },
    });
    const limited = readMetrics(await answer.text()).get('dumpsurvey_limited_total')?.samples ?? [];
    expect(new Map(limited.map(({ labels, value }) => [labels.limit, value > 0]))).toEqual(
      new Map([
        ['requests-per-prefix', true],
        ['admissions-per-key', true],
        ['enrolments-per-prefix', true],
      ]),
    );
  });
});

describe('what is kept of a network', () => {
  let data: string;
  let server: RunningServer;
  let offsetMs = 0;
  const address = '198.51.100.23';
  const prefix = '198.51.100.0/24';

  beforeEach(async () => {
    offsetMs = 0;
    data = await mkdtemp(join(tmpdir(), 'dumpsurvey-rates-'));
    server = await startServer({
      port: 0,
      data,
      trustProxy: true,
      now: () => Date.now() + offsetMs,
      editionEveryMs: 20,
      lookEveryMs: 20,
    });
  });
  afterEach(async () => {
    await server.close();
    await rm(data, { recursive: true, force: true });
  });

  async function enrolFrom(name: string): Promise<void> {
    const machine = sampleMachine(name);
    const answer = await fetch(`${server.url}/v1/machines`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': address },
      body: JSON.stringify(seal('enrol', machine.enrol(), machine.key)),
    });
    expect(answer.status).toBe(201);
  }

  async function rows(): Promise<{
    keys: { day: string; key: Buffer }[];
    counts: { bucket: string; count: number }[];
  }> {
    const client = createClient({ url: `file:${join(data, 'survey.db')}`, concurrency: 1 });
    const keys = await client.execute('select day, key from daily_keys');
    const counts = await client.execute('select bucket, count from daily_counts');
    client.close();
    return {
      keys: keys.rows.map((row) => ({ day: String(row.day), key: Buffer.from(row.key as ArrayBuffer) })),
      counts: counts.rows.map((row) => ({ bucket: String(row.bucket), count: Number(row.count) })),
    };
  }

  /** Which files of the store hold these bytes. */
  async function isSomewhere(bytes: Buffer): Promise<string[]> {
    const found = [];
    for (const name of (await readdir(data)).filter((file) => file.startsWith('survey.db'))) {
      if ((await readFile(join(data, name))).includes(bytes)) found.push(name);
    }
    return found;
  }

  it('is a count under a keyed hash: no address, no prefix, and nothing that a list of all prefixes would find', async () => {
    await enrolFrom('kept 1');
    await enrolFrom('kept 2');
    const { keys, counts } = await rows();
    const [row] = keys;
    expect(keys).toHaveLength(1);
    expect(row?.key).toHaveLength(32);
    const expected = createHmac('sha256', row?.key ?? '')
      .update(`enrolments\n${prefix}`)
      .digest('hex');
    expect(counts).toEqual([{ bucket: expected, count: 2 }]);
    for (const text of [address, prefix, '198.51.100'])
      expect(await isSomewhere(Buffer.from(text))).toEqual([]);
    // Who has the counts alone can try every prefix, and finds none: the bucket is no hash that needs no key.
    const guesses = [prefix, `enrolments\n${prefix}`].flatMap((text) => [
      createHash('sha256').update(text).digest('hex'),
      createHmac('sha256', '').update(text).digest('hex'),
      createHmac('sha256', row?.day ?? '')
        .update(text)
        .digest('hex'),
    ]);
    expect(guesses).not.toContain(expected);
  });

  it('is forgotten with its day: the next has another key, and no file holds a byte of the old one', async () => {
    await enrolFrom('first day');
    const first = await rows();
    const key = first.keys[0]?.key ?? Buffer.alloc(0);
    const bucket = first.counts[0]?.bucket ?? '';
    expect((await isSomewhere(key)).length).toBeGreaterThan(0);
    offsetMs = dayMs;
    await enrolFrom('second day');
    for (const until = Date.now() + 5000; (await rows()).keys.length > 1 && Date.now() < until; ) {
      await new Promise((done) => setTimeout(done, 20));
    }
    const second = await rows();
    expect(second.keys).toHaveLength(1);
    expect(second.counts).toHaveLength(1);
    expect(second.keys[0]?.key.equals(key)).toBe(false);
    expect(second.counts[0]?.bucket).not.toBe(bucket);
    expect(await isSomewhere(key)).toEqual([]);
    expect(await isSomewhere(Buffer.from(bucket))).toEqual([]);
    expect((await isSomewhere(second.keys[0]?.key ?? key)).length).toBeGreaterThan(0);
  });

  it('goes into no backup', async () => {
    await enrolFrom('backed up');
    const { keys, counts } = await rows();
    const path = join(data, 'copy.db');
    await backup.run({ to: path, data });
    const bytes = await readFile(path);
    expect(bytes.includes(keys[0]?.key ?? '')).toBe(false);
    expect(bytes.includes(counts[0]?.bucket ?? '')).toBe(false);
    expect(bytes.includes(sampleMachine('backed up').key.publicHex)).toBe(true);
  });
});

describe('the machine itself, on Node', () => {
  it('is not limited: the local agent runs campaigns of hundreds of trials', async () => {
    const data = await mkdtemp(join(tmpdir(), 'dumpsurvey-rates-'));
    const quotas = {
      ...figures,
      requestsPerPrefix: { burst: 1, perSecond: 0.001 },
      admissionsPerKey: { burst: 1, perSecond: 0.001 },
    };
    const server = await startServer({ port: 0, data, quotas });
    const machines = Array.from({ length: 5 }, (_, i) => sampleMachine(`here ${i}`));
    for (const machine of machines) {
      const body = JSON.stringify(seal('enrol', machine.enrol(), machine.key));
      for (const status of [201, 200]) {
        const headers = { 'content-type': 'application/json' };
        expect((await fetch(`${server.url}/v1/machines`, { method: 'POST', headers, body })).status).toBe(
          status,
        );
      }
    }
    // What says that it is forwarded is not the machine itself, and without TRUST_PROXY all of it is one network.
    const forwarded = async (of: string) =>
      (await fetch(`${server.url}/healthz`, { headers: { 'x-forwarded-for': of } })).status;
    expect([await forwarded('192.0.2.1'), await forwarded('198.51.100.1')]).toEqual([200, 429]);
    await server.close();
    await rm(data, { recursive: true, force: true });
  });
});
