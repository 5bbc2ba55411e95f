/** A machine whose dumps go to another one, from its first report to the amended one, against the real server. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it, test } from 'vitest';
import { gatherEvidence } from '../../agent/metal/evidence/gather.ts';
import { metalPaths } from '../../agent/metal/state.ts';
import { listingText } from '../../agent/trial/listing-text.ts';
import { classify } from '../../schema/classify/classify.ts';
import type { Receipt, ReportBody, Ticket } from '../../schema/wire.ts';
import { forgery, listing } from '../fixtures/dumps/fixture.ts';
import { flatten, toKdump, withNonce } from '../fixtures/dumps/forge.ts';
import { crashTree } from '../fixtures/metal/crash-trees.ts';
import { admit, enrol, post, problemOf, shortly, takeTicket } from '../http/client.ts';
import { type Runtime, startRuntime } from '../http/runtimes.ts';
import { type SampleMachine, sampleMachine, sampleProfile, seal } from '../http/samples.ts';
import { type User, userAt } from './command-line.ts';

let runtime: Runtime;
let url: string;
beforeAll(async () => {
  runtime = await startRuntime('node');
  url = runtime.url;
});
afterAll(() => runtime.stop());

/** The first report of a real machine whose dump went over NFS. */
async function reportOf(machine: SampleMachine, ticket: Ticket): Promise<ReportBody> {
  const made = crashTree('debian');
  made.write('/etc/default/kdump-tools', 'USE_KDUMP=1\nNFS="server:/crash"\n');
  const armed_at = new Date(Date.now() - 60_000).toISOString();
  const evidence = await gatherEvidence({
    tree: made.tree,
    root: made.root,
    armed: {
      boot_id: 'a',
      armed_at,
      listing: { ...listing, nonce: ticket.nonce },
      watchdog: { present: false, timeout_ms: 0 },
      beacon: { kind: 'none' },
      crash_before: [],
    },
    bootId: 'b',
    nowMs: Date.now(),
  });
  rmSync(made.root, { recursive: true });
  return {
    ...machine.report(ticket, 'captured', Date.now(), { population: 'metal', emulator: null, armed_at }),
    version: '1.2',
    evidence: { ...evidence, after_reboot: evidence.after_reboot ?? null },
    outcome: classify(evidence, ticket.scenario, 'kdump'),
    amends: null,
  };
}

interface Trial {
  readonly machine: SampleMachine;
  readonly ticket: Ticket;
  readonly user: User;
  /** What the command line printed and left, in a file of that name. */
  readonly file: (name: string, contents: string | Uint8Array) => string;
}

/** A trial that was run and reported, as its machine's data directory has it. */
async function reported(name: string): Promise<Trial> {
  const machine = sampleMachine(name, { ...sampleProfile(), population: 'metal', lab_machine: null });
  await enrol(url, machine);
  const ticket = await takeTicket(url, machine, name);
  const user = userAt(url, machine);
  const envelope = seal('report', await reportOf(machine, ticket), machine.key);
  await admit<Receipt>(url, 'report', envelope);
  const file = (path: string, contents: string | Uint8Array) => {
    const at = join(user.data, path);
    mkdirSync(dirname(at), { recursive: true });
    writeFileSync(at, contents);
    return at;
  };
  file(`outbox/sent/${ticket.nonce}.json`, JSON.stringify(envelope));
  const arming = {
    step: 'arming',
    ordinal: 0,
    armed_at: new Date().toISOString(),
    sysctls: {},
    listing: listingText({ ...listing, nonce: ticket.nonce }),
  };
  file('metal/journal.jsonl', `${JSON.stringify(arming)}\n`);
  expect(metalPaths(user.data).journal).toBe(join(user.data, 'metal/journal.jsonl'));
  return { machine, ticket, user, file };
}

it('is verified by what the receiving side signs, and the survey derives the same', async () => {
  const { ticket, user, file } = await reported('sender');
  const trial = await user.run('verify-dump', '--export');
  expect([trial.code, trial.err]).toEqual([0, '']);
  const dump = file('crash/dump.202611241001', flatten(toKdump(withNonce(forgery, listing, ticket.nonce))));
  const receiver = userAt(url, {});
  const found = await receiver.run('verify-dump', dump, '--trial', file('trial.json', trial.out));
  expect([found.code, found.err]).toEqual([0, '']);
  const finding = file('finding.json', found.out);
  const dry = await user.run('verify-dump', '--attach', finding, '--dry-run');
  expect(readdirSync(join(user.data, 'outbox'))).toEqual(['sent']);
  expect(JSON.parse(dry.out)).toMatchObject({ payloadType: 'application/vnd.dumpsurvey.report.v1+json' });
  const attached = await user.run('verify-dump', '--attach', finding, '--json');
  expect(JSON.parse(attached.out)).toEqual({ nonce: ticket.nonce, result: 'captured', verdict: 'verified' });
  const sent = await user.run('submit');
  expect([sent.code, sent.err]).toEqual([0, '']);
  const { rows } = await runtime.database.execute({
    sql: 'select labels, outcome from reports where nonce = ? order by ordinal',
    args: [ticket.nonce],
  });
  expect(rows.map(({ labels }) => JSON.parse(String(labels)))).toEqual([[], ['amendment']]);
  expect(rows.map(({ outcome }) => JSON.parse(String(outcome)).verdict)).toEqual([
    'unverifiable',
    'verified',
  ]);
});

test('the survey refuses the word on another dump than was signed', async () => {
  const { machine, ticket, user, file } = await reported('liar');
  const trial = file('trial.json', (await user.run('verify-dump', '--export')).out);
  const found = await userAt(url, {}).run('verify-dump', file('zeros', Buffer.alloc(4096)), '--trial', trial);
  const first = JSON.parse(readFileSync(join(user.data, `outbox/sent/${ticket.nonce}.json`), 'utf8'));
  const body = JSON.parse(Buffer.from(first.payload, 'base64').toString());
  const dump = { ...machine.report(ticket, 'captured', 0).evidence.dump };
  const evidence = { ...body.evidence, dump };
  evidence.after_reboot.receiver = JSON.parse(found.out);
  const answer = await post(url, 'report', seal('report', { ...body, evidence }, machine.key));
  expect(shortly(answer)).toBe('422 invalid-payload');
  expect(problemOf(answer).detail).toContain('evidence.dump is not what the receiver found');
});

it.each<[string, string[], string]>([
  ['no trial', ['/dev/null'], 'Which trial is the dump of?'],
  ['no dump', [], 'What is to be judged?'],
  ['no finding', ['--attach', '/dev/null'], 'holds no signed envelope'],
  ['no such file', ['/dev/null', '--trial', '/none'], 'cannot be read: ENOENT'],
  ['no trial in the file', ['/dev/null', '--trial', '/dev/null'], 'dumpsurvey verify-dump --export'],
  ['no journal', ['--export'], 'cannot be read: ENOENT'],
])('%s: says what to do', async (_, args, words) => {
  const { code, out, err } = await userAt(url, {}).run('verify-dump', ...args);
  expect([code, out]).toEqual([3, '']);
  expect(err).toContain(words);
  expect(err).not.toContain('    at ');
});
