/** The commands as a user runs them, against the real server: what they send, what they keep, what the survey makes of it. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { keyPairOf } from '../../agent/link/keys.ts';
import { mailboxIn } from '../../agent/link/mailbox.ts';
import { outboxIn } from '../../agent/link/outbox.ts';
import { fromBase64, fromHex } from '../../schema/bytes.ts';
import type { Envelope } from '../../schema/envelope.ts';
import { enrol, eventually, get, post, takeTicket } from '../http/client.ts';
import { type Runtime, startRuntime } from '../http/runtimes.ts';
import {
  keyPair,
  rotation,
  type SampleMachine,
  sampleMachine,
  sampleProfile,
  seal,
} from '../http/samples.ts';
import { runScript, type User, userAt } from './command-line.ts';

let runtime: Runtime;
let url: string;
const users: User[] = [];
beforeAll(async () => {
  runtime = await startRuntime('node');
  url = runtime.url;
});
afterAll(() => runtime.stop());
afterEach(() => {
  for (const { data } of users.splice(0)) rmSync(data, { recursive: true });
});

let count = 0;
/** An enrolled machine of an owner of its own, or of the survey's, and the user who has its keys. */
async function volunteer(ownerName = `owner ${count}`): Promise<{ machine: SampleMachine; user: User }> {
  const machine = sampleMachine(`volunteer ${count++}`, sampleProfile(), ownerName);
  await enrol(url, machine);
  const user = userAt(url, machine);
  users.push(user);
  return { machine, user };
}

/** A report of the machine in the user's outbox. */
async function fillOutbox(user: User, machine: SampleMachine): Promise<void> {
  const ticket = await takeTicket(url, machine, `outbox ${count++}`);
  const body = machine.report(ticket, 'captured', Date.now());
  await (await outboxIn(join(user.data, 'outbox'))).put(ticket.nonce, seal('report', body, machine.key));
}

interface Shown {
  readonly address: string;
  readonly payload: string;
  readonly envelope: Envelope;
}

const payloadOf = (e: Envelope) => new TextDecoder().decode(fromBase64(e.payload));

/** The directory in which the user remembers the survey. */
const memoryOf = ({ data }: User) => join(data, 'surveys', readdirSync(join(data, 'surveys'))[0] ?? '');

async function logSize(): Promise<number> {
  return ((await get(url, '/v1/status')).json as { log_size: number }).log_size;
}

describe('every command that signs', () => {
  let careless: User;
  beforeAll(() => {
    careless = userAt(url, { key: keyPair('careless'), owner: keyPair('careless owner') });
  });
  afterAll(() => rmSync(careless.data, { recursive: true }));

  it.each<[string, string[], string, object]>([
    ['withdraw', ['withdraw'], '/v1/withdrawals', { role: 'machine' }],
    ['withdraw of an owner', ['withdraw', '--owner'], '/v1/withdrawals', { role: 'owner' }],
    [
      'invite',
      ['invite', keyPair('friend').publicHex],
      '/v1/invitations',
      { invited: keyPair('friend').publicHex },
    ],
    ['revoke', ['revoke', 'ab'.repeat(32), '--from-index', '3'], '/v1/revocations', { from_index: 3 }],
    ['rotate', ['rotate'], '/v1/rotations', { role: 'machine' }],
    ['rotate of an owner', ['rotate', '--owner'], '/v1/rotations', { role: 'owner' }],
  ])('%s shows with --dry-run what it would send, and sends nothing', async (_, args, path, body) => {
    const { user } = await volunteer();
    const before = await logSize();
    const { code, out, err } = await user.run(...args, '--dry-run', '--json');
    expect([code, err]).toEqual([0, '']);
    const shown = JSON.parse(out) as Shown;
    expect(shown.address).toBe(url + path);
    expect(payloadOf(shown.envelope)).toBe(shown.payload);
    expect(JSON.parse(shown.payload)).toMatchObject(body);
    const plain = await user.run(...args, '--dry-run');
    expect(plain.out).toMatch(/^POST http.*\n\nThe bytes that are signed:\n\{.*\}\n\nThe body:\n\{.*\}\n$/);
    expect(await logSize()).toBe(before);
  });

  it.each<[string[], number, RegExp]>([
    [['withdraw'], 2, /Aggregates that were published before cannot be recalled.*add --yes/s],
    [['withdraw', '--owner'], 2, /withdraws all data of owner.*add --yes/s],
    [['withdraw', '--machine', 'xyz'], 2, /64 hexadecimal digits/],
    [['withdraw', '--machine', 'ab'.repeat(32), '--owner'], 2, /without --owner/],
    [['revoke'], 2, /64 hexadecimal digits/],
    [['revoke', 'ab'.repeat(32)], 2, /for good.*add --yes/],
    [['revoke', 'ab'.repeat(32), '--from-index', '-1'], 2, /from-index/],
    [['invite'], 2, /64 hexadecimal digits/],
    [['invite', '00'.repeat(32)], 2, /a key that somebody holds/],
    [['invite', 'ab'.repeat(32), 'cd'.repeat(32)], 2, /takes one KEY/],
    [['rotate', 'ab'.repeat(32)], 2, /Unexpected argument/],
    [['withdraw', '--key', '/nowhere/at/all', '--yes'], 3, /There is no key in \/nowhere\/at\/all/],
    [['rotate', '--key', '/nowhere/at/all'], 3, /There is no key in \/nowhere\/at\/all/],
    [['status', '--log-key', 'hello', '--check'], 1, /is not a verifier key/],
    [['invite', keyPair('friend').publicHex, '--log-key', 'hello'], 3, /is not a verifier key/],
  ])('%j ends with %i and says why', async (args, status, message) => {
    const before = await logSize();
    const { code, out, err } = await careless.run(...args);
    expect(code, out + err).toBe(status);
    expect(out + err).toMatch(message);
    expect(await logSize()).toBe(before);
  });
});

describe('submit --dry-run', () => {
  it('shows what would be sent of a directory, byte for byte, and sends nothing', async () => {
    const { user, machine } = await volunteer();
    const stick = join(user.data, 'stick');
    const mailbox = await mailboxIn(stick);
    const ticket = await takeTicket(url, machine, `stick ${count++}`);
    const before = await logSize();
    const report = machine.report(ticket, 'captured', Date.now());
    await expect(mailbox.send('report', seal('report', report, machine.key))).rejects.toThrow('Carry it');
    const { code, out, err } = await user.run('submit', '--dry-run', '--import', stick);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/^report-[0-9a-f]{32}\.json\n/);
    expect(out).toContain(JSON.stringify(report));
    expect(await logSize()).toBe(before);
    expect(existsSync(join(stick, 'answers'))).toBe(false);
  });
});

describe('withdraw', () => {
  it('has the data of the machine deleted, keeps the receipt, and says so again', async () => {
    const { user, machine } = await volunteer();
    await fillOutbox(user, machine);
    const [, id = ''] = /report (\d+)/.exec((await user.run('submit')).out) ?? [];
    expect((await get(url, `/v1/reports/${id}`)).status).toBe(200);
    const { code, out, err } = await user.run('withdraw', '--yes');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/All data of machine [0-9a-f]{64} was withdrawn\.\nIt is entry \d+ of the log/);
    expect((await get(url, `/v1/reports/${id}`)).status).toBe(410);
    const [receipt = ''] = readdirSync(join(memoryOf(user), 'receipts'));
    const kept = JSON.parse(readFileSync(join(memoryOf(user), 'receipts', receipt), 'utf8')) as {
      request: Envelope;
      receipt: { log_index: number };
    };
    expect(receipt).toBe(`withdraw-${kept.receipt.log_index}.json`);
    expect(JSON.parse(payloadOf(kept.request))).toMatchObject({ key: machine.key.publicHex });
    const again = await user.run('withdraw', '--yes');
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('withdrawn already') });
  });

  it('of an owner covers all machines, and of one machine by its owner only that', async () => {
    const one = await volunteer('two machines');
    const two = await volunteer('two machines');
    const other = two.machine.key.publicHex;
    expect((await one.user.run('withdraw', '--machine', other, '--yes')).code).toBe(0);
    const enrolAgain = (machine: SampleMachine) =>
      post(url, 'enrol', seal('enrol', machine.enrol(), machine.key));
    expect((await enrolAgain(two.machine)).status).toBe(410);
    expect((await enrolAgain(one.machine)).status).toBe(200);
    expect((await one.user.run('withdraw', '--owner', '--yes')).code).toBe(0);
    expect((await enrolAgain(one.machine)).status).toBe(410);
  });

  it('is refused where nothing is known of the machine', async () => {
    const user = userAt(url, { key: keyPair('never enrolled') });
    users.push(user);
    const { code, err } = await user.run('withdraw', '--yes');
    expect(code).toBe(1);
    expect(err).toMatch(/^Refused: .*unknown-machine.*Enrol it first/);
  });
});

describe('invite', () => {
  it('vouches for another owner, where the owner is trusted, and is refused where not', async () => {
    const friend = await volunteer();
    const trusted = await volunteer('owner');
    const { code, out } = await trusted.user.run('invite', friend.machine.owner.publicHex, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      invited: friend.machine.owner.publicHex,
      log_index: expect.any(Number),
      admitted_at: expect.any(String),
      merge_by: expect.any(String),
    });
    const stranger = await volunteer();
    const refused = await stranger.user.run('invite', keyPair('anybody').publicHex);
    expect(refused.code).toBe(1);
    expect(refused.err).toMatch(/not-trusted/);
  });
});

describe('revoke', () => {
  it('takes the trust in a machine back from the newest checkpoint on, or from an index', async () => {
    const { user, machine } = await volunteer();
    const { code, out } = await user.run('revoke', machine.key.publicHex, '--yes');
    expect(code).toBe(0);
    expect(out).toMatch(/^Reports of machine [0-9a-f]{64} from entry \d+ on do not count\./);
    const refused = await user.run('rotate');
    expect(refused.err).toMatch(/revoked-key/);
    expect((await user.run('revoke', machine.owner.publicHex, '--from-index', '0', '--yes')).out).toMatch(
      /^Reports of owner [0-9a-f]{64} from entry 0 on/,
    );
  });
});

describe('rotate', () => {
  /** What the survey has of a chain: the rotation's entry, once. */
  async function rotations(): Promise<number> {
    const { rows } = await runtime.database.execute("select count(*) from log_entries where kind = 'rotate'");
    return Number(rows[0]?.[0]);
  }
  const nameIn = (path: string) => keyPairOf(fromHex(readFileSync(path, 'utf8').trim())).name;

  it.each(['machine', 'owner'] as const)(
    'replaces the key of the %s, and the new one works',
    async (role) => {
      const { user, machine } = await volunteer();
      const path = role === 'owner' ? user.ownerPath : user.keyPath;
      const old = nameIn(path);
      const { code, out, err } = await user.run('rotate', ...(role === 'owner' ? ['--owner'] : []));
      expect([code, err]).toEqual([0, '']);
      expect(out).toContain(`Key ${old} was replaced by ${nameIn(path)}`);
      expect(nameIn(`${path}.before-${old.slice(0, 8)}`)).toBe(old);
      // Withdrawing needs the current key of the chain.
      expect((await user.run('withdraw', ...(role === 'owner' ? ['--owner'] : []), '--yes')).code).toBe(0);
      expect((await post(url, 'enrol', seal('enrol', machine.enrol(), machine.key))).status).toBe(410);
    },
  );

  it.each(['next key made', 'request written', 'accepted', 'old key kept', 'key replaced'])(
    'killed after “%s”, is ended by the next run, and was one rotation',
    async (step) => {
      const { user } = await volunteer();
      const old = nameIn(user.keyPath);
      const before = await rotations();
      const killed = await runScript('test/agent/rotate-and-die.ts', [user.keyPath, url, step], {});
      expect(killed.signal, killed.err).toBe('SIGKILL');
      const { code, err } = await user.run('rotate');
      expect([code, err]).toEqual([0, '']);
      const name = nameIn(user.keyPath);
      expect(name).not.toBe(old);
      expect(readdirSync(join(user.data, 'keys')).sort()).toEqual([
        'machine.key',
        `machine.key.before-${old.slice(0, 8)}`,
        'owner.key',
      ]);
      expect(await rotations()).toBe(before + 1);
      const { rows } = await runtime.database.execute({
        sql: 'select successor from machines where machine = ?',
        args: [old],
      });
      expect(rows[0]?.successor).toBe(name);
    },
  );

  it('sends exactly what --dry-run showed', async () => {
    const { user } = await volunteer();
    const shown = JSON.parse((await user.run('rotate', '--dry-run', '--json')).out) as Shown;
    expect((await user.run('rotate')).code).toBe(0);
    const [receipt = ''] = readdirSync(join(memoryOf(user), 'receipts'));
    const { request } = JSON.parse(readFileSync(join(memoryOf(user), 'receipts', receipt), 'utf8')) as {
      request: Envelope;
    };
    expect(request).toEqual(shown.envelope);
  });

  it('of a key that was rotated from elsewhere is refused, and the key stays', async () => {
    const { user, machine } = await volunteer();
    await post(url, 'rotate', rotation('machine', machine.key, keyPair(`thief ${count}`)));
    const { code, err } = await user.run('rotate');
    expect(code).toBe(1);
    expect(err).toMatch(/rotated-key/);
    expect(nameIn(user.keyPath)).toBe(machine.key.publicHex);
    expect(existsSync(`${user.keyPath}.rotation`)).toBe(false);
  });
});

describe('status', () => {
  it('says what is remembered of the log, and with --check that it keeps its promises', async () => {
    const { user, machine } = await volunteer();
    const nothing = await user.run('status');
    expect(nothing.out).toMatch(/^Log {7}no key is pinned/m);
    await fillOutbox(user, machine);
    await fillOutbox(user, machine);
    expect((await user.run('submit')).code).toBe(0);
    await user.run('invite', keyPair('anybody').publicHex);
    // The checkpoint that comes with a receipt is older than its entry; a moment later there is a newer one.
    await eventually(runtime, async () => {
      const { out } = await user.run('status', '--check', '--json');
      return (JSON.parse(out) as { check: { counts: { pending: number } } }).check.counts.pending === 0;
    });
    const { code, out } = await user.run('status', '--check', '--json');
    expect(code).toBe(0);
    const said = JSON.parse(out) as { log: object; check: { size: number }; outbox: object };
    expect(said.outbox).toEqual({ waiting: 0, sent: 2, refused: 0 });
    expect(said.log).toMatchObject({
      origin: 'survey.test/log',
      pinned: { how: 'first-use' },
      size_held: said.check.size,
      stopped: null,
      evidence: [],
    });
    expect(said.check).toMatchObject({
      counts: { included: 2, pending: 0, overdue: 0, broken: 0, unproven: 0 },
      faults: [],
      others: 0,
    });
    const plain = (await user.run('status', '--check')).out;
    expect(plain).toMatch(/^Log {7}survey\.test\/log, \d+ entries held; its key was believed on first use/m);
    expect(plain).toMatch(/^Check {5}\d+ entries, consistent.*\n {10}2 included: the tree has/m);
  });

  it('says why there is no check where the survey cannot be reached, without a stack trace', async () => {
    const user = userAt('http://127.0.0.1:9', { key: keyPair('alone') });
    users.push(user);
    const { code, out, err } = await user.run('status', '--check');
    expect([code, err]).toEqual([1, '']);
    expect(out).toMatch(/^Check {5}failed: http:\/\/127\.0\.0\.1:9\/v1: fetch failed.*Try again later\.$/m);
  }, 60_000);

  it('takes the log’s key from whoever gives it, and says where it came from', async () => {
    const { user, machine } = await volunteer();
    await fillOutbox(user, machine);
    const { log } = (await get(url, '/v1')).json as { log: { verifier_key: string } };
    expect((await user.run('submit', '--log-key', log.verifier_key)).code).toBe(0);
    expect((await user.run('status')).out).toContain('its key was given');
  });
});
