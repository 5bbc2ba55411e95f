/** The agent against surveys that lie, over HTTP: nothing of a lie is taken, nothing more is sent, the proof is kept. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { apiAt, Unreachable, Unusable } from '../../agent/link/api.ts';
import { keyPairOf } from '../../agent/link/keys.ts';
import { surveyLog } from '../../agent/link/log.ts';
import { LogFault, type LogFaultKind } from '../../agent/link/log-fault.ts';
import { logMemoryIn } from '../../agent/link/log-memory.ts';
import { outboxIn } from '../../agent/link/outbox.ts';
import { sign } from '../../agent/link/sign.ts';
import { checkedSurvey } from '../../agent/link/survey-api.ts';
import { utf8 } from '../../schema/bytes.ts';
import type { Envelope } from '../../schema/envelope.ts';
import type { Receipt } from '../../schema/wire.ts';
import { keyPair } from '../http/samples.ts';
import { type User, userAt } from './command-line.ts';
import { type SampleLog, sampleLog } from './sample-log.ts';
import { type HostileServer, type Instead, serveLog, silence } from './serve-log.ts';

const machine = keyPairOf(new Uint8Array(32).fill(1));
const entries = (count: number, what = 'entry') => Array.from({ length: count }, (_, i) => `${what} ${i}`);
const nonce = (n: number) => n.toString(16).padStart(32, '0');
const reportOf = (n: number) => sign('report', utf8(JSON.stringify({ report: n })), machine);

let log: SampleLog;
let server: HostileServer;
let user: User;
beforeEach(async () => {
  log = await sampleLog(7, entries(5));
  server = await serveLog(log);
  user = userAt(server.url, { key: keyPair('victim'), owner: keyPair('victim owner') });
});
afterEach(async () => {
  await server.stop();
  rmSync(user.data, { recursive: true });
});

const memory = () => logMemoryIn(join(user.data, 'memory'));

/** The agent's side, as one process has it. */
function agent(patienceMs = 0, requestTimeoutMs = 300) {
  let ms = 0;
  const sleep = async (pauseMs: number) => {
    ms += pauseMs;
  };
  const api = apiAt(server.url, { sleep, patienceMs, now: () => ms, requestTimeoutMs });
  const survey = checkedSurvey(
    api,
    surveyLog({ memory: memory(), reads: api, givenKey: null, now: Date.now }),
  );
  return {
    survey,
    send: async (n: number) => {
      const outbox = await outboxIn(join(user.data, 'outbox'));
      await outbox.put(nonce(n), reportOf(n));
      return outbox.flush(survey.report);
    },
  };
}

const outbox = async () => (await outboxIn(join(user.data, 'outbox'))).count();
const held = async () => (await memory().held()).map(({ size }) => size);

/** Two honest reports, so that there is something to lie about. */
async function trust(): Promise<void> {
  for (const n of [1, 2]) expect(await agent().send(n)).toMatchObject([{ receipt: {} }]);
  expect(await held()).toEqual([6]);
}

async function errorOf(doing: Promise<unknown>): Promise<Error> {
  const error = await doing.then(
    () => null,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(Error);
  return error as Error;
}

it('an honest survey is believed, and whole receipts lie beside the reports', async () => {
  await trust();
  const sent = join(user.data, 'outbox/sent');
  for (const n of [1, 2]) {
    const receipt = JSON.parse(readFileSync(join(sent, `${nonce(n)}.note`), 'utf8')) as Receipt;
    expect(Object.keys(receipt).sort()).toEqual(
      [
        'report_id',
        'log_index',
        'admitted_at',
        'entry',
        'row',
        'row_salt',
        'envelope_salt',
        'promise',
        'checkpoint',
      ].sort(),
    );
  }
  expect(await memory().evidence()).toEqual([]);
});

type Lie = readonly [
  what: string,
  path: string,
  lie: (log: SampleLog) => Instead,
  kind: LogFaultKind,
  files: readonly string[],
];

/** The answer to a report with something else in it. */
const answerWith =
  (change: (receipt: Receipt, log: SampleLog) => Promise<Partial<Receipt>>) =>
  (of: SampleLog): Instead =>
  async (honest) => {
    const receipt = (await honest()) as Receipt;
    return { ...receipt, ...(await change(receipt, of)) };
  };

const promiseText = (promise: Envelope) => Buffer.from(promise.payload, 'base64').toString();

describe('a survey that lies', () => {
  it.each<Lie>([
    [
      'with a promise that another key signed',
      '/v1/reports',
      answerWith(async ({ promise }) => ({
        promise: await (await sampleLog(8)).signText(promiseText(promise)),
      })),
      'mismatch',
      ['answer.json', 'request.json'],
    ],
    [
      'with a promise whose signature is not that of its bytes',
      '/v1/reports',
      answerWith(async ({ promise }, of) => {
        const { signatures } = await of.signText('{}');
        return { promise: { ...promise, signatures } };
      }),
      'mismatch',
      ['answer.json', 'request.json'],
    ],
    [
      'with a promise for another entry',
      '/v1/reports',
      answerWith(async (_, of) => ({ promise: (await of.admit('report', reportOf(99))).promise })),
      'mismatch',
      ['answer.json', 'request.json'],
    ],
    [
      'with the whole receipt of another report',
      '/v1/reports',
      (of) => async () => {
        const answer = await of.admit('report', reportOf(99));
        return { report_id: String(answer.log_index), ...answer };
      },
      'mismatch',
      ['answer.json', 'request.json'],
    ],
    [
      'with the checkpoint of another log',
      '/v1/reports',
      answerWith(async () => ({ checkpoint: await (await sampleLog(8, entries(9))).checkpoint() })),
      'unsigned',
      ['shown.checkpoint'],
    ],
    [
      'with a checkpoint that is no note',
      '/v1/reports',
      answerWith(async () => ({ checkpoint: 'x'.repeat(20_000) })),
      'unsigned',
      ['shown.checkpoint'],
    ],
    [
      'with a checkpoint of another root at the size that is held',
      '/v1/reports',
      answerWith(async () => ({ checkpoint: await (await sampleLog(7, entries(6, 'other'))).checkpoint() })),
      'forked',
      ['held.checkpoint', 'proof.txt', 'shown.checkpoint'],
    ],
    [
      'with a larger tree of another history',
      '/v1/reports',
      answerWith(async () => ({ checkpoint: await (await sampleLog(7, entries(9, 'other'))).checkpoint() })),
      'unproven',
      ['held.checkpoint', 'proof.txt', 'shown.checkpoint'],
    ],
    [
      'with a proof of nonsense',
      '/log/consistency',
      () => async (_, search) => ({
        from: Number(search.get('from')),
        to: Number(search.get('to')),
        proof: [Buffer.alloc(32, 9).toString('base64')],
      }),
      'unproven',
      ['held.checkpoint', 'proof.txt', 'shown.checkpoint'],
    ],
    [
      'with a proof that is none',
      '/log/consistency',
      () => async () => ({ proof: 'trust me' }),
      'unproven',
      ['held.checkpoint', 'proof.txt', 'shown.checkpoint'],
    ],
    [
      'with no proof at all',
      '/log/consistency',
      () => async () => null,
      'unproven',
      ['held.checkpoint', 'proof.txt', 'shown.checkpoint'],
    ],
  ])('%s is found out: the report waits, and the evidence is kept', async (_, path, lie, kind, files) => {
    await trust();
    server.set(path, lie(log));
    const lied = agent();
    const error = (await errorOf(lied.send(3))) as LogFault;
    expect(error).toBeInstanceOf(LogFault);
    expect(error.kind, error.message).toBe(kind);
    expect(await outbox()).toEqual({ waiting: 1, sent: 2, refused: 0 });
    expect(await held()).toEqual([6]);
    const [evidence = ''] = await memory().evidence();
    expect(error.message).toContain(evidence);
    expect(readdirSync(join(memory().dir, 'evidence', evidence)).sort()).toEqual(files);

    // Nothing more is sent: the server hears nothing of the next report.
    const heard = server.asked.length;
    expect(await errorOf(lied.send(4))).toBe(error);
    expect(server.asked.length).toBe(heard);

    // Once the survey is honest again, the next run goes on, but for what can never be undone.
    server.set(path, null);
    if (kind === 'forked') {
      expect(await errorOf(agent().send(5))).toMatchObject({ kind: 'stopped' });
      expect(server.asked.length).toBe(heard);
    } else {
      await agent().send(5);
      expect(await outbox()).toEqual({ waiting: 0, sent: 5, refused: 0 });
    }
  });

  it('by shrinking is found out, and believed again when it is whole', async () => {
    await trust();
    server.show(await sampleLog(7, entries(3)));
    const error = (await errorOf(agent().send(3))) as LogFault;
    expect(error.kind, error.message).toBe('shrunk');
    expect(error.message).toMatch(/shows 3 entries, and has signed 6/);
    expect(await outbox()).toMatchObject({ waiting: 1 });
    server.show(log);
    await agent().send(3);
    expect(await outbox()).toMatchObject({ waiting: 0, sent: 3 });
  });

  it('about the key of its log is found out by whoever was given the key', async () => {
    const other = await sampleLog(8);
    server.set('/v1', () => other.index());
    const { code, err } = await user.run('invite', machine.name, '--log-key', log.verifierKey);
    // The sample takes no invitations: what matters is that the key was not the survey's to say.
    expect([code, err]).toEqual([1, expect.stringContaining('not-found')]);
    expect((await user.run('status')).out).toContain('its key was given');
  });
});

describe('a survey that answers too much, or never', () => {
  it.each<[string, Instead]>([
    [
      'a checkpoint of megabytes',
      async (honest) => ({ ...((await honest()) as Receipt), checkpoint: 'x'.repeat(5 << 20) }),
    ],
    [
      'a checkpoint of too many bytes',
      async (honest) => ({ ...((await honest()) as Receipt), checkpoint: 'x'.repeat(20_001) }),
    ],
    ['megabytes of nothing', async () => 'x'.repeat(20 << 20)],
  ])('%s is not as agreed: the report waits, and nothing is held against the log', async (_, instead) => {
    await trust();
    server.set('/v1/reports', instead);
    expect(await errorOf(agent(60_000, 10_000).send(3))).toBeInstanceOf(Unusable);
    expect(await outbox()).toMatchObject({ waiting: 1 });
    expect(await memory().evidence()).toEqual([]);
    server.set('/v1/reports', null);
    await agent().send(3);
    expect(await outbox()).toMatchObject({ waiting: 0 });
  });

  it.each(['/v1', '/v1/reports', '/log/consistency'])(
    'that never answers at %s is no contradiction: the report waits',
    async (path) => {
      if (path !== '/v1') await trust();
      server.set(path, () => silence);
      expect(await errorOf(agent().send(3))).toBeInstanceOf(Unreachable);
      expect(await outbox()).toMatchObject({ waiting: 1 });
      expect(await memory().evidence()).toEqual([]);
      server.set(path, null);
      await agent().send(3);
      expect(await outbox()).toMatchObject({ waiting: 0 });
    },
  );
});

describe('status --check', () => {
  const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
  const run = async () => {
    const { code, out } = await user.run('status', '--check', '--json');
    const { check, log: remembered } = JSON.parse(out) as {
      check: { counts: Record<string, number>; faults: { standing: string; log_index: number }[] };
      log: { stopped: string | null };
    };
    return { code, check, remembered };
  };
  const put = async () => (await outboxIn(join(user.data, 'outbox'))).put(nonce(1), reportOf(1));

  it('finds a promise whose time is over, and says which', async () => {
    server.set('/v1/reports', async () => {
      const admitted_at = ago(600_000);
      const answer = await log.admit('report', reportOf(1), {
        entry: { admitted_at },
        promise: { merge_by: ago(300_000) },
        answer: { admitted_at },
      });
      return { report_id: String(answer.log_index), ...answer };
    });
    await put();
    expect((await user.run('submit')).code).toBe(0);
    server.set('/log/checkpoint', () => log.checkpoint(5));
    const late = await run();
    expect(late.code).toBe(1);
    expect(late.check.counts).toMatchObject({ overdue: 1, included: 0 });
    expect(late.check.faults).toMatchObject([{ standing: 'overdue', log_index: 5 }]);
    expect((await user.run('status', '--check')).out).toMatch(
      /overdue: entry 5, promised for 20.*sent\/0+1\.note/,
    );
    server.set('/log/checkpoint', null);
    expect(await run()).toMatchObject({
      code: 0,
      check: { counts: { included: 1, overdue: 0 }, faults: [] },
    });
  });

  it('finds a promise that is broken by the log’s own signed tree, keeps it, and stops', async () => {
    await put();
    expect((await user.run('submit')).code).toBe(0);
    log.texts[5] = 'something else';
    log.append('more');
    const { code, err } = await user.run('status', '--check');
    expect(code).toBe(1);
    expect(err).toMatch(/^LogFault: The receipt .*note is of entry 5\. The log signed a promise/);
    await put();
    expect((await user.run('status')).out).toMatch(/STOPPED: The receipt/);
    const [dir = ''] = readdirSync(join(user.data, 'surveys'));
    const [evidence = ''] = readdirSync(join(user.data, 'surveys', dir, 'evidence'));
    expect(readdirSync(join(user.data, 'surveys', dir, 'evidence', evidence)).sort()).toEqual([
      'promise.json',
      'shown.checkpoint',
    ]);
    expect((await user.run('submit')).code).toBe(0); // Nothing waits: nothing is to be sent.
    expect((await user.run('withdraw', '--yes')).err).toMatch(/^LogFault: The receipt/);
  });

  it('does not take tiles of nonsense for a proof of anything', async () => {
    await put();
    await user.run('submit');
    server.set('/log/tile/0/000.p/6', async () => new Uint8Array(6 * 32));
    const { code, check } = await run();
    expect(code).toBe(1);
    expect(check.counts).toMatchObject({ unproven: 1, broken: 0 });
  });

  it('counts receipts of another log apart', async () => {
    await put();
    await user.run('submit');
    const other = await sampleLog(9, entries(3));
    const elsewhere = await serveLog(other);
    const { code, out } = await user.run('status', '--check', '--json', '--url', elsewhere.url);
    await elsewhere.stop();
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ check: { others: 1, counts: { included: 0 } } });
  });
});
