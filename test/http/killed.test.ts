/**
 * Durability: two servers on one file, and one of them is killed with SIGKILL fifty times under load. Whatever was
 * acknowledged is there, once, at its index; nothing is there in parts; and the tree that was signed is the tree of
 * what is there.
 */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { toHex, utf8 } from '../../schema/bytes.ts';
import { parseCheckpoint } from '../../schema/log/checkpoint.ts';
import { openNote, parseVerifierKey } from '../../schema/log/note.ts';
import { leafHash, rootOf } from '../../schema/log/tree.ts';
import type { Receipt } from '../../schema/wire.ts';
import { enrol, get, post, receiptOf, takeTickets } from './client.ts';
import { sampleMachine, seal, simpleScenario } from './samples.ts';
import { endServers, type SpawnedServer, spawnServer } from './spawn.ts';

const kills = 50;
const reportsPerRound = 12;

let data: string;
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'dumpsurvey-killed-'));
});
afterEach(async () => {
  endServers();
  await rm(data, { recursive: true, force: true });
});

interface Acknowledged {
  readonly nonce: string;
  readonly receipt: Receipt;
}

it(`not one receipt without its report, after ${kills} times kill -9`, async () => {
  const servers: [SpawnedServer, SpawnedServer] = [await spawnServer(data), await spawnServer(data)];
  const machine = sampleMachine('killed');
  await enrol(servers[0].url, machine);
  const acknowledged: Acknowledged[] = [];
  let interrupted = 0;
  let busy = 0;

  for (let round = 0; round < kills; round++) {
    const [doomed, other] = round % 2 === 0 ? [0, 1] : [1, 0];
    const victim = servers[doomed as 0 | 1];
    const survivor = servers[other as 0 | 1];
    const tickets = await takeTickets(
      survivor.url,
      machine,
      `round ${round}`,
      Array(reportsPerRound).fill(simpleScenario),
    );
    const envelopes = tickets.map((ticket) => ({
      nonce: ticket.nonce,
      envelope: seal('report', machine.report(ticket, 'captured', Date.now()), machine.key),
    }));
    const died = once(victim.child, 'exit');
    let answered = 0;
    const send = async ({ nonce, envelope }: (typeof envelopes)[0], url: string) => {
      const answer = await post(url, 'report', envelope);
      if (answer.status === 503) busy += 1;
      else {
        expect([200, 201]).toContain(answer.status);
        acknowledged.push({ nonce, receipt: receiptOf(answer) });
      }
      answered += 1;
      if (answered === 1 + (round % (reportsPerRound - 2))) victim.child.kill('SIGKILL');
    };
    // Each report goes to both servers at once, so that they meet at the store.
    const sent = await Promise.allSettled(
      envelopes.flatMap((one) => [send(one, victim.url), send(one, survivor.url)]),
    );
    victim.child.kill('SIGKILL');
    await died;
    interrupted += sent.filter(({ status }) => status === 'rejected').length;
    servers[doomed as 0 | 1] = await spawnServer(data);
    // What was not acknowledged is sent again, as an agent would.
    const known = new Set(acknowledged.map(({ nonce }) => nonce));
    for (const { nonce, envelope } of envelopes.filter((one) => !known.has(one.nonce))) {
      const answer = await post(survivor.url, 'report', envelope);
      expect([200, 201]).toContain(answer.status);
      acknowledged.push({ nonce, receipt: receiptOf(answer) });
    }
  }

  expect(interrupted).toBeGreaterThan(0);
  expect(new Set(acknowledged.map(({ nonce }) => nonce)).size).toBe(kills * reportsPerRound);
  console.log(
    `${kills} kills: ${acknowledged.length} acknowledgements, ${interrupted} connections broken, ${busy} answers 503`,
  );

  // One index for one report, whoever acknowledged it and how often; and the entry there is the one of the receipt.
  const { url } = servers[0];
  const database = createClient({ url: pathToFileURL(join(data, 'survey.db')).href });
  const { rows } = await database.execute('select log_index, entry from log_entries order by log_index');
  expect(rows.map(({ log_index }) => Number(log_index))).toEqual(rows.map((_, i) => i));
  const indexOf = new Map<string, number>();
  for (const { nonce, receipt } of acknowledged) {
    expect(receipt.log_index).toBe(indexOf.get(nonce) ?? receipt.log_index);
    indexOf.set(nonce, receipt.log_index);
    expect(String(rows[receipt.log_index]?.entry)).toBe(receipt.entry);
  }
  for (const [nonce, index] of indexOf) {
    const report = (await get(url, `/v1/reports/${index}`)).json as { body: { nonce: string } };
    expect(report.body.nonce).toBe(nonce);
  }
  const { rows: torn } = await database.execute(`select count(*) from reports r
    left join log_entries l on l.log_index = r.log_index left join envelopes e on e.hash = l.envelope_hash
    where l.row is null or e.payload is null or e.hash <> r.report_hash
      or not exists (select 1 from facts f where f.log_index = r.log_index)`);
  expect(Number(torn[0]?.[0])).toBe(0);

  // What was signed is the tree of what is there.
  const { log } = (await get(url, '/v1')).json as { log: { verifier_key: string } };
  const { text } = await openNote((await get(url, '/log/checkpoint')).text, [
    await parseVerifierKey(log.verifier_key),
  ]);
  const { size, root } = parseCheckpoint(text);
  const leaves = await Promise.all(rows.slice(0, size).map((row) => leafHash(utf8(String(row.entry)))));
  expect(toHex(await rootOf(leaves))).toBe(toHex(root));
  database.close();
}, 400_000);
