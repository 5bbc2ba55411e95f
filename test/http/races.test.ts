/** What a request was judged by may be gone when it writes. Each row is one such race, always with the same outcome. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Envelope, PayloadKind } from '../../schema/envelope.ts';
import type { EntryAnswer, Ticket, TicketsAnswer } from '../../schema/wire.ts';
import { keepReference } from '../../worker/admit/reference.ts';
import { ticketLimits } from '../../worker/admit/ticket-limits.ts';
import { quotas } from '../../worker/quotas.ts';
import { type Answer, shortly } from './client.ts';
import { type InProcess, startInProcess } from './in-process.ts';
import { send, sendWhile, whileWriting } from './race.ts';
import {
  decision,
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
  ticketsRequest,
  withdrawal,
} from './samples.ts';

const nowMs = Date.now();
const operator = keyPair('operator');
const referee = keyPair('another operator');

let survey: InProcess;
beforeEach(async () => {
  survey = await startInProcess({
    now: () => nowMs,
    random: (byteCount) => crypto.getRandomValues(new Uint8Array(byteCount)),
    operators: new Set([operator.publicHex, referee.publicHex]),
    controlShare: 1,
    quotas: { ...quotas, tickets: { ...ticketLimits, openPerMachine: 4, openPerOwner: 6 } },
  });
});
afterEach(() => survey.stop());

async function done<T>(kind: PayloadKind, envelope: Envelope): Promise<T> {
  const answer = await send(survey, kind, envelope);
  if (answer.status !== 201) throw new Error(`${kind} was answered ${answer.status}: ${answer.text}`);
  return answer.json as T;
}

async function enrolled(who: string, ownerName: string): Promise<SampleMachine> {
  const machine = sampleMachine(who, sampleProfile(), ownerName);
  await done('enrol', seal('enrol', machine.enrol(), machine.key));
  return machine;
}

function requestOf(machine: SampleMachine, name: string, count: number): Envelope {
  const scenarios = Array(count).fill(simpleScenario);
  return seal('tickets', machine.tickets(requestId(name), scenarios), machine.key);
}

async function ticketFor(machine: SampleMachine, name: string): Promise<Ticket> {
  const { tickets } = await done<TicketsAnswer>('tickets', requestOf(machine, name, 1));
  return tickets[0] as Ticket;
}

async function count(sql: string, ...args: string[]): Promise<number> {
  const { rows } = await survey.services.store.client.execute({
    sql: `select count(*) as n from ${sql}`,
    args,
  });
  return Number(rows[0]?.n);
}

describe('while the owner withdraws', () => {
  let machine: SampleMachine;
  let ticket: Ticket;
  beforeEach(async () => {
    machine = await enrolled('racing', 'racing owner');
    ticket = await ticketFor(machine, 'racing');
    await done('decision', decision(operator, 'vouch', 'owner', machine.owner.publicHex));
  });
  const withdraw = () => done('withdraw', withdrawal(machine.owner, 'owner', machine.owner.publicHex));
  const another = () => sampleMachine('racing 2', sampleProfile(), 'racing owner');
  const upgraded = () => sampleMachine('racing', sampleProfile('am53c974'), 'racing owner');
  const signed = (kind: PayloadKind, body: object, { key }: SampleMachine) => seal(kind, body, key);

  it.each<[string, PayloadKind, () => Envelope]>([
    ['another machine', 'enrol', () => signed('enrol', another().enrol(), another())],
    ['another profile', 'enrol', () => signed('enrol', upgraded().enrol(), machine)],
    ['a ticket', 'tickets', () => requestOf(machine, 'racing 2', 1)],
    ['an armed note', 'armed', () => signed('armed', machine.armed(ticket, nowMs), machine)],
    ['a report', 'report', () => signed('report', machine.report(ticket, 'captured', nowMs), machine)],
    ['the next key of a machine', 'rotate', () => rotation('machine', machine.key, keyPair('racing on'))],
    ['the next key of the owner', 'rotate', () => rotation('owner', machine.owner, keyPair('owner on'))],
  ])('%s does not slip in', async (_, kind, envelope) => {
    const answer = await sendWhile(survey, kind, envelope(), withdraw);
    expect(shortly(answer)).toBe('410 withdrawn-key');
    const owner = machine.owner.publicHex;
    expect(await count('log_entries where owner = ? and row is not null', owner)).toBe(0);
    expect(await count('machines where owner = ? and withdrawn_index is null', owner)).toBe(0);
    expect(await count('owners where root = ? and withdrawn_index is null', owner)).toBe(0);
    for (const table of ['profiles', 'tickets', 'armed_notes', 'reports', 'facts'])
      expect([table, await count(table)]).toEqual([table, 0]);
  });

  it('he vouches for nobody', async () => {
    const answer = await sendWhile(
      survey,
      'invite',
      invitation(machine.owner, keyPair('friend').publicHex),
      withdraw,
    );
    expect(shortly(answer)).toBe('410 withdrawn-key');
    expect(await count('trust where until_index is null')).toBe(0);
  });
});

describe('while an invitation is under way', () => {
  let inviter: SampleMachine;
  const friend = keyPair('friend').publicHex;
  beforeEach(async () => {
    inviter = await enrolled('inviting', 'inviting owner');
    await enrolled('other', 'other owner');
    for (const owner of ['inviting owner', 'other owner'])
      await done('decision', decision(operator, 'vouch', 'owner', keyPair(owner).publicHex));
  });
  const decide = (...about: Parameters<typeof decision> extends [unknown, ...infer R] ? R : never) =>
    done('decision', decision(operator, ...about));

  it.each<[string, string, () => Promise<unknown>]>([
    [
      'the inviter is distrusted',
      '403 not-trusted',
      () => decide('distrust', 'owner', inviter.owner.publicHex),
    ],
    [
      'the inviter is held back',
      '403 not-trusted',
      () => decide('quarantine', 'owner', inviter.owner.publicHex),
    ],
    [
      'the inviter is revoked',
      '403 not-trusted',
      () => decide('revoke', 'owner', inviter.owner.publicHex, { from_index: 0 }),
    ],
    [
      'the inviter revokes himself',
      '403 not-trusted',
      () => done('revoke', revocation(inviter.owner, 'owner', inviter.owner.publicHex, 0)),
    ],
    [
      'another owner is faster',
      '409 already-trusted',
      () => done('invite', invitation(keyPair('other owner'), friend)),
    ],
    ['the operator is faster', '409 already-trusted', () => decide('vouch', 'owner', friend)],
  ])('%s: it is refused', async (_, short, meanwhile) => {
    const answer = await sendWhile(survey, 'invite', invitation(inviter.owner, friend), meanwhile);
    expect(shortly(answer)).toBe(short);
    expect(await count('trust where invited_by = ?', inviter.owner.publicHex)).toBe(0);
    expect(await count('trust where owner = ? and until_index is null', friend)).toBeLessThan(2);
  });

  it('the inviter sends another one: each is judged by the limits', async () => {
    const more = ['a', 'b', 'c', 'd'].map((who) => invitation(inviter.owner, keyPair(who).publicHex));
    const answers: Answer[] = [];
    for (const envelope of more.slice(0, 2)) answers.push(await send(survey, 'invite', envelope));
    answers.push(
      await sendWhile(survey, 'invite', more[2] as Envelope, () => done('invite', more[3] as Envelope)),
    );
    expect(answers.map(shortly)).toEqual(['201', '201', '403 invitations-used-up']);
    expect(await count('trust where invited_by = ?', inviter.owner.publicHex)).toBe(3);
  });

  it('the inviter sends another one where both are within the limits: both come in', async () => {
    const [one, two] = ['a', 'b'].map((who) => invitation(inviter.owner, keyPair(who).publicHex));
    const answer = await sendWhile(survey, 'invite', one as Envelope, () => done('invite', two as Envelope));
    expect(shortly(answer)).toBe('201');
    expect(await count('trust where invited_by = ?', inviter.owner.publicHex)).toBe(2);
  });
});

describe('while tickets are issued', () => {
  it('another request of the machine: both together stay within its limit', async () => {
    const machine = await enrolled('greedy', 'greedy owner');
    const answer = await sendWhile(survey, 'tickets', requestOf(machine, 'one', 3), () =>
      done('tickets', requestOf(machine, 'two', 3)),
    );
    expect(shortly(answer)).toBe('409 too-many-tickets');
    expect(await count('tickets')).toBe(3);
  });

  it('another machine of the owner: both together stay within his limit', async () => {
    const [one, two] = [await enrolled('greedy', 'greedy owner'), await enrolled('greedy 2', 'greedy owner')];
    const answer = await sendWhile(survey, 'tickets', requestOf(one, 'one', 4), () =>
      done('tickets', requestOf(two, 'two', 4)),
    );
    expect(shortly(answer)).toBe('409 too-many-tickets');
    expect(await count('tickets')).toBe(4);
  });

  it('another request that fits beside it: both are answered', async () => {
    const machine = await enrolled('modest', 'modest owner');
    const answer = await sendWhile(survey, 'tickets', requestOf(machine, 'one', 2), () =>
      done('tickets', requestOf(machine, 'two', 2)),
    );
    expect(shortly(answer)).toBe('201');
    expect(await count('tickets')).toBe(4);
  });

  it('the machine is revoked: none are issued', async () => {
    const machine = await enrolled('stolen', 'robbed owner');
    const answer = await sendWhile(survey, 'tickets', requestOf(machine, 'one', 2), () =>
      done('revoke', revocation(machine.owner, 'machine', machine.key.publicHex, 0)),
    );
    expect([shortly(answer), await count('tickets')]).toEqual(['403 revoked-key', 0]);
  });
});

describe('while a control trial is reported as captured', () => {
  it('another owner’s is, too: the version of the agent is held back', async () => {
    const reports: Envelope[] = [];
    for (const who of ['one', 'two']) {
      const machine = await enrolled(who, `owner of ${who}`);
      await done('decision', decision(operator, 'vouch', 'owner', machine.owner.publicHex));
      const request = ticketsRequest(machine, who, [simpleScenario], { controls: true });
      const { tickets } = await done<TicketsAnswer>('tickets', request);
      const ticket = tickets[0] as Ticket;
      expect(ticket.control).toBe(true);
      reports.push(seal('report', machine.report(ticket, 'captured', nowMs), machine.key));
    }
    const [first, second] = reports as [Envelope, Envelope];
    const answer = await sendWhile(survey, 'report', first, () => done('report', second));
    expect(shortly(answer)).toBe('201');
    expect(await count("holds where subject_kind = 'machine' and until_index is null")).toBe(2);
    expect(await count("holds where subject_kind = 'agent_version' and until_index is null")).toBe(1);
  });
});

describe('while an operator decides', () => {
  it('another one decides the same: the decision is made once', async () => {
    const quarantine = (by: typeof operator) => decision(by, 'quarantine', 'agent_version', '6.6.6');
    const answer = await sendWhile(survey, 'decision', quarantine(operator), () =>
      done('decision', quarantine(referee)),
    );
    expect(shortly(answer)).toBe('422 unacceptable-decision');
    expect(await count('holds')).toBe(1);
  });
});

describe('while strangers enrol, rotate, revoke, withdraw, take tickets and report', () => {
  let machine: SampleMachine;
  let ticket: Ticket;
  beforeEach(async () => {
    machine = await enrolled('calm', 'calm owner');
    ticket = await ticketFor(machine, 'calm');
    await done('decision', decision(operator, 'vouch', 'owner', machine.owner.publicHex));
  });
  async function bustle(): Promise<void> {
    const [one, two] = [await enrolled('busy 1', 'busy owner'), await enrolled('busy 2', 'busy owner')];
    const its = await ticketFor(one, 'busy');
    await done('armed', seal('armed', one.armed(its, nowMs), one.key));
    await done('report', seal('report', one.report(its, 'captured', nowMs), one.key));
    await done('rotate', rotation('machine', two.key, keyPair('busy on')));
    await done('rotate', rotation('owner', one.owner, keyPair('busy owner on')));
    await done('revoke', revocation(keyPair('busy owner on'), 'machine', two.key.publicHex, 0));
    await done('withdraw', withdrawal(one.key, 'machine', one.key.publicHex));
  }

  it.each<[PayloadKind, () => Envelope]>([
    ['tickets', () => requestOf(machine, 'calm 2', 2)],
    ['armed', () => seal('armed', machine.armed(ticket, nowMs), machine.key)],
    ['report', () => seal('report', machine.report(ticket, 'captured', nowMs), machine.key)],
    ['rotate', () => rotation('machine', machine.key, keyPair('calm on'))],
    ['rotate', () => rotation('owner', machine.owner, keyPair('calm owner on'))],
    ['revoke', () => revocation(machine.owner, 'machine', machine.key.publicHex, 0)],
    ['withdraw', () => withdrawal(machine.owner, 'owner', machine.owner.publicHex)],
    ['invite', () => invitation(machine.owner, keyPair('friend').publicHex)],
    ['decision', () => decision(operator, 'quarantine', 'machine', machine.key.publicHex)],
    ['decision', () => decision(operator, 'distrust', 'owner', machine.owner.publicHex)],
  ])('%s is written at the first attempt', async (kind, envelope) => {
    const { status, attempts } = await sendWhile(survey, kind, envelope(), bustle);
    expect([status, attempts]).toEqual([201, 1]);
  });
});

describe('while the key that signs is replaced', () => {
  it.each<[PayloadKind, 'machine' | 'owner', string, (m: SampleMachine) => Envelope]>([
    ['tickets', 'machine', '403 rotated-key', (m) => requestOf(m, 'replaced too', 1)],
    [
      'enrol',
      'machine',
      '403 rotated-key',
      (m) => seal('enrol', sampleMachine('replaced', sampleProfile('nvme'), 'replaced owner').enrol(), m.key),
    ],
    [
      'rotate',
      'machine',
      '403 rotated-key',
      (m) => rotation('machine', m.key, keyPair('replaced another way')),
    ],
    ['withdraw', 'machine', '403 rotated-key', (m) => withdrawal(m.key, 'machine', m.key.publicHex)],
    [
      'rotate',
      'owner',
      '403 rotated-key',
      (m) => rotation('owner', m.owner, keyPair('replaced another way')),
    ],
    ['revoke', 'owner', '403 rotated-key', (m) => revocation(m.owner, 'machine', m.key.publicHex, 0)],
    ['invite', 'owner', '403 rotated-key', (m) => invitation(m.owner, keyPair('friend').publicHex)],
    ['withdraw', 'owner', '403 rotated-key', (m) => withdrawal(m.owner, 'owner', m.owner.publicHex)],
    ['armed', 'machine', '201', (m) => seal('armed', m.armed(begun, nowMs), m.key)],
    ['report', 'machine', '201', (m) => seal('report', m.report(begun, 'captured', nowMs), m.key)],
  ])('%s by the %s’s is answered %s', async (kind, role, short, envelope) => {
    const machine = await enrolled('replaced', 'replaced owner');
    await done('decision', decision(operator, 'vouch', 'owner', machine.owner.publicHex));
    begun = await ticketFor(machine, 'replaced');
    const key = role === 'machine' ? machine.key : machine.owner;
    const answer = await sendWhile(survey, kind, envelope(machine), () =>
      done('rotate', rotation(role, key, keyPair('replaced on'))),
    );
    expect(shortly(answer)).toBe(short);
  });
  let begun: Ticket;
});

describe('while a machine’s data is withdrawn', () => {
  it('by itself, its owner withdraws it, too: once', async () => {
    const machine = await enrolled('contested', 'an owner');
    const [own, owners] = [machine.key, machine.owner].map((key) =>
      withdrawal(key, 'machine', machine.key.publicHex),
    ) as [Envelope, Envelope];
    const answer = await sendWhile(survey, 'withdraw', owners, () => done('withdraw', own));
    expect(shortly(answer)).toBe('410 withdrawn-key');
    expect(await count("log_entries where kind = 'withdraw'")).toBe(1);
  });

  it('by its owner, and another machine of his has news: his own withdrawal names exactly what is left', async () => {
    const [one, two] = [await enrolled('one', 'an owner'), await enrolled('two', 'an owner')];
    const [a, b] = [await ticketFor(one, 'a'), await ticketFor(two, 'b')];
    const answer = await sendWhile(
      survey,
      'withdraw',
      withdrawal(one.owner, 'owner', one.owner.publicHex),
      async () => {
        // As many entries come as go.
        await done('withdraw', withdrawal(one.key, 'machine', one.key.publicHex));
        await done('armed', seal('armed', two.armed(b, nowMs), two.key));
        await done('report', seal('report', two.report(b, 'captured', nowMs), two.key));
      },
    );
    expect([shortly(answer), answer.attempts]).toEqual(['201', 2]);
    const { entries } = JSON.parse((answer.json as EntryAnswer).row) as { entries: [number, number][] };
    const named = entries.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
    expect(named).not.toContain(a.log_index);
    expect(named).toContain(b.log_index);
    expect(named.length).toBe(4);
    expect(await count('log_entries where owner = ? and row is not null', one.owner.publicHex)).toBe(0);
  });
});

it('the survey does not trust an owner of its own again who leaves meanwhile', async () => {
  const { owner } = await enrolled('machine', 'its own');
  const services = { ...survey.services, referenceOwners: new Set([owner.publicHex]) };
  const leaving = withdrawal(owner, 'owner', owner.publicHex);
  const { result } = await whileWriting(
    survey,
    () => keepReference(services, owner.publicHex),
    () => done('withdraw', leaving),
  );
  expect(result).toBe(false);
  expect(await count('trust where owner = ? and until_index is null', owner.publicHex)).toBe(0);
  expect(await keepReference(services, owner.publicHex)).toBe(false);
});
