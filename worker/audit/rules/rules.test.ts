/** Each rule against a survey that breaks it: the auditor says so at the entry that does, and says nothing of the others. */
import { beforeAll, describe, expect, it } from 'vitest';
import { toHex } from '../../../schema/bytes.ts';
import type { DecisionBody } from '../../../schema/wire.ts';
import { limits } from '../../../schema/wire.ts';
import { auditFiles, foundIn } from '../../../test/audit/files.ts';
import {
  armedNote,
  beginsMs,
  enrolment,
  log,
  reportOn,
  requestOf,
  signedBy,
  surveyOf,
  type Told,
  tickets,
} from '../../../test/audit/sample-survey.ts';
import {
  decision,
  invitation,
  keyPair,
  revocation,
  rotation,
  type SampleMachine,
  sampleMachine,
  sampleProfile,
  withdrawal,
} from '../../../test/http/samples.ts';

const machine = sampleMachine('ruled', sampleProfile('ahci'));
const other = sampleMachine('other', sampleProfile('nvme'), 'other owner');
const minuteMs = 60_000;
const dayMs = 24 * 3600_000;
const at = (minutes: number) => beginsMs + minutes * minuteMs;

/** What each test begins with: two enrolled machines, a ticket of each. */
let begun: Told[];
let ticket: Told;
let others: Told;
beforeAll(async () => {
  const [one] = await tickets(machine, 'a ticket', at(2));
  const [two] = await tickets(other, 'another ticket', at(3));
  if (one === undefined || two === undefined) throw new Error('there are no tickets');
  [ticket, others] = [one, two];
  begun = [await enrolment(machine, at(0)), await enrolment(other, at(1)), ticket, others];
});

function changed<K extends Told['kind']>(
  told: Told,
  kind: K,
  change: Partial<Extract<Told, { kind: K }>['row']>,
): Told {
  if (told.kind !== kind) throw new Error(`a ${told.kind} is no ${kind}`);
  return { ...told, row: { ...told.row, ...change } } as Told;
}

const created = (atMs: number) => new Date(atMs).toISOString();

async function invited(by: string, whom: string, atMs: number): Promise<Told> {
  const [owner, friend] = [keyPair(by), keyPair(whom)];
  const envelope = invitation(owner, friend.publicHex, created(atMs));
  const row = { owner: owner.publicHex, invited: friend.publicHex };
  return { kind: 'invite', row, request: await requestOf('invite', envelope), atMs };
}

async function decided(
  action: DecisionBody['action'],
  kind: DecisionBody['subject']['kind'],
  value: string,
  atMs: number,
  changes: Partial<DecisionBody> = {},
): Promise<Told> {
  const envelope = decision(keyPair('operator'), action, kind, value, {
    created_at: created(atMs),
    ...changes,
  });
  const row = { action, subject: { kind, value }, from_index: null, reason: 'a test', ...pick(changes) };
  return { kind: 'decision', row, request: await requestOf('decision', envelope), atMs };
}

function pick({ from_index, reason }: Partial<DecisionBody>) {
  return { ...(from_index === undefined ? {} : { from_index }), ...(reason === undefined ? {} : { reason }) };
}

async function withdrawn(
  signer: string,
  key: string,
  entries: [number, number][],
  atMs: number,
): Promise<Told> {
  const request = await requestOf('withdraw', withdrawal(keyPair(signer), 'machine', key, created(atMs)));
  return { kind: 'withdraw', row: { role: 'machine', key, entries }, request, atMs };
}

/** A decision of the log's own. */
async function ownDecided(kind: 'machine' | 'agent_version', value: string, atMs: number): Promise<Told> {
  const row = {
    action: 'quarantine' as const,
    subject: { kind, value },
    from_index: null,
    reason: 'by rule',
  };
  const body: DecisionBody = {
    version: '1.0',
    operator: log.key,
    ...row,
    created_at: new Date(atMs).toISOString(),
  };
  const { payloadType, preAuthEncoding, hashInput } = await import('../../../schema/envelope.ts');
  const { fromHex, sha256, utf8 } = await import('../../../schema/bytes.ts');
  const payload = utf8(JSON.stringify(body));
  return {
    kind: 'decision',
    row,
    atMs,
    request: {
      kind: 'decision',
      key: log.key,
      payload,
      signature: await log.sign(preAuthEncoding(payloadType('decision'), payload)),
      hash: toHex(await sha256(hashInput('decision', fromHex(log.key), payload))),
    },
  };
}

/** Entries that follow the beginning, and what is wrong with them. */
interface Case {
  readonly entries: () => Promise<Told[]>;
  /** Index 4 is the first entry after the beginning. */
  readonly found: readonly string[];
}

const ok: readonly string[] = [];

const cases: Readonly<Record<string, Case>> = {
  'nothing follows': { entries: async () => [], found: ok },
  'a trial is armed and reported': {
    entries: async () => [
      await armedNote(machine, ticket, at(4)),
      await reportOn(machine, ticket, 'captured', at(5)),
    ],
    found: ok,
  },

  // Enrolments.
  'a machine is enrolled without work': {
    entries: async () => {
      const lazy = sampleMachine('lazy');
      const body = { ...lazy.enrol(), work: { counter: lazy.enrol().work.counter + 1 } };
      return [
        { ...(await enrolment(lazy, at(4))), request: await signedBy('enrol', body, lazy.key) } as Told,
      ];
    },
    found: ['protocol 4'],
  },
  'a machine is enrolled for an owner who did not sign': {
    entries: async () => {
      const taken = sampleMachine('taken');
      const body = { ...taken.enrol(), owner: other.owner.publicHex };
      const told = changed(await enrolment(taken, at(4)), 'enrol', { owner: other.owner.publicHex });
      return [{ ...told, request: await signedBy('enrol', body, taken.key) } as Told];
    },
    found: ['protocol 4'],
  },
  'a machine changes hands': {
    entries: async () => [
      await enrolment(sampleMachine('ruled', sampleProfile('ahci'), 'other owner'), at(4)),
    ],
    found: ['protocol 4'],
  },
  'an enrolment is published as of another population': {
    entries: async () => [
      changed(await enrolment(sampleMachine('third'), at(4)), 'enrol', { population: 'metal' }),
    ],
    found: ['derivation 4'],
  },
  'a machine tells its next profile': {
    entries: async () => {
      const next = sampleMachine('ruled', sampleProfile('megaraid_sas'));
      return [await enrolment(next, at(4)), ...(await tickets(next, 'for it', at(5)))];
    },
    found: ok,
  },

  // Tickets.
  'a ticket is for a machine that nobody enrolled': {
    entries: async () => tickets(sampleMachine('nobody'), 'none', at(4)),
    found: ['protocol 4', 'derivation 4'],
  },
  'a ticket is for a profile that the machine never told': {
    entries: async () => tickets(sampleMachine('ruled', sampleProfile('pvscsi')), 'untold', at(4)),
    found: ['derivation 4'],
  },
  'a ticket has the nonce of another one': {
    entries: async () => {
      const [again] = await tickets(machine, 'again', at(4));
      if (again?.kind !== 'ticket' || ticket.kind !== 'ticket') throw new Error('there is no ticket');
      return [changed(again, 'ticket', { nonce: ticket.row.nonce })];
    },
    found: ['protocol 4'],
  },
  'a ticket names another driver than the profile': {
    entries: async () => {
      const [told] = await tickets(machine, 'driver', at(4));
      return [changed(told as Told, 'ticket', { parts: [{ driver: 'nvme', role: 'dump_target' }] })];
    },
    found: ['derivation 4'],
  },
  'a ticket is of another owner': {
    entries: async () => {
      const [told] = await tickets(machine, 'owner', at(4));
      return [changed(told as Told, 'ticket', { owner: other.owner.publicHex })];
    },
    found: ['protocol 4', 'derivation 4'],
  },
  'a ticket may be armed for a week': {
    entries: async () => tickets(machine, 'a week', at(4), undefined, { arm_by_ms: at(4) + 7 * dayMs }),
    found: ['protocol 4', 'derivation 4'],
  },
  'a ticket was issued before it was admitted': {
    entries: async () => {
      const [told] = await tickets(machine, 'backdated', at(4));
      return [{ ...(told as Told), atMs: at(9) } as Told];
    },
    found: ['protocol 4', 'derivation 4'],
  },
  'a ticket is a control that the request does not allow': {
    entries: async () => tickets(machine, 'control', at(4), undefined, { control: true }),
    found: ['protocol 4'],
  },
  'a ticket has a scenario of no set': {
    entries: async () => tickets(machine, 'strange', at(4), undefined, { crash_type: 'oom' }),
    found: ['protocol 4', 'derivation 4'],
  },
  'all tickets of a request are there': {
    entries: async () =>
      tickets(machine, 'two', at(4), ['direct/panic/idle/none', 'direct/exception/idle/none']),
    found: ok,
  },
  'a ticket of a request is left out': {
    entries: async () => [
      ...(
        await tickets(machine, 'two', at(4), ['direct/panic/idle/none', 'direct/exception/idle/none'])
      ).slice(0, 1),
      await armedNote(machine, ticket, at(5)),
    ],
    found: ['protocol 5'],
  },
  'the last ticket of a request is left out, and nothing follows': {
    entries: async () =>
      (await tickets(machine, 'two', at(4), ['direct/panic/idle/none', 'direct/exception/idle/none'])).slice(
        0,
        1,
      ),
    found: ['protocol'],
  },
  'a request is answered twice': {
    entries: async () => {
      const first = await tickets(machine, 'once', at(4));
      const [again] = first;
      if (again?.kind !== 'ticket') throw new Error('there is no ticket');
      const second = { ...again, row: { ...again.row, nonce: 'ab'.repeat(16) } };
      return [...first, await armedNote(machine, ticket, at(4)), second];
    },
    found: ['protocol 6'],
  },

  // Armed notes and reports.
  'an armed note comes twice': {
    entries: async () => [await armedNote(machine, ticket, at(4)), await armedNote(machine, ticket, at(5))],
    found: ['protocol 5'],
  },
  'a machine armed after it might': {
    entries: async () => [await armedNote(machine, ticket, at(2) + limits.armWithinMs + 1)],
    found: ['protocol 4'],
  },
  'an armed note is of another machine': {
    entries: async () => {
      const told = await armedNote(machine, ticket, at(4));
      if (told.kind !== 'armed') throw new Error('no note');
      const body = { version: '1.0', machine: other.key.publicHex, ...told.row };
      return [{ ...told, request: await signedBy('armed', body, other.key) }];
    },
    found: ['protocol 4'],
  },
  'an armed note is published with another time': {
    entries: async () => [
      changed(await armedNote(machine, ticket, at(4)), 'armed', { armed_at: '2026-11-20T00:00:01.000Z' }),
    ],
    found: ['derivation 4'],
  },
  'a report has no ticket': {
    entries: async () => {
      const [never] = await tickets(machine, 'never issued', at(4));
      return [await reportOn(machine, never as Told, 'captured', at(5))];
    },
    found: ['protocol 4', 'derivation 4'],
  },
  'a ticket is reported twice': {
    entries: async () => [
      await reportOn(machine, ticket, 'device', at(4)),
      await reportOn(machine, ticket, 'captured', at(5)),
    ],
    found: ['protocol 5'],
  },
  'a report is signed by another machine': {
    entries: async () => {
      const told = await reportOn(machine, ticket, 'captured', at(4), { machine: other.key.publicHex });
      if (told.request === null) throw new Error('no request');
      const body = JSON.parse(Buffer.from(told.request.payload).toString()) as object;
      return [{ ...told, request: await signedBy('report', body, other.key) } as Told];
    },
    found: ['protocol 4'],
  },
  'a report is on another mechanism than its ticket': {
    entries: async () => [await reportOn(machine, ticket, 'captured', at(4), { environment: 'stock' })],
    found: ['protocol 4'],
  },
  'a late report says that it is late': {
    entries: async () => [await reportOn(machine, ticket, 'captured', at(2) + 3 * dayMs)],
    found: ok,
  },
  'a late report hides that it is late': {
    entries: async () => [
      changed(await reportOn(machine, ticket, 'captured', at(2) + 3 * dayMs), 'report', { labels: [] }),
    ],
    found: ['derivation 4'],
  },
  'a report is more than ninety days late': {
    entries: async () => [await reportOn(machine, ticket, 'captured', at(2) + 93 * dayMs)],
    found: ['protocol 4'],
  },
  'a report is from the future': {
    entries: async () => [
      await reportOn(machine, ticket, 'captured', at(4), { reported_at: '2026-11-21T00:00:00.000Z' }),
    ],
    found: ['protocol 4'],
  },
  'a report is amended': { entries: () => amended(4, 'right'), found: ok },
  'an amendment names another report': { entries: () => amended(4, 'wrong'), found: ['protocol 5'] },
  'an amendment is published as of another entry': {
    entries: () => amended(3, 'right'),
    found: ['protocol 5', 'derivation 5'],
  },
  'a report is amended twice': {
    entries: async () => {
      const two = await amended(4, 'right');
      return [...two, two[1] as Told];
    },
    found: ['protocol 6'],
  },
  'a report has no signed request': {
    entries: async () => [{ ...(await reportOn(machine, ticket, 'captured', at(4))), request: null } as Told],
    found: ['protocol 4'],
  },
  'a ticket has no signed request': {
    entries: async () =>
      (await tickets(machine, 'unsigned', at(4))).map((told) => ({ ...told, request: null }) as Told),
    found: ['protocol 4'],
  },
  'the request of an emulated machine is hidden': {
    entries: async () => [
      { ...(await reportOn(machine, ticket, 'captured', at(4))), isHidden: true } as Told,
    ],
    found: ['envelopes 4'],
  },

  // Controls.
  'a false capture has its machine held back': { entries: () => controlled('held'), found: ok },
  'a false capture has no consequence': { entries: () => controlled('free'), found: ['protocol 5'] },
  'a false capture has another machine held back': {
    entries: () => controlled('other'),
    found: ['protocol 5', 'protocol 6'],
  },
  'two trusted owners report false captures, and the version of their agent is held back': {
    entries: () => twiceControlled('trusted', ['machine', 'agent_version']),
    found: ok,
  },
  'two trusted owners report false captures, and only the machines are held back': {
    entries: () => twiceControlled('trusted', ['machine']),
    found: ['protocol 10'],
  },
  'two owners whom nobody trusts report false captures': {
    entries: () => twiceControlled('unknown', ['machine']),
    found: ok,
  },
  'two owners whom nobody trusts have the version of an agent held back': {
    entries: () => twiceControlled('unknown', ['machine', 'agent_version']),
    found: ['protocol 12'],
  },
  'a machine is held back for nothing': {
    entries: async () => [await ownDecided('machine', machine.key.publicHex, at(4))],
    found: ['protocol 4'],
  },

  // Keys.
  'a key is rotated, and its successor goes on': {
    entries: async () => [await rotated('ruled', 'next', at(4)), await successorReports(at(9))],
    found: ok,
  },
  'a key is rotated without the word of the next one': {
    entries: async () => {
      const [key, next] = [machine.key, keyPair('machine next')];
      const envelope = rotation('machine', key, next, {
        next_signature: '00'.repeat(64),
        created_at: created(at(4)),
      });
      const row = { role: 'machine' as const, key: key.publicHex, next: next.publicHex };
      return [{ kind: 'rotate', row, request: await requestOf('rotate', envelope), atMs: at(4) }];
    },
    found: ['protocol 4'],
  },
  'a key is rotated twice': {
    entries: async () => [await rotated('ruled', 'next', at(4)), await rotated('ruled', 'last', at(9))],
    found: ['protocol 5'],
  },
  'a key is rotated to one that is in use': {
    entries: async () => [await rotated('ruled', 'other', at(4))],
    found: ['protocol 4'],
  },
  'a replaced key takes tickets long after': {
    entries: async () => [
      await rotated('ruled', 'next', at(4)),
      ...(await tickets(machine, 'too late', at(9))),
    ],
    found: ['protocol 5'],
  },
  'a replaced key says at the same moment what it began': {
    entries: async () => [
      await rotated('ruled', 'next', at(4)),
      await armedNote(machine, ticket, at(4) + 50),
      await enrolment(sampleMachine('ruled', sampleProfile('nvme')), at(4) + 60),
    ],
    found: ok,
  },
  'a replaced key takes a ticket at the same moment': {
    entries: async () => [
      await rotated('ruled', 'next', at(4)),
      ...(await tickets(machine, 'race', at(4) + 50)),
    ],
    found: ['protocol 5'],
  },
  'a rotation was signed long ago': {
    entries: async () => [{ ...(await rotated('ruled', 'next', at(4))), atMs: at(4) + 2 * dayMs } as Told],
    found: ['protocol 4'],
  },
  'an owner revokes a machine of his': {
    entries: async () => [await revoked('other owner', other.key.publicHex, 3, at(4))],
    found: ok,
  },
  'an owner revokes a machine that is not his': {
    entries: async () => [await revoked('other owner', machine.key.publicHex, 3, at(4))],
    found: ['protocol 4'],
  },
  'a revocation reaches into the future': {
    entries: async () => [await revoked('other owner', other.key.publicHex, 99, at(4))],
    found: ['protocol 4'],
  },
  'a revoked machine takes tickets': {
    entries: async () => [
      await revoked('other owner', other.key.publicHex, 0, at(4)),
      ...(await tickets(other, 'after all', at(9))),
    ],
    found: ['protocol 5'],
  },

  // Trust.
  'a trusted owner invites': {
    entries: async () => [
      await decided('vouch', 'owner', keyPair('other owner').publicHex, at(4)),
      await invited('other owner', 'friend', at(5)),
    ],
    found: ok,
  },
  'an owner invites whom nobody trusts': {
    entries: async () => [await invited('other owner', 'friend', at(5))],
    found: ['protocol 4'],
  },
  'an owner invites somebody whom he invited before': {
    entries: async () => [
      await decided('vouch', 'owner', keyPair('other owner').publicHex, at(4)),
      await invited('other owner', 'friend', at(5)),
      await invited('other owner', 'friend', at(9)),
    ],
    found: ['protocol 6'],
  },
  'an owner invites four': {
    entries: async () => [
      await decided('vouch', 'owner', keyPair('other owner').publicHex, at(4)),
      ...(await Promise.all([0, 1, 2, 3].map((i) => invited('other owner', `friend ${i}`, at(5 + i))))),
    ],
    found: ['protocol 8'],
  },
  'somebody who was just invited invites': {
    entries: async () => [
      await decided('vouch', 'owner', keyPair('other owner').publicHex, at(4)),
      await invited('other owner', 'owner', at(5)),
      await invited('owner', 'friend', at(9)),
    ],
    found: ['protocol 6'],
  },
  'a quarantined owner invites': {
    entries: async () => [
      await decided('vouch', 'owner', keyPair('other owner').publicHex, at(4)),
      await decided('quarantine', 'owner', keyPair('other owner').publicHex, at(5)),
      await invited('other owner', 'friend', at(7)),
    ],
    found: ['protocol 6'],
  },
  'a decision is of another subject than its kind may be': {
    entries: async () => [await decided('vouch', 'machine', machine.key.publicHex, at(4))],
    found: ['protocol 4'],
  },
  'a decision is published with another reason': {
    entries: async () => [
      changed(await decided('quarantine', 'machine', machine.key.publicHex, at(4)), 'decision', {
        reason: 'none',
      }),
    ],
    found: ['derivation 4'],
  },

  'a decision takes effect twice': {
    entries: async () => {
      const held = await decided('quarantine', 'machine', machine.key.publicHex, at(4));
      return [held, held];
    },
    found: ['protocol 5'],
  },
  'a decision was kept for two days': {
    entries: async () => [
      {
        ...(await decided('release', 'machine', machine.key.publicHex, at(4))),
        atMs: at(4) + 2 * dayMs,
      } as Told,
    ],
    found: ['protocol 4'],
  },

  // Withdrawals.
  'a machine withdraws everything': {
    entries: () =>
      gone([
        [1, 1],
        [3, 3],
      ]),
    found: ok,
  },
  'a withdrawal names more than is gone': { entries: () => gone([[1, 3]]), found: ['withdrawals 4'] },
  'a withdrawal names less than is gone': { entries: () => gone([[1, 1]]), found: ['withdrawals 3'] },
  'a withdrawal names what comes after it': {
    entries: () =>
      gone([
        [1, 1],
        [3, 9],
      ]),
    found: ['withdrawals 4', 'withdrawals 1', 'withdrawals 3'],
  },
  'a withdrawal names ranges in disorder': {
    entries: () =>
      gone([
        [3, 3],
        [1, 1],
      ]),
    found: ['withdrawals 4', 'withdrawals 1', 'withdrawals 3'],
  },
  'a machine whose data was withdrawn is enrolled again': {
    entries: async () => [
      ...(await gone([
        [1, 1],
        [3, 3],
      ])),
      await enrolment(other, at(9)),
    ],
    found: ['protocol 5'],
  },
};

/** The contents of `other`, which entries 1 and 3 are, gone; and a withdrawal that names these ranges. */
async function gone(entries: [number, number][]): Promise<Told[]> {
  return [await withdrawn('machine other', other.key.publicHex, entries, at(4))];
}

async function amended(index: number, hash: 'right' | 'wrong'): Promise<Told[]> {
  const first = await reportOn(machine, ticket, 'device', at(4));
  const report_hash = hash === 'right' ? (first.request?.hash ?? '') : 'ab'.repeat(32);
  const changes = { version: '1.1', amends: { report_hash, reason: 'dump-found' } };
  return [first, await reportOn(machine, ticket, 'captured', at(5), changes, index)];
}

/** A ticket that is a control, and the report that says that it was captured. */
async function falseCapture(of: SampleMachine, minute: number): Promise<Told[]> {
  const body = {
    ...of.tickets('cd'.repeat(16), ['direct/panic/idle/none']),
    version: '1.1' as const,
    controls: true,
    offline: false,
  };
  const [plain] = await tickets(of, `controlled ${of.key.publicHex}`, at(minute), undefined, {
    control: true,
  });
  if (plain === undefined) throw new Error('there is no ticket');
  const control = { ...plain, request: await signedBy('tickets', body, of.key) } as Told;
  return [control, await reportOn(of, control, 'captured', at(minute + 1))];
}

async function controlled(consequence: 'held' | 'free' | 'other'): Promise<Told[]> {
  const trial = await falseCapture(machine, 4);
  const next = await armedNote(machine, ticket, at(6));
  if (consequence === 'free') return [...trial, next];
  const held = consequence === 'held' ? machine : other;
  return [...trial, await ownDecided('machine', held.key.publicHex, at(5)), next];
}

/** Both machines report a false capture; the first one is held back, and of the second what `held` says. */
async function twiceControlled(
  owners: 'trusted' | 'unknown',
  held: readonly ('machine' | 'agent_version')[],
): Promise<Told[]> {
  const both = owners === 'trusted' ? ['owner', 'other owner'] : ['a third owner', 'a fourth owner'];
  const values = { machine: other.key.publicHex, agent_version: '0.1.0' } as const;
  return [
    ...(await Promise.all(both.map((name) => decided('vouch', 'owner', keyPair(name).publicHex, at(4))))),
    ...(await falseCapture(machine, 5)),
    await ownDecided('machine', machine.key.publicHex, at(6)),
    ...(await falseCapture(other, 7)),
    ...(await Promise.all(held.map((kind) => ownDecided(kind, values[kind], at(8))))),
    await armedNote(machine, ticket, at(9)),
  ];
}

async function rotated(from: string, to: string, atMs: number): Promise<Told> {
  const [key, next] = [keyPair(`machine ${from}`), keyPair(`machine ${to}`)];
  const row = { role: 'machine' as const, key: key.publicHex, next: next.publicHex };
  return {
    kind: 'rotate',
    row,
    request: await requestOf('rotate', rotation('machine', key, next, { created_at: created(atMs) })),
    atMs,
  };
}

async function successorReports(atMs: number): Promise<Told> {
  const key = keyPair('machine next');
  const told = await reportOn(machine, ticket, 'captured', atMs, { machine: key.publicHex });
  const body = JSON.parse(Buffer.from(told.request?.payload ?? []).toString()) as object;
  return { ...told, request: await signedBy('report', body, key) } as Told;
}

async function revoked(owner: string, key: string, from_index: number, atMs: number): Promise<Told> {
  const envelope = revocation(keyPair(owner), 'machine', key, from_index, created(atMs));
  return {
    kind: 'revoke',
    row: { role: 'machine', key, from_index },
    request: await requestOf('revoke', envelope),
    atMs,
  };
}

describe('a survey in which', () => {
  it.each(Object.entries(cases))('%s', async (name, { entries, found }) => {
    const isGone = name.includes('withdraw');
    const beginning = begun.map(
      (told, i) => (isGone && (i === 1 || i === 3) ? { ...told, isGone } : told) as Told,
    );
    const report = await auditFiles(await surveyOf([...beginning, ...(await entries())]), log.verifierKey);
    expect(report.lacking).toEqual([]);
    expect(foundIn(report), JSON.stringify(report.tally.findings(), null, 1)).toEqual(found);
    expect(report.isTreeRight).toBe(true);
  });
});

describe('entries of before the log had a tree', () => {
  it('are counted as never kept, and nothing without a signature may come after them', async () => {
    const unsigned = (told: Told) => ({ ...told, request: null }) as Told;
    const [earlier] = await tickets(machine, 'earlier', at(0));
    const reported = await reportOn(machine, earlier as Told, 'captured', at(1));
    const carried = [
      unsigned(earlier as Told),
      unsigned(await armedNote(machine, earlier as Told, at(0))),
      reported,
    ];
    const enrolled = unsigned(await enrolment(machine, at(-9)));
    const later = await tickets(machine, 'later', at(2));
    const report = await auditFiles(await surveyOf([...carried, enrolled, ...later]), log.verifierKey);
    expect(foundIn(report)).toEqual([]);
    expect(report.tally.counts().envelopes).toMatchObject({ ok: 2, unkept: 3 });
    // The carried report follows from its request; the later ticket depends on a profile that was not kept.
    expect(report.tally.counts().derivation).toMatchObject({ rebuilt: 1, unkept: 4 });
    const slipped = unsigned(await armedNote(machine, later[0] as Told, at(3)));
    const lying = await auditFiles(
      await surveyOf([...carried, enrolled, ...later, slipped]),
      log.verifierKey,
    );
    expect(foundIn(lying)).toEqual(['protocol 5']);
  });
});
