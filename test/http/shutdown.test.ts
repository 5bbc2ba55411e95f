/** The Node server ends in good order: what is in progress is answered, what was acknowledged is there. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startServer } from '../../worker/node.ts';
import type { Told } from '../../worker/telemetry/events.ts';
import { enrol, get, post, readAnswer, receiptOf, takeTicket, takeTickets } from './client.ts';
import { openRaw, parseRaw } from './raw.ts';
import { sampleMachine, seal, simpleScenario } from './samples.ts';
import { endServers, spawnServer } from './spawn.ts';

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'dumpsurvey-shutdown-'));
});
afterEach(async () => {
  endServers();
  await rm(data, { recursive: true, force: true });
});

/** A report as it is posted, in two halves. */
async function halves(url: string, name: string): Promise<readonly [string, string]> {
  const machine = sampleMachine(name);
  await enrol(url, machine);
  const ticket = await takeTicket(url, machine, name);
  const body = JSON.stringify(seal('report', machine.report(ticket, 'captured', Date.now()), machine.key));
  const head = `POST /v1/reports HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  return [head + body.slice(0, 100), body.slice(100)];
}

/** Whether anybody still takes connections there. */
async function isOpen(url: string): Promise<boolean> {
  try {
    (await openRaw(url)).socket.destroy();
    return true;
  } catch {
    return false;
  }
}

describe('at SIGTERM', () => {
  it('a request in progress is answered, no connection is taken, and the process ends with 0', async () => {
    const { url, child } = await spawnServer(data);
    const [first, second] = await halves(url, 'in progress');
    const connection = await openRaw(url);
    connection.socket.write(first);
    const idle = await openRaw(url);
    idle.socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n');
    while (!idle.received().includes('ok')) await sleep(5);
    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await idle.ended;
    expect(await isOpen(url)).toBe(false);
    connection.socket.write(second);
    const answer = parseRaw(await connection.ended);
    expect(answer.status).toBe(201);
    expect(await exited).toEqual([0, null]);

    const receipt = JSON.parse(answer.body) as { report_id: string };
    const again = await spawnServer(data);
    expect((await get(again.url, `/v1/reports/${receipt.report_id}`)).status).toBe(200);
  });

  it('every report that is acknowledged meanwhile is there, and every one that is there is whole', async () => {
    const { url, child } = await spawnServer(data);
    const machine = sampleMachine('meanwhile');
    await enrol(url, machine);
    const tickets = await takeTickets(url, machine, 'meanwhile', Array(64).fill(simpleScenario));
    const envelopes = tickets.map((ticket) =>
      seal('report', machine.report(ticket, 'captured', Date.now()), machine.key),
    );
    const exited = once(child, 'exit');
    let answered = 0;
    const sent = await Promise.allSettled(
      envelopes.map(async (envelope) => {
        const answer = await post(url, 'report', envelope);
        if (++answered === 5) child.kill('SIGTERM');
        return answer;
      }),
    );
    expect(await exited).toEqual([0, null]);
    const acknowledged = sent.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    expect(new Set(acknowledged.map(({ status }) => status))).toEqual(new Set([201]));
    const database = createClient({ url: pathToFileURL(join(data, 'survey.db')).href });
    const { rows } = await database.execute(`select reports.log_index from reports
      join envelopes on hash = report_hash join log_entries using (log_index)
      where exists (select 1 from facts where facts.log_index = reports.log_index)`);
    database.close();
    const stored = new Set(rows.map((row) => Number(row[0])));
    expect(acknowledged.filter((answer) => !stored.has(receiptOf(answer).log_index))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThanOrEqual(5);
    expect(stored.size).toBeGreaterThanOrEqual(acknowledged.length);
  });

  it('a second signal ends it at once', async () => {
    const { url, child } = await spawnServer(data);
    const [first] = await halves(url, 'impatient');
    const connection = await openRaw(url);
    connection.socket.write(first);
    const exited = once(child, 'exit');
    child.kill('SIGINT');
    await sleep(1200);
    expect(child.exitCode).toBeNull();
    child.kill('SIGINT');
    expect(await exited).toEqual([130, null]);
    await connection.ended;
  });
});

describe('a server that is asked to close', () => {
  it('says in /readyz that it is draining, and in /healthz that it lives', async () => {
    const server = await startServer({ port: 0, data });
    const [first, second] = await halves(server.url, 'draining');
    const connection = await openRaw(server.url);
    connection.socket.write(first);
    await sleep(50);
    const closed = server.close();
    const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    connection.socket.write(second + ask('/readyz') + ask('/healthz'));
    const received = await connection.ended;
    await closed;
    const [posted = '', readiness = '', health = ''] = received.split(/(?=HTTP\/1\.1 )/);
    expect(parseRaw(posted).status).toBe(201);
    expect(parseRaw(readiness).status).toBe(503);
    expect(JSON.parse(parseRaw(readiness).body)).toMatchObject({
      ready: false,
      checks: expect.arrayContaining([{ name: 'serving', ok: false, detail: 'draining' }]),
    });
    expect(parseRaw(health).body).toBe('ok\n');
  });

  it('cuts off what does not end in time, and says how many that were', async () => {
    const told: Told[] = [];
    const server = await startServer({
      port: 0,
      data,
      log: (event) => told.push(event),
      quotas: { drainWithinMs: 200 },
    });
    const [first] = await halves(server.url, 'stuck');
    const connection = await openRaw(server.url);
    connection.socket.write(first);
    await sleep(50);
    const startedAt = performance.now();
    await server.close();
    expect(performance.now() - startedAt).toBeLessThan(2000);
    await connection.ended;
    expect(told.slice(-2)).toEqual([
      { event: 'draining', in_progress: 1 },
      { event: 'stopped', cut_off: 1 },
    ]);
  });

  it('ends at once where nothing is in progress, whoever keeps a connection', async () => {
    const server = await startServer({ port: 0, data });
    expect((await readAnswer(await fetch(`${server.url}/healthz`))).status).toBe(200);
    const silent = await openRaw(server.url);
    const startedAt = performance.now();
    await server.close();
    await silent.ended;
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });
});
