/** The auditor against the real server: it finds nothing in an honest survey, and in a dishonest one exactly what was done. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@libsql/client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fromHex, sha256, toHex, utf8 } from '../../schema/bytes.ts';
import { type Envelope, hashInput, type PayloadKind } from '../../schema/envelope.ts';
import { signCheckpoint } from '../../schema/log/checkpoint.ts';
import { entryText, type LogEntry, rowCommitment } from '../../schema/log/entry.ts';
import type { RowOf } from '../../schema/log/row.ts';
import { leafHash } from '../../schema/log/tree.ts';
import { scenarioSets } from '../../schema/scenario.ts';
import type { EntryKind } from '../../schema/vocabulary.ts';
import { ownDecision } from '../../worker/admit/own-decision.ts';
import type { Values } from '../../worker/audit/command.ts';
import { run } from '../../worker/audit/run.ts';
import { aboutNobody, draftEntry, type SignedRequest } from '../../worker/log/draft.ts';
import type { ServerOptions } from '../../worker/node.ts';
import type { Services } from '../../worker/services.ts';
import { insertDecision } from '../../worker/store/decisions.ts';
import { append, logSize } from '../../worker/store/log.ts';
import { closeStore, openStore, write } from '../../worker/store/open.ts';
import { audited, log, openSurvey, openWitness, quietRim, type ToldSurvey, toldSurvey } from './audited.ts';
import { enrol, get, post, takeTicket, takeTickets } from './client.ts';
import {
  auditorToken,
  endsMs,
  indexOf,
  operator,
  report,
  settle,
  storyTime,
  tellHistory,
} from './history.ts';
import { type Runtime, startRuntime } from './runtimes.ts';
import {
  decision,
  idsOf,
  keyPair,
  requestId,
  revocation,
  rotation,
  sampleMachine,
  sampleProfile,
  seal,
  simpleScenario,
  withdrawal,
} from './samples.ts';

let told: ToldSurvey;
beforeAll(async () => {
  told = await toldSurvey();
});
afterAll(() => told.forget());

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** A survey on a copy of the history, stopped after the test. */
async function survey(
  options: Partial<ServerOptions> = {},
  data?: string,
): Promise<Runtime & { data: string }> {
  const place = data ?? (await told.copy());
  const runtime = await openSurvey(place, options, endsMs);
  ends.push(runtime.stop);
  return { ...runtime, data: place };
}

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'dumpsurvey-audit-'));
  ends.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

const known = { 'log-key': log.verifierKey, operator: [operator.publicHex] };

describe('an honest survey', () => {
  it('has nothing wrong, and what was withdrawn or withheld is counted apart', async () => {
    const { url } = await survey();
    const { report, found, status, text } = await audited({ url, ...known });
    expect({ found, lacking: report.lacking, status }).toEqual({ found: [], lacking: [], status: 0 });
    const counts = report.tally.counts();
    const size = report.head?.checkpoint.size ?? 0;
    expect(size).toBeGreaterThan(50);
    expect(counts.entries.ok).toBe(size);
    // One machine's enrolment, ticket, armed note and report; one owner's enrolment, ticket and report.
    expect(counts.rows).toMatchObject({ withdrawn: 7, ok: size - 7 });
    expect(counts.withdrawals).toMatchObject({ withdrawn: 7, ok: 2 });
    // A real machine's enrolment, ticket, armed note and report.
    expect(counts.envelopes).toMatchObject({ withheld: 4, withdrawn: 7, ok: size - 11 });
    expect(counts.derivation.withheld).toBe(4);
    expect(counts.derivation.ok).toBe(0);
    expect(counts.editions).toMatchObject({ rebuilt: 2 });
    expect(counts.statistics.rebuilt).toBeGreaterThan(10);
    expect(text).toContain('Everything that was checked is as it must be.');
  });

  it('shows a named auditor what real machines have signed', async () => {
    const { url } = await survey();
    const { report, status } = await audited({ url, ...known, token: auditorToken });
    expect(status).toBe(0);
    const counts = report.tally.counts();
    expect(counts.envelopes.withheld + counts.derivation.withheld + counts.protocol.withheld).toBe(0);
    expect(counts.envelopes.ok).toBe((report.head?.checkpoint.size ?? 0) - 7);
  });

  it('says that the key was taken on first use, and who decides unknown to the auditor', async () => {
    const { url } = await survey();
    const { report, text, status } = await audited({ url });
    expect(status).toBe(0);
    expect(report.key).toBe(log.verifierKey);
    expect(text).toContain('taken on first use');
    expect(report.tally.notes().join()).toContain(`${operator.publicHex}, by an unknown operator`);
  });

  it('is the same from a copy that was kept, and grows from run to run', async () => {
    const runtime = await survey();
    const [keep, state] = [await directory(), join(await directory(), 'state')];
    const first = await audited({ url: runtime.url, keep, state });
    const again = await audited({ copy: keep });
    expect(again.found).toEqual([]);
    expect(again.report.tally.counts()).toEqual(first.report.tally.counts());
    const ticket = await takeTicket(runtime.url, told.story.trials, 'between two runs');
    await report(runtime.url, told.story.trials, ticket, 'captured');
    await settle(runtime);
    const second = await audited({ url: runtime.url, keep, state });
    expect({ found: second.found, status: second.status }).toEqual({ found: [], status: 0 });
    expect(second.report.isFirstUse).toBe(false);
    expect(second.report.tally.counts().consistency.ok).toBe(first.report.tally.counts().consistency.ok + 1);
    expect((await audited({ copy: keep, state })).report.head?.checkpoint.size).toBe(
      (first.report.head?.checkpoint.size ?? 0) + 2,
    );
  });

  it('keeps the promises of its receipts', async () => {
    const { url } = await survey();
    const receipt = join(await directory(), 'receipts');
    await writeFile(`${receipt}1`, told.story.firstReport.text);
    await writeFile(`${receipt}2`, told.story.lastReport.text);
    const { report, status } = await audited({ url, ...known, receipt: [`${receipt}1`, `${receipt}2`] });
    expect(status).toBe(0);
    expect(report.tally.counts().receipts.ok).toBe(2);
  });

  it('is vouched for by witnesses', async () => {
    const witnesses = [
      await openWitness(await directory(), 'w1'),
      await openWitness(await directory(), 'w2'),
    ];
    for (const { close } of witnesses) ends.push(close);
    const runtime = await survey({ witnesses: witnesses.map(({ vkey, url }) => `${vkey}=${url}`) });
    await takeTicket(runtime.url, told.story.trials, 'to be cosigned');
    await settle(runtime);
    const { report, status } = await audited({
      url: runtime.url,
      witness: witnesses.map(({ vkey, url }) => `${vkey}=${url}`),
    });
    expect(status).toBe(0);
    expect(report.tally.counts().cosignatures.ok).toBe(2);
    expect(report.tally.counts().consistency.ok).toBe(4);
  });

  it('says which editions lost rows to a withdrawal since', async () => {
    const runtime = await survey();
    const before = (await get(runtime.url, '/v1/status')).json as { edition: number };
    const { key } = told.story.trials;
    const answer = await post(
      runtime.url,
      'withdraw',
      withdrawal(key, 'machine', key.publicHex, storyTime()),
    );
    expect(answer.status).toBe(201);
    await settle(runtime);
    const { report, found, status } = await audited({
      url: runtime.url,
      edition: String(before.edition - 3),
    });
    expect({ found, status }).toEqual({ found: [], status: 0 });
    expect(report.tally.counts().editions).toMatchObject({ rebuilt: 1, withdrawn: 2 });
    expect(report.tally.notes().join()).toMatch(/is not rebuildable: \d+ withdrawn/);
  });

  it('may have editions of before its log had a tree', async () => {
    const { url, database } = await survey();
    await database.execute(
      "update editions set checkpoint = '', statistics_sha256 = 'ab' || substr(statistics_sha256, 3)",
    );
    const { report, found, status } = await audited({ url, ...known });
    expect({ found, status }).toEqual({ found: [], status: 0 });
    expect(report.tally.counts().editions).toMatchObject({ unkept: 2, rebuilt: 0 });
    expect(report.tally.counts().statistics.rebuilt).toBeGreaterThan(10);
  });

  it('may have editions that an older version of its code computed', async () => {
    const { url, database } = await survey();
    await database.execute(
      "update editions set statistics_version = 1, statistics_sha256 = 'ab' || substr(statistics_sha256, 3) where number = (select max(number) - 1 from editions)",
    );
    const { report, found, status } = await audited({ url, ...known });
    expect({ found, status }).toEqual({ found: [], status: 0 });
    expect(report.tally.counts().editions).toMatchObject({ superseded: 1, rebuilt: 1 });
    expect(report.tally.notes().join()).toMatch(/Edition \d+ was computed by version 1 of the statistics/);
  });

  it('may have data withdrawn while it is audited', async () => {
    const runtime = await survey();
    const { key } = told.story.trials;
    let isDone = false;
    const url = await proxied(runtime.url, async (path, body) => {
      if (path === '/log/checkpoint' && !isDone) {
        isDone = true;
        await post(runtime.url, 'withdraw', withdrawal(key, 'machine', key.publicHex, storyTime()));
      }
      return body;
    });
    const { report, found, status } = await audited({ url });
    expect({ found, status }).toEqual({ found: [], status: 0 });
    expect(report.tally.counts().withdrawals.withdrawn).toBeGreaterThan(20);
  });

  it('is not accused of what comes in at the same moment', async () => {
    const runtime = await survey({ controlShare: 0 });
    const { url } = runtime;
    const crowd = Array.from({ length: 10 }, (_, i) =>
      sampleMachine(`crowd ${i}`, sampleProfile(), i % 2 === 0 ? 'owner' : 'third owner'),
    );
    const statuses: number[] = [];
    const send = async (kind: PayloadKind, envelope: Envelope) =>
      statuses.push((await post(url, kind, envelope)).status);
    await Promise.all(crowd.map((machine) => enrol(url, machine)));
    await Promise.all(
      crowd.map(async (machine, i) => {
        const root = machine.key.publicHex;
        const next = { ...machine, key: keyPair(`crowd ${i}, next`) };
        const tickets = await takeTickets(
          url,
          machine,
          `crowd ${i}`,
          idsOf(scenarioSets['standard/1']).slice(0, 4),
        );
        const seconds = sampleMachine(
          `crowd ${i}`,
          sampleProfile('nvme'),
          i % 2 === 0 ? 'owner' : 'third owner',
        );
        await Promise.all([
          ...tickets.flatMap((ticket) => {
            const atMs = Date.parse(ticket.issued_at);
            return [
              send('armed', seal('armed', machine.armed(ticket, atMs), machine.key)),
              send('report', seal('report', machine.report(ticket, 'captured', atMs), machine.key)),
              send('report', seal('report', machine.report(ticket, 'device', atMs), machine.key)),
            ];
          }),
          send('rotate', rotation('machine', machine.key, next.key, { created_at: storyTime() })),
          send('enrol', seal('enrol', seconds.enrol(), seconds.key)),
          send(
            'tickets',
            seal('tickets', machine.tickets(requestId(`more ${i}`), [simpleScenario]), machine.key),
          ),
          send('revoke', revocation(machine.owner, 'machine', root, 0, storyTime())),
          ...(i % 3 === 0 ? [send('withdraw', withdrawal(machine.owner, 'machine', root, storyTime()))] : []),
        ]);
      }),
    );
    expect(new Set(statuses)).toContain(201);
    expect(statuses.filter((status) => status >= 400).length).toBeGreaterThan(10);
    await settle(runtime);
    const { found, text } = await audited({ url, ...known });
    expect(found, text).toEqual([]);
  });

  it('is found honest under workerd, too', async () => {
    const runtime = await startRuntime('workerd', { operators: [operator.publicHex], controlShare: 1 });
    ends.push(runtime.stop);
    await tellHistory(runtime);
    const { found, status, report } = await audited({ url: runtime.url, operator: [operator.publicHex] });
    expect({ found, lacking: report.lacking, status }).toEqual({ found: [], lacking: [], status: 0 });
    expect(report.tally.counts().editions.rebuilt).toBe(2);
  });
});

/** A survey behind somebody who may change what it answers. */
async function proxied(
  target: string,
  change: (path: string, body: Buffer) => Buffer | Promise<Buffer>,
): Promise<string> {
  const server = createServer(async (request, response) => {
    const answer = await fetch(target + request.url, { headers: { connection: 'close' } });
    const body = await change(request.url ?? '', Buffer.from(await answer.arrayBuffer()));
    response.writeHead(answer.status).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(async () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function one(database: Client, sql: string): Promise<Record<string, unknown>> {
  const { rows } = await database.execute(sql);
  if (rows[0] === undefined) throw new Error(`nothing was found by ${sql}`);
  return rows[0] as unknown as Record<string, unknown>;
}

/** The log index of some entry of a kind that is all there. */
async function someEntry(database: Client, kind: EntryKind, which = 0): Promise<number> {
  const sql = `select log_index from log_entries where kind = '${kind}' and row is not null and population is not 'metal'
    order by log_index limit 1 offset ${which}`;
  return Number((await one(database, sql)).log_index);
}

/** Appends an entry past the server's rules, as a dishonest operator would. */
async function slipIn<K extends keyof RowOf>(
  data: string,
  kind: K,
  row: RowOf[K],
  request: SignedRequest | null,
  about = aboutNobody,
): Promise<void> {
  const store = await openStore({ url: `file:${join(data, 'survey.db')}` });
  const random = (count: number) => crypto.getRandomValues(new Uint8Array(count));
  const draft = await draftEntry({ random }, kind, row, request, about, Date.now() + endsMs);
  await write(store, append(store.db, draft));
  closeStore(store);
}

/** A request as the server keeps it. */
async function kept(
  kind: 'report' | 'withdraw' | 'armed',
  body: object,
  key: ReturnType<typeof keyPair>,
): Promise<SignedRequest> {
  const { payload, signatures } = seal(kind, body, key);
  const bytes = new Uint8Array(Buffer.from(payload, 'base64'));
  const hash = toHex(await sha256(hashInput(kind, fromHex(key.publicHex), bytes)));
  const signature = new Uint8Array(Buffer.from(signatures[0]?.sig ?? '', 'base64'));
  return { kind, key: key.publicHex, payload: bytes, signature, hash };
}

interface Spoiled {
  /** What the auditor must find, and nothing else. */
  readonly found: readonly string[];
  /** What the report must say. */
  readonly says?: string;
}

/** Each thing that a dishonest operator does to the database of an honest survey. */
const manipulations: Readonly<Record<string, (database: Client, data: string) => Promise<Spoiled>>> = {
  'an entry is removed': async (database) => {
    await database.execute('delete from log_entries where log_index = 7');
    return { found: ['entries 7'], says: 'the contents lack entry 7' };
  },

  'an entry is changed': async (database) => {
    const index = await someEntry(database, 'report');
    const { entry } = await one(database, `select entry from log_entries where log_index = ${index}`);
    const changed = entryText({
      ...(JSON.parse(String(entry)) as LogEntry),
      admitted_at: '2026-01-01T00:00:00.000Z',
    });
    await database.execute({
      sql: 'update log_entries set entry = ? where log_index = ?',
      args: [changed, index],
    });
    return { found: [`entries ${index}`] };
  },

  'an entry is changed together with its hash': async (database) => {
    const index = await someEntry(database, 'enrol');
    const { entry } = await one(database, `select entry from log_entries where log_index = ${index}`);
    const changed = entryText({
      ...(JSON.parse(String(entry)) as LogEntry),
      admitted_at: '2026-01-01T00:00:00.000Z',
    });
    const leaf = toHex(await leafHash(utf8(changed)));
    await database.execute({
      sql: 'update log_entries set entry = ?, leaf_hash = ? where log_index = ?',
      args: [changed, leaf, index],
    });
    return { found: ['entries'], says: 'which the checkpoint signs' };
  },

  'a row is changed, with a fitting salt': async (database) => {
    const index = await someEntry(database, 'report');
    const { row } = await one(database, `select row from log_entries where log_index = ${index}`);
    const changed = String(row).replace('"result":"captured"', '"result":"failed"');
    const salt = '00'.repeat(16);
    expect(await rowCommitment(fromHex(salt), changed)).not.toBe(row);
    await database.execute({
      sql: 'update log_entries set row = ?, row_salt = ? where log_index = ?',
      args: [changed, salt, index],
    });
    return { found: [`rows ${index}`] };
  },

  'a checkpoint is forged': async (database) => {
    await database.execute(`update checkpoints set note = replace(note, 'survey.test/log' || char(10) || size,
      'survey.test/log' || char(10) || (size - 1)) where published`);
    return { found: ['checkpoint'] };
  },

  'a checkpoint is signed by another key': async (database) => {
    const { size, root } = await one(
      database,
      'select size, root from checkpoints order by size desc limit 1',
    );
    const { logIdentity } = await import('../../worker/log/identity.ts');
    const other = await logIdentity(new Uint8Array(32).fill(8), log.name);
    const note = await signCheckpoint(
      { origin: log.name, size: Number(size), root: fromHex(String(root)) },
      other,
    );
    await database.execute({
      sql: 'update checkpoints set note = ? where size = ?',
      args: [note, Number(size)],
    });
    return { found: ['checkpoint'], says: 'does not have the key of this log' };
  },

  'a report is signed again by another key': async (database) => {
    const index = await someEntry(database, 'report');
    const { payload, hash } = await one(
      database,
      `select e.payload, e.hash from log_entries l join envelopes e on e.hash = l.envelope_hash where l.log_index = ${index}`,
    );
    const other = keyPair('somebody else');
    const body = JSON.parse(Buffer.from(payload as ArrayBuffer).toString()) as object;
    const request = await kept('report', { ...body, machine: other.publicHex }, other);
    await database.execute({
      sql: 'update envelopes set key = ?, payload = ?, signature = ? where hash = ?',
      args: [request.key, request.payload, request.signature, String(hash)],
    });
    return { found: [`envelopes ${index}`] };
  },

  'a signature is put under other words': async (database) => {
    const index = await someEntry(database, 'armed');
    await database.execute(`update envelopes set payload = cast(replace(cast(payload as text), '"version":"1.0"',
      '"version": "1.0"') as blob) where hash = (select envelope_hash from log_entries where log_index = ${index})`);
    return { found: [`envelopes ${index}`], says: 'is not a signature of key' };
  },

  'the signed request of an emulated machine is hidden': async (database) => {
    const index = await someEntry(database, 'report', 1);
    await database.execute(
      `delete from envelopes where hash = (select envelope_hash from log_entries where log_index = ${index})`,
    );
    return { found: [`envelopes ${index}`], says: 'not of a real machine' };
  },

  'contents vanish without a withdrawal': async (database) => {
    const index = await someEntry(database, 'report', 5);
    await database.execute(
      `update log_entries set row = null, row_salt = null, envelope_salt = null, envelope_hash = null where log_index = ${index}`,
    );
    // The edition had the row when it was published.
    return { found: [`withdrawals ${index}`, 'editions', 'statistics'] };
  },

  'a decision is hidden': async (database) => {
    const index = await someEntry(database, 'decision', 1);
    await database.execute(
      `update log_entries set row = null, row_salt = null, envelope_salt = null, envelope_hash = null where log_index = ${index}`,
    );
    return { found: [`withdrawals ${index}`], says: 'which nobody can withdraw' };
  },

  'a tile has another hash than its entry': async (database) => {
    const index = await someEntry(database, 'invite');
    await database.execute(
      `update log_entries set leaf_hash = '${'ab'.repeat(32)}' where log_index = ${index}`,
    );
    return { found: [`tiles ${index}`] };
  },

  'the hash of an edition is another one': async (database) => {
    await database.execute(
      `update editions set statistics_sha256 = '${'ab'.repeat(32)}' where number = (select max(number) from editions)`,
    );
    return { found: ['editions'] };
  },

  'an edition claims another size': async (database) => {
    await database.execute(
      'update editions set log_size = log_size - 1 where number = (select max(number) from editions)',
    );
    return { found: ['editions'], says: 'and the edition of' };
  },

  'an edition names no checkpoint': async (database) => {
    await database.execute(
      "update editions set checkpoint = '' where number = (select max(number) from editions)",
    );
    return { found: ['editions'], says: 'as the ones before have' };
  },

  'a fact is changed': async (database) => {
    // The published hash is that of before; figures are counted when they are asked for.
    await database.execute(
      "update facts set result = 'captured' where result = 'failed' and population = 'lab'",
    );
    return { found: ['statistics'] };
  },

  'trust is given without an entry': async (database) => {
    await database.execute("update trust set until_index = 1 where label = 'vouched'");
    return { found: ['statistics'] };
  },
};

describe('a survey whose database was changed', () => {
  it.each(Object.entries(manipulations))('is found out where %s', async (_, manipulate) => {
    const runtime = await survey();
    const { found: expected, says = '' } = await manipulate(runtime.database, runtime.data);
    const { found, status, text, report } = await audited({ url: runtime.url, ...known });
    expect(found, text).toEqual(expected);
    expect(report.lacking).toEqual([]);
    expect(status).toBe(1);
    expect(text).toContain(says);
    expect(text).toMatch(/expected {2}\S.*\n {2}found {5}\S.*\n {2}means {5}\S/);
  });
});

/** Each thing that a dishonest operator has his log sign. */
const dishonesties: Readonly<
  Record<string, (runtime: Runtime & { data: string }) => Promise<{ readonly found: readonly string[] }>>
> = {
  'an armed note that nobody signed': async ({ url, data }) => {
    const { trials } = told.story;
    const { nonce, issued_at } = await takeTicket(url, trials, 'never armed');
    const about = {
      population: 'lab' as const,
      machine: trials.key.publicHex,
      owner: trials.owner.publicHex,
    };
    await slipIn(data, 'armed', { nonce, armed_at: issued_at }, null, about);
    return { found: ['protocol'] };
  },

  'a report with another outcome than its evidence gives': async ({ url, data }) => {
    const { trials } = told.story;
    const ticket = await takeTicket(url, trials, 'another outcome');
    const body = trials.report(ticket, 'device', Date.parse(ticket.issued_at));
    const outcome = { ...body.outcome, result: 'inconclusive' as const };
    const row = { nonce: ticket.nonce, amends: null, agent_version: body.agent_version, outcome, labels: [] };
    const about = {
      population: 'lab' as const,
      machine: trials.key.publicHex,
      owner: trials.owner.publicHex,
    };
    await slipIn(data, 'report', row, await kept('report', body, trials.key), about);
    return { found: ['derivation'] };
  },

  'a second report on one ticket': async ({ data, url }) => {
    const { trials } = told.story;
    const ticket = await takeTicket(url, trials, 'reported twice');
    await report(url, trials, ticket, 'device');
    const body = trials.report(ticket, 'captured', Date.parse(ticket.issued_at));
    const row = {
      nonce: ticket.nonce,
      amends: null,
      agent_version: body.agent_version,
      outcome: body.outcome,
      labels: [],
    };
    const about = {
      population: 'lab' as const,
      machine: trials.key.publicHex,
      owner: trials.owner.publicHex,
    };
    await slipIn(data, 'report', row, await kept('report', body, trials.key), about);
    return { found: ['protocol'] };
  },

  'a quarantine by the log that follows from nothing': async ({ data }) => {
    const store = await openStore({ url: `file:${join(data, 'survey.db')}` });
    const services = {
      signer: log,
      random: (count: number) => crypto.getRandomValues(new Uint8Array(count)),
    } as unknown as Services;
    const nowMs = Date.now() + endsMs;
    const subject = { kind: 'owner' as const, value: keyPair('third owner').publicHex };
    const wanted = {
      action: 'quarantine' as const,
      subject,
      from_index: null,
      reason: 'they report too many failures',
    };
    const { row, draft } = await ownDecision(services, wanted, nowMs);
    await insertDecision(store, row, draft, nowMs, await logSize(store));
    closeStore(store);
    return { found: ['protocol'] };
  },

  'a withdrawal that names contents which are still shown': async ({ data, database }) => {
    const victim = await someEntry(database, 'report', 2);
    const stranger = keyPair('a stranger');
    const body = {
      version: '1.0',
      signer: stranger.publicHex,
      role: 'machine',
      key: stranger.publicHex,
      created_at: storyTime(),
    };
    const row = {
      role: 'machine' as const,
      key: stranger.publicHex,
      entries: [[victim, victim]] as [number, number][],
    };
    await slipIn(data, 'withdraw', row, await kept('withdraw', body, stranger));
    return { found: ['withdrawals'] };
  },

  'a withdrawal of a machine by a stranger, of a part of it': async ({ data, database }) => {
    const { trials } = told.story;
    const victim = await someEntry(database, 'report', 4);
    const stranger = keyPair('a stranger');
    const body = {
      version: '1.0',
      signer: stranger.publicHex,
      role: 'machine',
      key: trials.key.publicHex,
      created_at: storyTime(),
    };
    const row = {
      role: 'machine' as const,
      key: trials.key.publicHex,
      entries: [[victim, victim]] as [number, number][],
    };
    await slipIn(data, 'withdraw', row, await kept('withdraw', body, stranger));
    await database.execute(
      `update log_entries set row = null, row_salt = null, envelope_salt = null, envelope_hash = null where log_index = ${victim}`,
    );
    await database.execute(`delete from facts where log_index = ${victim}`);
    return { found: ['withdrawals'] };
  },
};

describe('a survey whose log signed what it may not', () => {
  it.each(Object.entries(dishonesties))('is found out by %s', async (_, lie) => {
    const runtime = await survey();
    await settle(runtime);
    const { found: expected } = await lie(runtime);
    const { rows } = await runtime.database.execute('select max(log_index) as last from log_entries');
    const last = Number(rows[0]?.last);
    // Whatever is admitted next has the log sign it.
    await takeTicket(runtime.url, told.story.trials, 'to go on');
    await settle(runtime);
    const { found, text, status } = await audited({ url: runtime.url, ...known });
    expect(
      found.filter((one) => !/^(editions|statistics)$/.test(one)),
      text,
    ).toEqual(expected.map((check) => `${check} ${last}`));
    expect(status).toBe(1);
  });

  it('is found out by the next edition after its facts were changed', async () => {
    const runtime = await survey();
    await runtime.database.execute(
      "update facts set result = 'captured' where result = 'failed' and population = 'lab'",
    );
    const ticket = await takeTicket(runtime.url, told.story.trials, 'for the next edition');
    await report(runtime.url, told.story.trials, ticket, 'captured');
    await settle(runtime);
    const { found } = await audited({ url: runtime.url, ...known });
    expect(found).toEqual(['editions', 'statistics']);
  });

  it('is found out by the decision of a stranger, whom it obeys', async () => {
    const stranger = keyPair('a stranger');
    const runtime = await survey({ operators: [stranger.publicHex] });
    const vouched = decision(stranger, 'vouch', 'owner', keyPair('his friend').publicHex, {
      created_at: storyTime(),
    });
    const answer = await post(runtime.url, 'decision', vouched);
    await settle(runtime);
    const { found } = await audited({ url: runtime.url, ...known });
    expect(found).toEqual([`protocol ${indexOf(answer)}`]);
    const { found: none, report } = await audited({ url: runtime.url });
    expect(none).toEqual([]);
    expect(report.tally.notes().join()).toContain(stranger.publicHex);
  });
});

describe('with what was kept of an earlier run', () => {
  it('a withdrawal by who never owned the machine is found, and the earlier copy stays', async () => {
    const runtime = await survey();
    const keep = await directory();
    expect((await audited({ url: runtime.url, keep })).status).toBe(0);
    const { trials } = told.story;
    const stranger = keyPair('a stranger');
    const root = trials.key.publicHex;
    const { rows } = await runtime.database.execute(
      `select log_index from log_entries where machine = '${root}' and row is not null order by log_index`,
    );
    const entries = rows.map((row) => [Number(row.log_index), Number(row.log_index)] as [number, number]);
    const body = {
      version: '1.0',
      signer: stranger.publicHex,
      role: 'machine',
      key: root,
      created_at: storyTime(),
    };
    await slipIn(
      runtime.data,
      'withdraw',
      { role: 'machine', key: root, entries },
      await kept('withdraw', body, stranger),
    );
    await runtime.database.batch([
      `update log_entries set row = null, row_salt = null, envelope_salt = null, envelope_hash = null where machine = '${root}'`,
      `delete from facts where machine = '${root}'`,
    ]);
    await enrol(runtime.url, sampleMachine('bystander', sampleProfile('ahci')));
    await settle(runtime);
    // Without the copy nothing is left that shows whose data it was; the report says so.
    const alone = await audited({ url: runtime.url, ...known });
    expect(alone.found).toEqual([]);
    expect(alone.report.tally.notes().join()).toContain(
      `Nothing that is left shows that ${stranger.publicHex}`,
    );
    const compared = await audited({ url: runtime.url, ...known, keep });
    expect(compared.found, compared.text).toEqual([expect.stringMatching(/^withdrawals \d+$/)]);
    expect(compared.text).toContain(join(keep, 'next'));
    expect((await audited({ copy: keep })).found).toEqual([]);
    expect((await audited({ copy: join(keep, 'next') })).found).toEqual([]);
  });

  it('a withdrawal by the owner is in order', async () => {
    const runtime = await survey();
    const keep = await directory();
    await audited({ url: runtime.url, keep });
    const third = keyPair('third owner');
    const machine = sampleMachine('third', sampleProfile('megaraid_sas'), 'third owner').key.publicHex;
    expect(
      (await post(runtime.url, 'withdraw', withdrawal(third, 'machine', machine, storyTime()))).status,
    ).toBe(201);
    await settle(runtime);
    const { found, report } = await audited({ url: runtime.url, keep });
    expect(found).toEqual([]);
    expect(report.tally.notes().join()).not.toContain('Nothing that is left shows');
    expect((await audited({ copy: keep })).report.tally.notes().join()).toContain(
      'Nothing that is left shows',
    );
  });
});

describe('a survey that shows another history', () => {
  it('is found out by a receipt whose report it dropped', async () => {
    const before = await told.copy();
    const first = await survey();
    const ticket = await takeTicket(first.url, told.story.trials, 'to be dropped');
    const receipt = join(await directory(), 'receipt');
    await writeFile(receipt, (await report(first.url, told.story.trials, ticket, 'captured')).text);
    await settle(first);
    expect((await audited({ url: first.url, receipt: [receipt] })).status).toBe(0);
    const second = await survey({}, before);
    const early = await audited({ url: second.url, receipt: [receipt] }, { now: () => Date.now() });
    expect({ found: early.found, status: early.status }).toEqual({ found: [], status: 3 });
    expect(early.text).toContain('is not under a checkpoint yet');
    for (let i = 0; i < 3; i++) await takeTicket(second.url, told.story.trials, `instead ${i}`);
    await settle(second);
    const { found, text } = await audited({ url: second.url, receipt: [receipt] });
    // The receipt came with a checkpoint of before the report, which both histories have.
    expect(found, text).toEqual([expect.stringMatching(/^receipts \d+$/)]);
    expect(text).toContain('Your receipt and the checkpoint are the proof');
  });

  it('is found out by a state of before an old backup was restored', async () => {
    const before = await told.copy();
    const state = join(await directory(), 'state');
    const first = await survey();
    await takeTicket(first.url, told.story.trials, 'to be forgotten');
    await settle(first);
    expect((await audited({ url: first.url, state })).status).toBe(0);
    const remembered = await readFile(state, 'utf8');
    const second = await survey({}, before);
    const shorter = await audited({ url: second.url, state });
    expect(shorter.found).toEqual(['consistency']);
    expect(shorter.text).toMatch(/expected {2}at least the \d+ entries of your last run/);
    for (const name of ['one', 'two']) await takeTicket(second.url, told.story.trials, name);
    await settle(second);
    const longer = await audited({ url: second.url, state });
    expect(longer.found).toEqual(['consistency']);
    expect(longer.text).toContain('by the entries that are shown');
    expect(await readFile(state, 'utf8')).toBe(remembered);
  });

  it('is found out by two witnesses of which each was shown another one', async () => {
    const [here, there] = [
      await openWitness(await directory(), 'here'),
      await openWitness(await directory(), 'there'),
    ];
    ends.push(here.close, there.close);
    const second = await told.copy();
    const a = await survey({ witnesses: [`${here.vkey}=${here.url}`] });
    const b = await survey({ witnesses: [`${there.vkey}=${there.url}`] }, second);
    for (const { url } of [a, b]) await takeTicket(url, told.story.trials, url);
    await Promise.all([settle(a), settle(b)]);
    const trusted = {
      witness: [`${here.vkey}=${here.url}`, `${there.vkey}=${there.url}`],
      'witnesses-needed': '1',
    };
    for (const { url } of [a, b]) {
      const { found, text } = await audited({ url, ...known, ...trusted });
      expect(found, text).toEqual(['consistency']);
    }
    // One client with one witness sees nothing, which is why there are to be two.
    expect((await audited({ url: a.url, witness: [`${here.vkey}=${here.url}`] })).found).toEqual([]);
    const all = await audited({ url: a.url, ...trusted, 'witnesses-needed': '2' });
    expect(all.found).toEqual(['cosignatures', 'consistency']);
  });
});

describe('somebody between the survey and its reader', () => {
  it('is found out where he changes a figure', async () => {
    const { url: target } = await survey();
    const url = await proxied(target, (path, body) =>
      path.startsWith('/v1/statistics?by=driver&population=lab')
        ? Buffer.from(body.toString().replace(/"captured":(\d+)/, (_, n) => `"captured":${Number(n) + 1}`))
        : body,
    );
    const { found, text } = await audited({ url, ...known });
    expect(found).toEqual(['statistics']);
    expect(text).toMatch(/"captured":\d+/);
  });

  it('is found out where he leaves out a cell, or adds one of real machines', async () => {
    const { url: target } = await survey();
    const cell =
      '{"driver":"nvme","machines":9,"trials":9,"captured":0,"no_reply":0,"inconclusive":0,"estimate":0,"low":0,"high":0.3}';
    const url = await proxied(target, (path, body) => {
      const text = body.toString();
      if (path.includes('population=metal'))
        return Buffer.from(text.replace('"cells":[]', `"cells":[${cell}]`));
      return path.includes('by=mechanism')
        ? Buffer.from(text.replace(/"cells":\[.*?\]/, '"cells":[]'))
        : body;
    });
    const { report } = await audited({ url, ...known });
    expect(report.tally.findings().map(({ found }) => found)).toEqual([
      'no such cell',
      expect.stringContaining('"driver":"nvme"'),
    ]);
  });
});

describe('the command', () => {
  const cli = fileURLToPath(new URL('../../agent/cli.ts', import.meta.url));

  async function command(...args: string[]): Promise<{ status: number; out: string; errors: string }> {
    const child = spawn(process.execPath, [cli, 'verify', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, errors] = ['', ''].map(() => [] as string[]) as [string[], string[]];
    child.stdout.on('data', (chunk) => out.push(String(chunk)));
    child.stderr.on('data', (chunk) => errors.push(String(chunk)));
    const [status] = await once(child, 'close');
    return { status: Number(status), out: out.join(''), errors: errors.join('') };
  }

  it('prints a table, or JSON, and exits with 0', async () => {
    const { url } = await survey();
    const table = await command('--url', url);
    expect(table).toMatchObject({ status: 0, errors: '' });
    expect(table.out).toMatch(/^entries +\d+/m);
    const json = await command('--url', url, '--json', '--operator', operator.publicHex);
    expect(json).toMatchObject({ status: 0, errors: '' });
    expect(JSON.parse(json.out)).toMatchObject({
      result: 'ok',
      log: { key: log.verifierKey, key_on_first_use: true },
      checks: { editions: { rebuilt: 2, mismatch: 0 } },
      findings: [],
      notes: [],
      lacking: [],
    });
  });

  it('exits with 1 where something is wrong', async () => {
    const runtime = await survey();
    await manipulations['a row is changed, with a fitting salt']?.(runtime.database, runtime.data);
    const { status, out } = await command('--url', runtime.url);
    expect(status).toBe(1);
    expect(out).toContain('MISMATCH  rows, entry');
    expect(out).toContain('Run it again with --keep DIR');
  });

  it.each<[string, Values]>([
    ['a key that is none', { 'log-key': 'x' }],
    ["a witness' key for the log's", { witness: [log.verifierKey] }],
    ['more witnesses than are given', { 'witnesses-needed': '1' }],
    ['an address that is none', { url: 'survey' }],
    ['an operator that is none', { operator: ['me'] }],
    ['a copy and an address', { copy: 'x', url: 'http://127.0.0.1:1' }],
    ['an edition that is none', { edition: '0' }],
  ])('exits with 2 for %s', async (_, values) => {
    const said: string[] = [];
    const complain = (text: string) => said.push(text);
    expect(await run(values, { ...quietRim, complain })).toBe(2);
    expect(said).toEqual([expect.stringMatching(/--.*See dumpsurvey verify --help\.$/)]);
  });

  it('exits with 2 for an option that there is not', async () => {
    const { status, errors } = await command('--urll', 'x');
    expect(status).toBe(2);
    expect(errors).toContain("'--urll'");
  });

  it('exits with 3 where nobody answers, or a file is not there', async () => {
    const nobody = await command('--url', 'http://127.0.0.1:9', '--receipt', join(await directory(), 'none'));
    expect(nobody).toMatchObject({ status: 3 });
    expect(nobody.errors).toContain('cannot be read');
    const copy = await command('--copy', await directory());
    expect(copy.status).toBe(3);
    expect(copy.out).toContain('is not in this copy');
  });

  it('makes a copy that can be audited under the key that it was made under', async () => {
    const { url } = await survey();
    const keep = await directory();
    await audited({ url, ...known, keep });
    const { status, report } = await audited({ copy: keep });
    expect({ status, key: report.key }).toEqual({ status: 0, key: log.verifierKey });
  });

  it('takes no other log for that of the state', async () => {
    const { url } = await survey();
    const state = join(await directory(), 'state');
    await audited({ url, state });
    const other = 'dumps.example/log+99de6520+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c';
    expect((await command('--url', url, '--state', state, '--log-key', other)).status).toBe(2);
    await writeFile(state, '{}');
    const torn = await command('--url', url, '--state', state);
    expect(torn.status).toBe(3);
    expect(torn.errors).toContain('does not hold the state of an audit');
  });
});
