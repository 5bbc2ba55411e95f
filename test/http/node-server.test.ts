/** What only the Node server does: survives being killed, says when its store is busy, and starts and stops in good order. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startServer } from '../../worker/node.ts';
import { enrol, get, post, problemOf, receiptOf, takeTicket, takeTickets } from './client.ts';
import { sampleMachine, seal, simpleScenario } from './samples.ts';
import { endServers, spawnServer } from './spawn.ts';

let data: string;

beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'dumpsurvey-node-'));
});
afterEach(async () => {
  endServers();
  await rm(data, { recursive: true, force: true });
});

describe('a server that is killed under load', () => {
  it('loses no report that it has acknowledged, and leaves no gap in the log', async () => {
    const machine = sampleMachine('killed');
    const acknowledged = new Map<string, number>();
    let interrupted = 0;
    let setUp = await spawnServer(data);
    await enrol(setUp.url, machine);
    for (let round = 0; round < 5; round++) {
      const { url, child } = setUp;
      const tickets = await takeTickets(url, machine, `killed ${round}`, Array(48).fill(simpleScenario));
      const envelopes = tickets.map((ticket) => ({
        nonce: ticket.nonce,
        envelope: seal('report', machine.report(ticket, 'captured', Date.now()), machine.key),
      }));
      const died = once(child, 'exit');
      let answered = 0;
      const sent = await Promise.allSettled(
        envelopes.map(async ({ nonce, envelope }) => {
          const answer = await post(url, 'report', envelope);
          if (answer.status === 201) acknowledged.set(nonce, receiptOf(answer).log_index);
          answered += 1;
          if (answered === 1 + 5 * round) child.kill('SIGKILL');
        }),
      );
      await died;
      interrupted += sent.filter(({ status }) => status === 'rejected').length;
      setUp = await spawnServer(data);
      // What was not acknowledged is sent again, as an agent would: now everything must be there.
      const again = await Promise.all(envelopes.map(({ envelope }) => post(setUp.url, 'report', envelope)));
      for (const [i, answer] of again.entries()) {
        const nonce = envelopes[i]?.nonce ?? '';
        expect([200, 201]).toContain(answer.status);
        const first = acknowledged.get(nonce);
        if (first !== undefined) expect([answer.status, receiptOf(answer).log_index]).toEqual([200, first]);
        acknowledged.set(nonce, receiptOf(answer).log_index);
      }
    }
    expect(acknowledged.size).toBe(5 * 48);
    expect(interrupted).toBeGreaterThan(0);
    for (const [nonce, index] of acknowledged) {
      const report = (await get(setUp.url, `/v1/reports/${index}`)).json as { body: { nonce: string } };
      expect(report.body.nonce).toBe(nonce);
    }
    const database = createClient({ url: pathToFileURL(join(data, 'survey.db')).href });
    const { rows } = await database.execute('select count(*), max(log_index) from log_entries');
    expect(Number(rows[0]?.[0])).toBe(Number(rows[0]?.[1]) + 1);
    const { rows: torn } = await database.execute(`select count(*) from reports
      where log_index not in (select log_index from log_entries where envelope_hash in (select hash from envelopes))
         or log_index not in (select log_index from facts)
         or log_index not in (select log_index from log_entries)`);
    expect(Number(torn[0]?.[0])).toBe(0);
    database.close();
  }, 120_000);
});

describe('a store that somebody else has locked', () => {
  it('is answered 503 with a time to come back, and nothing is lost or doubled', async () => {
    const server = await startServer({ port: 0, data });
    const machine = sampleMachine('busy');
    await enrol(server.url, machine);
    const ticket = await takeTicket(server.url, machine, 'busy');
    const envelope = seal('report', machine.report(ticket, 'captured', Date.now()), machine.key);
    const blocker = createClient({ url: pathToFileURL(join(data, 'survey.db')).href, concurrency: 1 });
    const held = await blocker.transaction('write');
    const refused = await post(server.url, 'report', envelope);
    expect([refused.status, problemOf(refused).type]).toEqual([503, '/problems/store-busy']);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect((await get(server.url, '/v1/status')).status).toBe(200);
    await held.rollback();
    const admitted = await post(server.url, 'report', envelope);
    expect(admitted.status).toBe(201);
    const report = await get(server.url, `/v1/reports/${receiptOf(admitted).report_id}`);
    expect(report.status).toBe(200);
    const { rows } = await blocker.execute('select count(*) from reports');
    expect(Number(rows[0]?.[0])).toBe(1);
    blocker.close();
    await server.close();
  });
});

describe('starting and stopping', () => {
  it('says which port is taken, and what to do', async () => {
    const first = await startServer({ port: 0, data });
    const port = Number(new URL(first.url).port);
    const second = startServer({ port, data: join(data, 'second') });
    await expect(second).rejects.toThrow(
      `Port ${port} of 127.0.0.1 is taken by another program. Stop that, or set PORT`,
    );
    await first.close();
  });

  it('listens on this machine only', async () => {
    const server = await startServer({ port: 0, data });
    expect(new URL(server.url).hostname).toBe('127.0.0.1');
    await server.close();
  });

  it('ends in good order at SIGTERM, and has everything when it starts again', async () => {
    const machine = sampleMachine('term');
    const first = await spawnServer(data);
    await enrol(first.url, machine);
    const ticket = await takeTicket(first.url, machine, 'term');
    const body = machine.report(ticket, 'captured', Date.now());
    const receipt = receiptOf(await post(first.url, 'report', seal('report', body, machine.key)));
    first.child.kill('SIGTERM');
    expect(await once(first.child, 'exit')).toEqual([0, null]);
    const second = await spawnServer(data);
    const { report_id } = receipt;
    expect((await get(second.url, `/v1/reports/${report_id}`)).json).toMatchObject({ report_id });
  });

  it('counts the campaign that the local agent plans', async () => {
    const campaignPath = join(data, 'campaign.json');
    const server = await startServer({ port: 0, data, campaignPath });
    const status = async () => ((await get(server.url, '/v1/status')).json as { campaign: object }).campaign;
    const none = { planned: 0, done: 0, captured: 0, failed: 0, inconclusive: 0 };
    expect(await status()).toEqual(none);
    await writeFile(campaignPath, '{"planned":');
    expect(await status()).toEqual(none);
    const machine = sampleMachine('campaign');
    await enrol(server.url, machine);
    const tickets = await takeTickets(server.url, machine, 'campaign', Array(4).fill(simpleScenario));
    for (const [i, fate] of (['captured', 'device', 'hang', 'inconclusive'] as const).entries()) {
      const ticket = tickets[i];
      if (ticket === undefined) throw new Error('a ticket is missing');
      await post(server.url, 'report', seal('report', machine.report(ticket, fate, Date.now()), machine.key));
    }
    await writeFile(campaignPath, '{"planned":9}');
    expect(await status()).toEqual({ planned: 9, done: 4, captured: 1, failed: 2, inconclusive: 1 });
    const nonces = tickets.slice(0, 2).map((ticket) => ticket.nonce);
    await writeFile(campaignPath, JSON.stringify({ planned: 2, nonces }));
    expect(await status()).toEqual({ planned: 2, done: 2, captured: 1, failed: 1, inconclusive: 0 });
    await server.close();
  });
});

/** Sends bytes as they are and waits for the end of the connection, or for quiet. */
function sendBytes(url: string, bytes: string | Uint8Array, quietMs = 300): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    socket.setTimeout(quietMs, () => socket.destroy());
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(received));
    socket.write(bytes);
  });
}

describe('bytes that are hardly HTTP', () => {
  it.each([
    ['nothing of HTTP', '\0\0\0\0'.repeat(1000)],
    ['headers of 200 KB', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(200_000)}\r\n\r\n`],
    ['a thousand headers', `GET / HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(5000)}\r\n`],
    ['a hostile Host', 'GET /v1 HTTP/1.1\r\nHost: <script>/../@:99999\r\n\r\n'],
    ['no Host', 'GET /v1 HTTP/1.0\r\n\r\n'],
    ['an address of 100 KB', `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    [
      'a length that is too small',
      'POST /v1/reports HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}{}{}{}',
    ],
    [
      'a length that is too large',
      'POST /v1/reports HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n{}',
    ],
    ['a length of 10 TB', 'POST /v1/reports HTTP/1.1\r\nHost: x\r\nContent-Length: 10995116277760\r\n\r\n{}'],
    [
      'two lengths',
      'POST /v1/reports HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}',
    ],
    ['a negative length', 'POST /v1/reports HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}'],
    [
      'chunks that are none',
      'POST /v1/reports HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
    ],
    ['an absolute address', 'GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['a request for a tunnel', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'],
    ['an upgrade', 'GET /v1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
    ['a broken path', 'GET /%zz%00%ff HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('%s does not stop the server, and shows nothing of its inside', async (_what, bytes) => {
    const server = await startServer({ port: 0, data });
    const received = await sendBytes(server.url, bytes);
    expect(received).not.toMatch(/node_modules|\.ts:\d/);
    expect((await get(server.url, '/healthz')).text).toBe('ok\n');
    await server.close();
  });
});
