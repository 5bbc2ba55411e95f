/** Withdrawals: what goes, what stays, who may, and that nothing slips in meanwhile; the same on every runtime. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EditionAnswer } from '../../schema/answer/edition.ts';
import { fromBase64, fromHex, utf8 } from '../../schema/bytes.ts';
import type { Envelope } from '../../schema/envelope.ts';
import { rows, type WithdrawRow } from '../../schema/log/row.ts';
import type { EntryAnswer, MachineAnswer, Ticket } from '../../schema/wire.ts';
import {
  type Answer,
  admit,
  cellOf,
  enrol,
  get,
  labelsOf,
  lasting,
  post,
  raced,
  rowCounts,
  runTrial,
  settled,
  shortly,
  takeTicket,
  takeTickets,
} from './client.ts';
import { isProven, type ReadEntry, readLog } from './log-reader.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import {
  invitation,
  keyPair,
  requestId,
  revocation,
  rotation,
  type SampleMachine,
  sampleMachine,
  sampleProfile,
  seal,
  simpleScenario,
  withdrawal,
} from './samples.ts';

const operator = keyPair('operator');
const driverOf = (who: string) => who.replaceAll(' ', '_');

/** Public keys of the chain's machines and their nonces: which entries are about them, by what the rows say. */
function aboutMachine(log: readonly ReadEntry[], keys: ReadonlySet<string>): number[] {
  const nonces = new Set<string>();
  const found: number[] = [];
  for (const { log_index, entry, row } of log) {
    const { kind } = JSON.parse(entry) as { kind: keyof typeof rows };
    if (row === null || kind === 'withdraw' || kind === 'revoke' || kind === 'decision') continue;
    const said = JSON.parse(row) as Record<string, unknown>;
    if (kind === 'ticket' && keys.has(String(said.machine))) nonces.add(String(said.nonce));
    const isAbout = ['machine', 'key'].some((field) => keys.has(String(said[field])));
    if (isAbout || nonces.has(String(said.nonce))) found.push(log_index);
  }
  return found;
}

/** Ranges as a list of indices. */
function expanded(ranges: WithdrawRow['entries']): number[] {
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
}

function tombstoneOf(answer: EntryAnswer): WithdrawRow {
  return rows.withdraw.parse(JSON.parse(answer.row));
}

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  let url: string;
  beforeAll(async () => {
    runtime = await startRuntime(name, {
      operators: [operator.publicHex],
      referenceOwners: ['owner', 'leaving owner', 'other owner', 'crowd owner'].map(
        (who) => keyPair(who).publicHex,
      ),
    });
    ({ url } = runtime);
  });
  afterAll(() => runtime.stop());

  async function enrolled(who: string, ownerName = 'owner'): Promise<SampleMachine> {
    const machine = sampleMachine(who, sampleProfile(driverOf(who)), ownerName);
    await enrol(url, machine);
    return machine;
  }
  const armedOn = (machine: SampleMachine, ticket: Ticket) =>
    seal('armed', machine.armed(ticket, Date.now()), machine.key);
  const reportOn = (machine: SampleMachine, ticket: Ticket) =>
    seal('report', machine.report(ticket, 'captured', Date.now()), machine.key);
  const requestOf = (machine: SampleMachine, request: string, count = 1) =>
    seal('tickets', machine.tickets(requestId(request), Array(count).fill(simpleScenario)), machine.key);

  /** What of a machine, or of all machines of an owner, is still in the store: nothing, once it was withdrawn. */
  async function remains(column: 'machine' | 'owner', root: string): Promise<Record<string, number>> {
    const mine = `select nonce from tickets where ${column === 'machine' ? 'root' : 'owner'} = :root`;
    const keys = `select machine from machines where ${column === 'machine' ? 'root' : 'owner'} = :root`;
    const counts = {
      contents: `select count(*) as n from log_entries where ${column} = :root
        and (row is not null or row_salt is not null or envelope_salt is not null or envelope_hash is not null)`,
      tickets: `select count(*) as n from (${mine})`,
      armed: `select count(*) as n from armed_notes where nonce in (${mine})`,
      reports: `select count(*) as n from reports where machine in (${keys})`,
      profiles: `select count(*) as n from profiles where machine in (${keys})`,
      envelopes: `select count(*) as n from envelopes where kind <> 'withdraw' and key in (${keys})`,
      facts: `select count(*) as n from facts where ${column} = :root`,
      living: `select count(*) as n from machines where ${column === 'machine' ? 'root' : 'owner'} = :root
        and withdrawn_index is null`,
    };
    const found: Record<string, number> = {};
    for (const [what, sql] of Object.entries(counts)) {
      const { rows: counted } = await runtime.database.execute({ sql, args: { root } });
      if (Number(counted[0]?.n) > 0) found[what] = Number(counted[0]?.n);
    }
    return found;
  }

  describe('of a machine by itself', () => {
    let machine: SampleMachine;
    let next: SampleMachine;
    let before: ReadEntry[];
    let mine: number[];
    let envelope: Envelope;
    let answer: EntryAnswer;
    let editionBefore: number;
    let manifestBefore: EditionAnswer;
    let reportId: string;
    let open: Ticket;

    beforeAll(async () => {
      machine = await enrolled('leaving');
      const bystander = await enrolled('staying');
      const { receipt } = await runTrial(url, machine, 'leaving 1', 'captured');
      reportId = receipt.report_id;
      await runTrial(url, bystander, 'staying 1', 'captured');
      const silent = await takeTicket(url, machine, 'leaving 2');
      await admit(url, 'armed', armedOn(machine, silent));
      await enrol(url, sampleMachine('leaving', sampleProfile('leaving', { memory_mib: 1024 })));
      next = sampleMachine('leaving on', sampleProfile('leaving'));
      await admit(url, 'rotate', rotation('machine', machine.key, next.key));
      await runTrial(url, bystander, 'staying 2', 'captured');
      await runTrial(url, next, 'leaving 3', 'device');
      open = await takeTicket(url, next, 'leaving 4');
      editionBefore = await settled(runtime);
      manifestBefore = (await get(url, `/v1/editions/${editionBefore}`)).json as EditionAnswer;
      before = await readLog(url);
      mine = aboutMachine(before, new Set([machine.key.publicHex, next.key.publicHex]));
      envelope = withdrawal(next.key, 'machine', next.key.publicHex);
      answer = await admit(url, 'withdraw', envelope);
    });

    it('names in its tombstone exactly the entries about the machine, under all its keys', () => {
      expect(mine.length).toBeGreaterThan(8);
      const { role, key, entries } = tombstoneOf(answer);
      expect([role, key]).toEqual(['machine', next.key.publicHex]);
      expect(expanded(entries)).toEqual(mine);
      // As few ranges as there can be, ascending.
      for (const [i, [from, to]] of entries.entries()) {
        expect(from).toBeLessThanOrEqual(to);
        if (i > 0) expect(from).toBeGreaterThan((entries[i - 1]?.[1] ?? 0) + 1);
      }
    });

    it('leaves rows and envelopes of these entries null, and all others as they were', async () => {
      await settled(runtime);
      const after = await readLog(url);
      for (const was of before) {
        const is = after[was.log_index];
        const isGone = mine.includes(was.log_index);
        const gone = { ...was, row: null, row_salt: null, envelope: null, envelope_salt: null };
        expect(is).toEqual(isGone ? gone : was);
      }
    });

    it('leaves entries and tree: each is still proven', async () => {
      for (const index of mine)
        expect([index, await isProven(url, index, before[index]?.entry ?? '')]).toEqual([index, true]);
    });

    it('shows its report as 410 withdrawn-contents', async () => {
      for (const path of [`/v1/reports/${reportId}`, `/v1/reports/${reportId}.json`, `/reports/${reportId}`])
        expect(shortly(await get(url, path))).toBe('410 withdrawn-contents');
      const { reports } = (await get(url, '/v1/reports')).json as { reports: { report_id: string }[] };
      expect(reports.map(({ report_id }) => report_id)).not.toContain(reportId);
    });

    it('takes its trials out of the next edition, and nobody else’s', async () => {
      expect(await cellOf(runtime, 'leaving')).toBeNull();
      expect(await cellOf(runtime, 'staying')).toMatchObject({ trials: 2, captured: 2 });
      expect(await settled(runtime)).toBeGreaterThan(editionBefore);
    });

    it('leaves the manifests of earlier editions, which say how much they lack', async () => {
      const was = manifestBefore;
      const { json } = await get(url, `/v1/editions/${editionBefore}`);
      const covered = mine.filter((index) => index < was.log_size).length;
      expect(json).toEqual({ ...was, withdrawn: covered });
      const newest = (await get(url, `/v1/editions/${await settled(runtime)}`)).json as EditionAnswer;
      // It was made without them, so it can be made again.
      expect(newest.withdrawn).toBe(0);
      expect((await get(url, '/v1/editions/1')).json).toMatchObject({ withdrawn: 0 });
    });

    it('leaves nothing in the store', async () => {
      expect(await remains('machine', machine.key.publicHex)).toEqual({});
    });

    it('is admitted once', async () => {
      const again = await post(url, 'withdraw', envelope);
      const { checkpoint: _, ...first } = answer;
      expect([again.status, lasting(again)]).toEqual([200, first]);
      const another = withdrawal(next.key, 'machine', machine.key.publicHex);
      expect(shortly(await post(url, 'withdraw', another))).toBe('410 withdrawn-key');
    });

    it('ends the keys: nothing more is taken of them', async () => {
      const count = await rowCounts(runtime);
      const refused: [string, Promise<Answer>][] = [
        ['enrol', post(url, 'enrol', seal('enrol', machine.enrol(), machine.key))],
        ['enrol', post(url, 'enrol', seal('enrol', next.enrol(), next.key))],
        ['tickets', post(url, 'tickets', requestOf(next, 'leaving 4'))],
        ['tickets', post(url, 'tickets', requestOf(next, 'leaving 5'))],
        ['armed', post(url, 'armed', armedOn(next, open))],
        ['report', post(url, 'report', reportOn(next, open))],
        ['rotate', post(url, 'rotate', rotation('machine', next.key, keyPair('leaving for ever')))],
        ['withdraw', post(url, 'withdraw', withdrawal(machine.owner, 'machine', next.key.publicHex))],
      ];
      for (const [what, refusal] of refused)
        expect([what, shortly(await refusal)]).toEqual([what, '410 withdrawn-key']);
      expect(await rowCounts(runtime)).toEqual(count);
    });

    it('keeps the tombstone after all', async () => {
      const log = await readLog(url);
      expect(log[answer.log_index]).toMatchObject({ row: answer.row, envelope });
      expect(await isProven(url, answer.log_index, answer.entry)).toBe(true);
    });
  });

  it('of a machine by its owner leaves the owner and his other machines', async () => {
    const [gone, kept] = [await enrolled('sold', 'other owner'), await enrolled('kept', 'other owner')];
    await runTrial(url, gone, 'sold', 'captured');
    await runTrial(url, kept, 'kept', 'captured');
    const answer = await admit<EntryAnswer>(
      url,
      'withdraw',
      withdrawal(gone.owner, 'machine', gone.key.publicHex),
    );
    expect(tombstoneOf(answer)).toMatchObject({ role: 'machine', key: gone.key.publicHex });
    expect(await cellOf(runtime, 'sold')).toBeNull();
    expect(await cellOf(runtime, 'kept')).toMatchObject({ trials: 1 });
    const told = await admit<MachineAnswer>(url, 'enrol', seal('enrol', kept.enrol(), kept.key));
    expect(told.labels).toEqual(['enrolled', 'reference']);
    expect(await remains('machine', gone.key.publicHex)).toEqual({});
  });

  it('of an owner takes all machines, the trust and nothing of those he invited', async () => {
    const inviter = await enrolled('of the leaving 1', 'leaving owner');
    const other = await enrolled('of the leaving 2', 'leaving owner');
    const invited = await enrolled('of the invited', 'invited owner');
    await admit(url, 'invite', invitation(inviter.owner, invited.owner.publicHex));
    for (const machine of [inviter, other, invited])
      await runTrial(url, machine, 'of the leaving', 'captured');
    // One of them went before: the owner's tombstone names what is left.
    const single = await admit<EntryAnswer>(
      url,
      'withdraw',
      withdrawal(other.key, 'machine', other.key.publicHex),
    );
    const nextOwner = keyPair('leaving owner on');
    await admit(url, 'rotate', rotation('owner', inviter.owner, nextOwner));
    const third = await enrolled('of the leaving 3', 'leaving owner on');
    const { receipt } = await runTrial(url, third, 'of the leaving 3', 'captured');
    expect(await labelsOf(url, receipt.report_id)).toEqual(['enrolled', 'reference']);

    const answer = await admit<EntryAnswer>(
      url,
      'withdraw',
      withdrawal(nextOwner, 'owner', nextOwner.publicHex),
    );
    const [before, now] = [expanded(tombstoneOf(single).entries), expanded(tombstoneOf(answer).entries)];
    expect(before.filter((index) => now.includes(index))).toEqual([]);
    expect(await remains('owner', inviter.owner.publicHex)).toEqual({});
    expect(await cellOf(runtime, 'of_the_leaving_1')).toBeNull();
    expect(await cellOf(runtime, 'of_the_leaving_3')).toBeNull();
    expect(await cellOf(runtime, 'of_the_invited')).toMatchObject({ trials: 1 });
    const late = sampleMachine('of the leaving 4', sampleProfile(), 'leaving owner on');
    const refused: [string, Promise<Answer>][] = [
      ['enrol', post(url, 'enrol', seal('enrol', late.enrol(), late.key))],
      ['invite', post(url, 'invite', invitation(nextOwner, keyPair('nobody').publicHex))],
      ['rotate', post(url, 'rotate', rotation('owner', nextOwner, keyPair('leaving owner for ever')))],
      ['revoke', post(url, 'revoke', revocation(nextOwner, 'machine', third.key.publicHex, 0))],
      ['tickets', post(url, 'tickets', requestOf(third, 'of the leaving 5'))],
    ];
    for (const [what, refusal] of refused)
      expect([what, shortly(await refusal)]).toEqual([what, '410 withdrawn-key']);
    // Whom the server is configured to trust, it does not trust again after he has left.
    await runtime.tick();
    const { rows: standing } = await runtime.database.execute({
      sql: 'select count(*) as n from trust where owner = ? and until_index is null',
      args: [inviter.owner.publicHex],
    });
    expect(standing[0]?.n).toBe(0);
  });

  it.each<[string, string, () => Envelope]>([
    [
      'a stranger, of a machine',
      '422 unacceptable-withdrawal',
      () => withdrawal(keyPair('a stranger'), 'machine', keyPair('machine safe').publicHex),
    ],
    [
      'another machine',
      '422 unacceptable-withdrawal',
      () => withdrawal(keyPair('machine safe too'), 'machine', keyPair('machine safe').publicHex),
    ],
    [
      'another owner, of a machine',
      '422 unacceptable-withdrawal',
      () => withdrawal(keyPair('safe owner'), 'machine', keyPair('machine safe').publicHex),
    ],
    [
      'another owner, of an owner',
      '422 unacceptable-withdrawal',
      () => withdrawal(keyPair('safe owner'), 'owner', keyPair('owner').publicHex),
    ],
    [
      'a machine, of its owner',
      '422 unacceptable-withdrawal',
      () => withdrawal(keyPair('machine safe'), 'owner', keyPair('owner').publicHex),
    ],
    [
      'the operator',
      '422 unacceptable-withdrawal',
      () => withdrawal(operator, 'machine', keyPair('machine safe').publicHex),
    ],
    [
      'the owner, of a machine that is none',
      '404 unknown-machine',
      () => withdrawal(keyPair('owner'), 'machine', keyPair('machine never').publicHex),
    ],
    [
      'the owner, of an owner that is none',
      '404 unknown-owner',
      () => withdrawal(keyPair('owner'), 'owner', keyPair('machine safe').publicHex),
    ],
  ])('by %s is refused: %s', async (_, short, envelope) => {
    await enrolled('safe');
    await enrolled('safe too', 'safe owner');
    const before = await rowCounts(runtime);
    expect(shortly(await post(url, 'withdraw', envelope()))).toBe(short);
    expect(await rowCounts(runtime)).toEqual(before);
  });

  it('twenty at once are one', async () => {
    const machine = await enrolled('hasty');
    await runTrial(url, machine, 'hasty', 'captured');
    const envelope = withdrawal(machine.key, 'machine', machine.key.publicHex);
    const before = await rowCounts(runtime);
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(url, 'withdraw', envelope)));
    expect(raced(answers)).toEqual([...Array(19).fill('200'), '201']);
    expect(new Set(answers.map((answer) => JSON.stringify(lasting(answer)))).size).toBe(1);
    expect(((await rowCounts(runtime)).log_entries ?? 0) - (before.log_entries ?? 0)).toBe(1);
  });

  it('by a machine and by its owner at the same moment is one of them', async () => {
    const machine = await enrolled('contested');
    const { publicHex } = machine.key;
    const answers = await Promise.all(
      [machine.key, machine.owner].map((key) => post(url, 'withdraw', withdrawal(key, 'machine', publicHex))),
    );
    expect(raced(answers)).toEqual(['201', '410 withdrawn-key']);
  });

  it('lets nothing in that is under way, whatever it is', async () => {
    for (let round = 0; round < 3; round++) {
      const who = `crowd ${round}`;
      const machine = await enrolled(who, 'crowd owner');
      const sibling = await enrolled(`${who} sibling`, 'crowd owner');
      const open = await takeTickets(url, machine, who, Array(6).fill(simpleScenario));
      const its = await takeTickets(url, sibling, who, Array(4).fill(simpleScenario));
      const upgraded = sampleMachine(who, sampleProfile(driverOf(who), { memory_mib: 9999 }), 'crowd owner');
      const late = sampleMachine(`${who} late`, sampleProfile(), 'crowd owner');
      const isOwners = round === 2;
      const work: (() => Promise<Answer>)[] = [
        ...open.slice(0, 3).map((ticket) => () => post(url, 'report', reportOn(machine, ticket))),
        ...open.slice(3).map((ticket) => () => post(url, 'armed', armedOn(machine, ticket))),
        ...its.map((ticket) => () => post(url, 'report', reportOn(sibling, ticket))),
        () => post(url, 'tickets', requestOf(machine, `${who} more`, 8)),
        () => post(url, 'enrol', seal('enrol', upgraded.enrol(), upgraded.key)),
        () => post(url, 'rotate', rotation('machine', machine.key, keyPair(`${who} on`))),
        () =>
          isOwners
            ? post(url, 'withdraw', withdrawal(machine.owner, 'owner', machine.owner.publicHex))
            : post(url, 'withdraw', withdrawal(machine.owner, 'machine', machine.key.publicHex)),
        ...(isOwners ? [() => post(url, 'enrol', seal('enrol', late.enrol(), late.key))] : []),
      ];
      late.enrol();
      upgraded.enrol();
      const answers = await Promise.all(work.map((send) => send()));
      for (const answer of answers) expect(answer.status).toBeLessThan(500);
      expect(await remains('machine', machine.key.publicHex)).toEqual({});
      if (isOwners) expect(await remains('owner', machine.owner.publicHex)).toEqual({});
      await settled(runtime);
      // What the tombstone names is what is gone, and nothing else is.
      const log = await readLog(url);
      const named = log.flatMap(({ entry, row }) =>
        row !== null && JSON.parse(entry).kind === 'withdraw'
          ? expanded(rows.withdraw.parse(JSON.parse(row)).entries)
          : [],
      );
      const gone = log.filter(({ row }) => row === null).map(({ log_index }) => log_index);
      expect(named.toSorted((a, b) => a - b)).toEqual(gone);
    }
  });
});

describe('in the bytes of a store that is a file', () => {
  it('nothing of it is left: no payload, signature, profile, salt or row', async () => {
    const runtime = await startRuntime('node');
    const { url } = runtime;
    const files = await runtime.database.execute('pragma database_list');
    const path = String(files.rows[0]?.file);
    const bytes = async () =>
      Buffer.concat([await readFile(path), await readFile(`${path}-wal`).catch(() => Buffer.alloc(0))]);

    const marker = 'unmistakable_driver';
    const machine = sampleMachine('shredded', sampleProfile(marker));
    await enrol(url, machine);
    for (let i = 0; i < 12; i++) {
      const others = sampleMachine(`bystander ${i % 3}`);
      await enrol(url, others);
      await runTrial(url, others, `bystander ${i}`, 'device');
      const { ticket } = await runTrial(url, machine, `shredded ${i}`, 'device');
      const [second] = await takeTickets(url, machine, `shredded too ${i}`, [simpleScenario]);
      if (second) await admit(url, 'armed', seal('armed', machine.armed(second, Date.now()), machine.key));
      expect(ticket.machine).toBe(machine.key.publicHex);
    }
    await settled(runtime);
    const log = await readLog(url);
    const mine = log.filter(({ log_index }) =>
      aboutMachine(log, new Set([machine.key.publicHex])).includes(log_index),
    );
    expect(mine.length).toBe(1 + 12 * 4);
    const needles = new Map<string, Buffer>([
      ['the driver', Buffer.from(marker)],
      ['the profile', Buffer.from(machine.profileText)],
    ]);
    for (const { log_index, row, row_salt, envelope_salt, envelope } of mine) {
      needles.set(`row ${log_index}`, Buffer.from(row ?? ''));
      needles.set(`row salt ${log_index}`, Buffer.from(row_salt ?? ''));
      needles.set(`envelope salt ${log_index}`, Buffer.from(envelope_salt ?? ''));
      const payload = fromBase64(envelope?.payload ?? '');
      needles.set(`payload ${log_index}`, Buffer.from(payload.subarray(0, 400)));
      needles.set(`signature ${log_index}`, Buffer.from(fromBase64(envelope?.signatures[0]?.sig ?? '')));
      const { nonce } = JSON.parse(row ?? '{}') as { nonce?: string };
      if (nonce) needles.set(`nonce ${log_index}`, Buffer.from(utf8(nonce)));
      if (nonce) needles.set(`nonce ${log_index} in bytes`, Buffer.from(fromHex(nonce)));
    }
    const found = async () => {
      const all = await bytes();
      return [...needles].filter(([, needle]) => all.includes(needle)).map(([what]) => what);
    };
    // They can be found before, so the search is one that finds.
    expect((await found()).length).toBeGreaterThan(needles.size * 0.8);
    await admit(url, 'withdraw', withdrawal(machine.key, 'machine', machine.key.publicHex));
    await settled(runtime);
    expect(await found()).toEqual([]);
    await runtime.stop();
  });
});
