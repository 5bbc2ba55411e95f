/**
 * Attacks on the protocol: one row for each, with what the attacker tries and what stops it. Rows that end in "counts"
 * or "works" are attacks that nothing stops: they are here so that nobody believes otherwise.
 * docs/threat-model.md tells of them by these names.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatusAnswer } from '../../schema/answer/status.ts';
import {
  type Envelope,
  type PayloadKind,
  payloadKinds,
  payloadType,
  powBits,
} from '../../schema/envelope.ts';
import type { EntryAnswer, Receipt, Ticket } from '../../schema/wire.ts';
import { type RunningServer, startServer } from '../../worker/node.ts';
import { ownerTrialsMax } from '../../worker/statistics/cell.ts';
import {
  admit,
  cellOf,
  enrol,
  eventually,
  get,
  labelsOf,
  paths,
  post,
  postRaw,
  rowCounts,
  runTrial,
  settled,
  shortly,
  statistics,
  takeTicket,
  takeTickets,
} from './client.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import {
  amendment,
  decision,
  type Fate,
  hashOf,
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
  work,
} from './samples.ts';

const operator = keyPair('operator');
const hourMs = 3600_000;
const dayMs = 24 * hourMs;

interface Row {
  readonly attack: string;
  /** What stops it, or what comes of it. */
  readonly stops: string;
  readonly run: (w: World) => Promise<void>;
}

/** What the rows work with. */
interface World {
  readonly runtime: Runtime;
  readonly url: string;
  /** Another survey, with another log and another operator. */
  readonly elsewhere: string;
  readonly setClock: (ms: number) => Promise<void>;
  /** The time by the server's clock. */
  readonly now: () => number;
}

async function enrolled({ url }: World, who: string, ownerName = 'owner'): Promise<SampleMachine> {
  const machine = sampleMachine(who, sampleProfile(who.replaceAll(' ', '_')), ownerName);
  await enrol(url, machine);
  return machine;
}
const cell = ({ runtime }: World, who: string) => cellOf(runtime, who.replaceAll(' ', '_'));
const sent = async ({ url }: World, kind: PayloadKind, envelope: Envelope) =>
  shortly(await post(url, kind, envelope));
const armedOn = (machine: SampleMachine, ticket: Ticket, atMs: number) =>
  seal('armed', machine.armed(ticket, atMs), machine.key);
const reportOn = (machine: SampleMachine, ticket: Ticket, fate: Fate, atMs: number) =>
  seal('report', machine.report(ticket, fate, atMs), machine.key);
const requestOf = (machine: SampleMachine, name: string, count = 1) =>
  seal('tickets', machine.tickets(requestId(name), Array(count).fill(simpleScenario)), machine.key);
const vouch = ({ url, now }: World, ownerName: string) =>
  admit<EntryAnswer>(
    url,
    'decision',
    decision(operator, 'vouch', 'owner', keyPair(ownerName).publicHex, {
      created_at: new Date(now()).toISOString(),
    }),
  );

/** One envelope of each kind, all of them admitted, of a machine and an owner of their own. */
async function captured(w: World, who: string): Promise<Record<PayloadKind, Envelope>> {
  const ownerName = `owner of ${who}`;
  const machine = sampleMachine(who, sampleProfile(), ownerName);
  const sister = sampleMachine(`sister of ${who}`, sampleProfile(), ownerName);
  const gone = sampleMachine(`gone of ${who}`, sampleProfile(), ownerName);
  await vouch(w, ownerName);
  const envelopes: Partial<Record<PayloadKind, Envelope>> = {};
  const keep = async <T>(kind: PayloadKind, envelope: Envelope): Promise<T> => {
    envelopes[kind] = envelope;
    return admit<T>(w.url, kind, envelope);
  };
  await keep('enrol', seal('enrol', machine.enrol(), machine.key));
  for (const other of [sister, gone]) await enrol(w.url, other);
  const { tickets } = await keep<{ tickets: Ticket[] }>('tickets', requestOf(machine, who));
  await keep('armed', armedOn(machine, tickets[0] as Ticket, w.now()));
  await keep('report', reportOn(machine, tickets[0] as Ticket, 'captured', w.now()));
  await keep('rotate', rotation('machine', sister.key, keyPair(`next sister of ${who}`)));
  await keep('revoke', revocation(machine.owner, 'machine', sister.key.publicHex, 0));
  await keep('withdraw', withdrawal(machine.owner, 'machine', gone.key.publicHex));
  await keep('invite', invitation(machine.owner, keyPair(`friend of ${who}`).publicHex));
  await keep('decision', decision(operator, 'quarantine', 'agent_version', `of ${who}`));
  return envelopes as Record<PayloadKind, Envelope>;
}

const replays: readonly Row[] = [
  {
    attack: 'every kind of envelope again',
    stops: 'each is answered as the first time, and nothing is stored',
    run: async (w) => {
      const envelopes = await captured(w, 'replayed');
      const before = await rowCounts(w.runtime);
      for (const kind of payloadKinds)
        expect([kind, await sent(w, kind, envelopes[kind])]).toEqual([kind, '200']);
      expect(await rowCounts(w.runtime)).toEqual(before);
    },
  },
  {
    attack: 'every kind of envelope to every other address, also under the type of that address',
    stops: 'the type must be that of the address, and the signature covers it',
    run: async (w) => {
      const envelopes = await captured(w, 'misdirected');
      const before = await rowCounts(w.runtime);
      for (const kind of payloadKinds) {
        for (const other of payloadKinds.filter((k) => k !== kind)) {
          const relabeled = { ...envelopes[kind], payloadType: payloadType(other) };
          for (const [envelope, short] of [
            [envelopes[kind], '415 wrong-payload-type'],
            [relabeled, '401 wrong-signature'],
          ] as const) {
            const answer = await postRaw(w.url, paths[other], JSON.stringify(envelope));
            expect([kind, other, shortly(answer)]).toEqual([kind, other, short]);
          }
        }
      }
      expect(await rowCounts(w.runtime)).toEqual(before);
    },
  },
  {
    attack: 'every kind of envelope after the rotation of the keys that signed it',
    stops: 'each is answered as before; an old enrolment is refused; nothing is stored',
    run: async (w) => {
      const envelopes = await captured(w, 'outdated');
      const key = keyPair('machine outdated');
      await admit(w.url, 'rotate', rotation('machine', key, keyPair('machine outdated on')));
      await admit(
        w.url,
        'rotate',
        rotation('owner', keyPair('owner of outdated'), keyPair('owner of outdated on')),
      );
      const before = await rowCounts(w.runtime);
      for (const kind of payloadKinds) {
        const short = kind === 'enrol' ? '403 rotated-key' : '200';
        expect([kind, await sent(w, kind, envelopes[kind])]).toEqual([kind, short]);
      }
      expect(await rowCounts(w.runtime)).toEqual(before);
    },
  },
  {
    attack: 'every kind of envelope after the withdrawal of its owner',
    stops: 'what was withdrawn is refused; what stays in the log is answered as before; nothing is stored',
    run: async (w) => {
      const envelopes = await captured(w, 'forgotten');
      const owner = keyPair('owner of forgotten');
      await admit(w.url, 'withdraw', withdrawal(owner, 'owner', owner.publicHex));
      const stays: readonly PayloadKind[] = ['revoke', 'withdraw', 'invite', 'decision'];
      const before = await rowCounts(w.runtime);
      for (const kind of payloadKinds) {
        const short = stays.includes(kind) ? '200' : '410 withdrawn-key';
        expect([kind, await sent(w, kind, envelopes[kind])]).toEqual([kind, short]);
      }
      expect(await rowCounts(w.runtime)).toEqual(before);
    },
  },
  {
    attack: 'every kind of envelope at another survey, where nobody knows the keys',
    stops: 'it enrols the machine there, and is refused in all else',
    run: async (w) => {
      const envelopes = await captured(w, 'exported');
      const short = async (kind: PayloadKind) => shortly(await post(w.elsewhere, kind, envelopes[kind]));
      expect(await short('tickets')).toBe('404 unknown-machine');
      expect(await short('revoke')).toBe('404 unknown-owner');
      expect(await short('enrol')).toBe('201');
      expect(await short('armed')).toBe('404 unknown-ticket');
      expect(await short('report')).toBe('404 unknown-ticket');
      expect(await short('rotate')).toBe('404 unknown-machine');
      expect(await short('withdraw')).toBe('404 unknown-machine');
      expect(await short('invite')).toBe('403 not-trusted');
      expect(await short('decision')).toBe('403 not-an-operator');
    },
  },
  {
    attack: 'every kind of envelope at another survey, which has the same keys',
    stops: 'works within a day of the signature for what changes keys; trials need a ticket of that log',
    run: async (w) => {
      const envelopes = await captured(w, 'imported');
      const there = { ...w, url: w.elsewhere };
      for (const who of ['imported', 'sister of imported', 'gone of imported'])
        await enrol(w.elsewhere, sampleMachine(who, sampleProfile(), 'owner of imported'));
      expect(await sent(there, 'armed', envelopes.armed)).toBe('404 unknown-ticket');
      expect(await sent(there, 'report', envelopes.report)).toBe('404 unknown-ticket');
      for (const kind of ['tickets', 'rotate', 'revoke', 'withdraw'] as const)
        expect([kind, await sent(there, kind, envelopes[kind])]).toEqual([kind, '201']);
      expect(await sent(there, 'invite', envelopes.invite)).toBe('403 not-trusted');
      expect(await sent(there, 'decision', envelopes.decision)).toBe('403 not-an-operator');
    },
  },
  {
    attack: 'a signed change of keys or trust, refused or held up, sent when it suits',
    stops: 'created_at: it takes effect within a day of its signature, or never',
    run: async (w) => {
      const machine = await enrolled(w, 'patient', 'owner of patient');
      await vouch(w, 'owner of patient');
      const { publicHex } = machine.key;
      const kept: readonly [PayloadKind, Envelope][] = [
        ['rotate', rotation('machine', machine.key, keyPair('machine patient on'))],
        ['revoke', revocation(machine.owner, 'machine', publicHex, 0)],
        ['invite', invitation(machine.owner, keyPair('friend of patient').publicHex)],
        ['decision', decision(operator, 'quarantine', 'machine', publicHex)],
        ['withdraw', withdrawal(machine.owner, 'machine', publicHex)],
      ];
      await w.setClock(dayMs + hourMs);
      const before = await rowCounts(w.runtime);
      for (const [kind, envelope] of kept)
        expect([kind, await sent(w, kind, envelope)]).toEqual([kind, '422 untimely-request']);
      expect(await rowCounts(w.runtime)).toEqual(before);
      await w.setClock(dayMs - hourMs);
      for (const [kind, envelope] of kept.slice(1))
        expect([kind, await sent(w, kind, envelope)]).toEqual([kind, '201']);
      // What was admitted is answered again, however old it is.
      await w.setClock(400 * dayMs);
      for (const [kind, envelope] of kept.slice(1))
        expect([kind, await sent(w, kind, envelope)]).toEqual([kind, '200']);
    },
  },
];

const tickets: readonly Row[] = [
  {
    attack: 'the nonce of another machine',
    stops: 'a ticket is the machine’s that asked for it',
    run: async (w) => {
      const [victim, thief] = [await enrolled(w, 'victim'), await enrolled(w, 'thief', 'owner of thief')];
      const ticket = await takeTicket(w.url, victim, 'victim');
      const before = await rowCounts(w.runtime);
      expect(await sent(w, 'armed', armedOn(thief, ticket, w.now()))).toBe('403 foreign-ticket');
      expect(await sent(w, 'report', reportOn(thief, ticket, 'hang', w.now()))).toBe('403 foreign-ticket');
      const posing = seal('report', victim.report(ticket, 'hang', w.now()), thief.key);
      expect(await sent(w, 'report', posing)).toBe('403 key-mismatch');
      expect(await rowCounts(w.runtime)).toEqual(before);
      expect(await sent(w, 'report', reportOn(victim, ticket, 'captured', w.now()))).toBe('201');
    },
  },
  {
    attack: 'hoarding: many tickets, to use those whose result is liked',
    stops: 'open tickets are limited; what is dropped is counted and published, and limited in 30 days',
    run: async (w) => {
      const machine = await enrolled(w, 'hoarder', 'owner of hoarder');
      const { unused } = ((await get(w.url, '/v1/status')).json as StatusAnswer).tickets;
      const taken: Ticket[] = [];
      for (const part of ['a', 'b'])
        taken.push(...(await takeTickets(w.url, machine, `hoarder ${part}`, Array(64).fill(simpleScenario))));
      expect(await sent(w, 'tickets', requestOf(machine, 'hoarder c'))).toBe('409 too-many-tickets');
      await admit(w.url, 'report', reportOn(machine, taken[0] as Ticket, 'captured', w.now()));
      await w.setClock(49 * hourMs);
      const after = ((await get(w.url, '/v1/status')).json as StatusAnswer).tickets;
      expect(after.unused - unused).toBeGreaterThanOrEqual(127);
    },
  },
  {
    attack: 'a crash without an armed note, reported only where its result is liked',
    stops: 'counts; the ticket that is dropped is unused',
    run: async (w) => {
      const machine = await enrolled(w, 'choosy');
      const [liked, dropped] = (await takeTickets(w.url, machine, 'choosy', [
        simpleScenario,
        simpleScenario,
      ])) as [Ticket, Ticket];
      await admit(w.url, 'report', reportOn(machine, liked, 'captured', w.now()));
      await w.setClock(49 * hourMs);
      expect(await cell(w, 'choosy')).toMatchObject({ trials: 1, captured: 1, no_reply: 0 });
      // Also later, if it is liked better by then.
      await admit(w.url, 'report', reportOn(machine, dropped, 'captured', w.now()));
      expect(await cell(w, 'choosy')).toMatchObject({ trials: 2, captured: 2 });
    },
  },
  {
    attack: 'an armed note after the crash, dated before it',
    stops: 'counts as any other; whoever leaves it out leaves an unused ticket',
    run: async (w) => {
      const machine = await enrolled(w, 'backdater');
      const ticket = await takeTicket(w.url, machine, 'backdater');
      await w.setClock(40 * hourMs);
      const note = armedOn(machine, ticket, Date.parse(ticket.issued_at));
      expect(await sent(w, 'armed', note)).toBe('201');
      expect(await sent(w, 'report', reportOn(machine, ticket, 'captured', w.now()))).toBe('201');
      expect(await cell(w, 'backdater')).toMatchObject({ trials: 1, captured: 1 });
    },
  },
  {
    attack: 'an armed note of a trial that was armed too late',
    stops: 'arm_by, if the machine tells the truth',
    run: async (w) => {
      const machine = await enrolled(w, 'dawdler');
      const ticket = await takeTicket(w.url, machine, 'dawdler');
      await w.setClock(25 * hourMs);
      expect(await sent(w, 'armed', armedOn(machine, ticket, w.now()))).toBe('409 arm-too-late');
    },
  },
  {
    attack: 'an armed note after the deadline of the report',
    stops: 'counts as no_reply at once, until a report comes',
    run: async (w) => {
      const machine = await enrolled(w, 'afterthought');
      const ticket = await takeTicket(w.url, machine, 'afterthought');
      await w.setClock(50 * hourMs);
      expect(await cell(w, 'afterthought')).toBeNull();
      await admit(w.url, 'armed', armedOn(machine, ticket, Date.parse(ticket.arm_by)));
      expect(await cell(w, 'afterthought')).toMatchObject({ trials: 1, no_reply: 1 });
      const receipt = await admit<Receipt>(w.url, 'report', reportOn(machine, ticket, 'captured', w.now()));
      expect(await labelsOf(w.url, receipt.report_id)).toContain('late');
      expect(await cell(w, 'afterthought')).toMatchObject({ trials: 1, captured: 1, no_reply: 0 });
    },
  },
  {
    attack: 'withdrawing the machines whose results are not liked',
    stops: 'works; every edition says how many entries were withdrawn',
    run: async (w) => {
      const liked = await enrolled(w, 'kept by choice');
      const profile = JSON.parse(liked.profileText);
      const twin = sampleMachine('twin by choice', profile);
      await enrol(w.url, twin);
      await runTrial(w.url, liked, 'kept by choice', 'captured');
      await runTrial(w.url, twin, 'gone by choice', 'hang');
      const number = await settled(w.runtime);
      expect(await cell(w, 'kept by choice')).toMatchObject({ trials: 2, captured: 1 });
      await admit(w.url, 'withdraw', withdrawal(twin.key, 'machine', twin.key.publicHex));
      expect(await cell(w, 'kept by choice')).toMatchObject({ trials: 1, captured: 1 });
      const edition = (await get(w.url, `/v1/editions/${number}`)).json as { withdrawn: number };
      expect(edition.withdrawn).toBeGreaterThanOrEqual(3);
    },
  },
];

const thefts: readonly Row[] = [
  {
    attack: 'a stolen machine key, after its revocation',
    stops: 'it begins nothing, counts nothing, unsays nothing and takes nothing away; the owner may',
    run: async (w) => {
      const machine = await enrolled(w, 'stolen');
      const { ticket, envelope, receipt } = await runTrial(w.url, machine, 'stolen', 'captured');
      const open = await takeTicket(w.url, machine, 'stolen too');
      const { publicHex } = machine.key;
      await admit(w.url, 'revoke', revocation(machine.owner, 'machine', publicHex, receipt.log_index + 1));
      expect(await sent(w, 'tickets', requestOf(machine, 'stolen again'))).toBe('403 revoked-key');
      expect(await sent(w, 'rotate', rotation('machine', machine.key, keyPair('stolen on')))).toBe(
        '403 revoked-key',
      );
      expect(await sent(w, 'report', reportOn(machine, open, 'hang', w.now()))).toBe('201');
      const amends = { report_hash: hashOf('report', envelope), reason: 'dump-lost' } as const;
      expect(await sent(w, 'report', amendment(machine, ticket, 'hang', w.now(), amends))).toBe('201');
      expect(await sent(w, 'withdraw', withdrawal(machine.key, 'machine', publicHex))).toBe(
        '403 revoked-key',
      );
      expect(await cell(w, 'stolen')).toMatchObject({ trials: 1, captured: 1 });
      expect(await sent(w, 'withdraw', withdrawal(machine.owner, 'machine', publicHex))).toBe('201');
      expect(await cell(w, 'stolen')).toBeNull();
    },
  },
  {
    attack: 'a stolen owner key',
    stops:
      'the operator ends the trust and revokes it; until then it can do all that the owner can, and withdraw always',
    run: async (w) => {
      const machine = await enrolled(w, 'dispossessed', 'dispossessed owner');
      const owner = machine.owner.publicHex;
      await vouch(w, 'dispossessed owner');
      const { receipt } = await runTrial(w.url, machine, 'dispossessed', 'captured');
      const from_index = receipt.log_index + 1;
      await admit(w.url, 'decision', decision(operator, 'revoke', 'owner', owner, { from_index }));
      const friend = keyPair('friend of the thief');
      expect(await sent(w, 'rotate', rotation('owner', machine.owner, friend))).toBe('403 revoked-key');
      expect(await sent(w, 'invite', invitation(machine.owner, friend.publicHex))).toBe('403 not-trusted');
      const late = await enrolled(w, 'dispossessed too', 'dispossessed owner');
      expect(await sent(w, 'tickets', requestOf(late, 'dispossessed too'))).toBe('403 revoked-key');
      expect(await cell(w, 'dispossessed')).toMatchObject({ trials: 1 });
      expect(await sent(w, 'withdraw', withdrawal(machine.owner, 'owner', owner))).toBe('201');
      expect(await cell(w, 'dispossessed')).toBeNull();
    },
  },
];

const crowds: readonly Row[] = [
  {
    attack: 'a crowd of machines of owners whom nobody trusts',
    stops: 'each key costs about 65,000 hashes; such owners weigh nothing',
    run: async (w) => {
      const crowd = Array.from({ length: 12 }, (_, i) =>
        sampleMachine(`ground ${i}`, sampleProfile('ground'), `ground owner ${i}`),
      );
      const hashes = crowd.map(({ key }) => work(key.publicHex) + 1);
      const mean = hashes.reduce((sum, n) => sum + n, 0) / hashes.length;
      // A geometric distribution: the mean of 12 has a standard deviation of 29 %.
      expect(mean).toBeGreaterThan(2 ** powBits / 3);
      expect(mean).toBeLessThan(2 ** powBits * 3);
      for (const machine of crowd) {
        await enrol(w.url, machine);
        await runTrial(w.url, machine, 'ground', 'captured');
      }
      expect(await cell(w, 'ground')).toBeNull();
    },
  },
  {
    attack: 'a crowd of machines of one trusted owner',
    stops: 'one owner has at most 30 trials in a cell, whatever machines they are of',
    run: async (w) => {
      await vouch(w, 'legion');
      for (let i = 0; i < 4; i++) {
        const machine = sampleMachine(`legion ${i}`, sampleProfile('legion'), 'legion');
        await enrol(w.url, machine);
        for (const ticket of await takeTickets(w.url, machine, 'legion', Array(10).fill(simpleScenario)))
          await admit(w.url, 'report', reportOn(machine, ticket, 'captured', w.now()));
      }
      expect(await cell(w, 'legion')).toMatchObject({ trials: ownerTrialsMax });
    },
  },
  {
    attack: 'a machine under a key without the work, or with the work of another key',
    stops: 'the proof of work is over the key',
    run: async (w) => {
      const [poor, rich] = [sampleMachine('poor'), sampleMachine('rich')];
      for (const counter of [0, work(rich.key.publicHex)])
        expect(await sent(w, 'enrol', seal('enrol', poor.enrol({ work: { counter } }), poor.key))).toBe(
          '422 insufficient-work',
        );
    },
  },
  {
    attack: 'a machine under an owner who has not signed for it',
    stops: 'the owner signs the machine’s key',
    run: async (w) => {
      const parasite = sampleMachine('parasite');
      const owner = keyPair('legion').publicHex;
      expect(await sent(w, 'enrol', seal('enrol', parasite.enrol({ owner }), parasite.key))).toBe(
        '422 wrong-owner-signature',
      );
    },
  },
  {
    attack: 'false captures of controls by a crowd, to have everybody’s reports held back',
    stops: 'only trusted owners’ false captures hold back a version of the agent',
    run: async (w) => {
      const bystander = await enrolled(w, 'besieged');
      await runTrial(w.url, bystander, 'besieged', 'captured');
      for (let i = 0; i < 3; i++) {
        const liar = await enrolled(w, `besieger ${i}`, `besieger owner ${i}`);
        // With the usual share of controls an attacker asks until he is given one.
        const request = ticketsRequest(liar, 'besieger', Array(64).fill(simpleScenario), { controls: true });
        const { tickets: given } = await admit<{ tickets: Ticket[] }>(w.url, 'tickets', request);
        const control = given.find((ticket) => ticket.control) as Ticket;
        expect(control.control).toBe(true);
        const receipt = await admit<Receipt>(w.url, 'report', reportOn(liar, control, 'captured', w.now()));
        expect(await labelsOf(w.url, receipt.report_id)).toEqual([
          'enrolled',
          'quarantined',
          'control',
          'false-capture',
        ]);
      }
      expect(await cell(w, 'besieged')).toMatchObject({ trials: 1 });
    },
  },
  {
    attack: 'a forged report of a trusted owner with root rights',
    stops: 'counts; only vouching, the cap of one owner and reference machines limit what it does',
    run: async (w) => {
      const forger = await enrolled(w, 'forger', 'forging owner');
      await vouch(w, 'forging owner');
      // Nothing crashed: signature, evidence and outcome are as good as anybody's.
      await runTrial(w.url, forger, 'forger', 'captured');
      expect(await cell(w, 'forger')).toMatchObject({ trials: 1, captured: 1 });
    },
  },
];

const clocks: readonly Row[] = [
  {
    attack: 'dates of enrolments and requests for tickets that are wrong, either way',
    stops: 'nobody goes by them: deadlines are of the server’s clock',
    run: async (w) => {
      for (const [i, created_at] of ['1970-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'].entries()) {
        const machine = sampleMachine(`timeless ${i}`);
        expect(await sent(w, 'enrol', seal('enrol', machine.enrol({ created_at }), machine.key))).toBe('201');
        const body = machine.tickets(requestId('timeless'), [simpleScenario], { created_at });
        const { tickets: given } = await admit<{ tickets: Ticket[] }>(
          w.url,
          'tickets',
          seal('tickets', body, machine.key),
        );
        expect(Math.abs(Date.parse(given[0]?.issued_at ?? '') - w.now())).toBeLessThan(60_000);
      }
    },
  },
  {
    attack: 'dates of armed notes and reports that are wrong, either way',
    stops: 'none is taken from the future; the past changes no deadline and no label',
    run: async (w) => {
      const machine = await enrolled(w, 'clockless');
      const [one, two, three] = (await takeTickets(
        w.url,
        machine,
        'clockless',
        Array(3).fill(simpleScenario),
      )) as [Ticket, Ticket, Ticket];
      const ahead = w.now() + 11 * 60_000;
      expect(await sent(w, 'armed', armedOn(machine, one, ahead))).toBe('422 report-from-future');
      expect(await sent(w, 'armed', armedOn(machine, one, w.now() + 99 * dayMs))).toBe('409 arm-too-late');
      expect(await sent(w, 'report', reportOn(machine, one, 'captured', ahead))).toBe(
        '422 report-from-future',
      );
      expect(await sent(w, 'armed', armedOn(machine, one, 0))).toBe('201');
      const early = await admit<Receipt>(w.url, 'report', reportOn(machine, one, 'captured', 20_000));
      expect(await labelsOf(w.url, early.report_id)).toEqual(['enrolled', 'reference']);
      const odd = machine.report(two, 'captured', w.now(), { armed_at: '9999-12-31T23:59:59.999Z' });
      expect(await sent(w, 'report', seal('report', odd, machine.key))).toBe('201');
      await w.setClock(49 * hourMs);
      // It says that it came in time: the server knows better.
      const late = await admit<Receipt>(
        w.url,
        'report',
        reportOn(machine, three, 'captured', Date.parse(three.issued_at)),
      );
      expect(await labelsOf(w.url, late.report_id)).toEqual(['enrolled', 'reference', 'late']);
    },
  },
  {
    attack: 'dates of changes of keys and trust that are wrong, either way',
    stops: 'refused: a day old at most, and 10 minutes ahead at most',
    run: async (w) => {
      const machine = await enrolled(w, 'dated', 'owner of dated');
      await vouch(w, 'owner of dated');
      const { publicHex } = machine.key;
      const before = await rowCounts(w.runtime);
      for (const created_at of [
        '1970-01-01T00:00:00.000Z',
        new Date(w.now() + 11 * 60_000).toISOString(),
        '9999-12-31T23:59:59.999Z',
      ]) {
        const changes: readonly [PayloadKind, Envelope][] = [
          ['rotate', rotation('machine', machine.key, keyPair('machine dated on'), { created_at })],
          ['revoke', revocation(machine.owner, 'machine', publicHex, 0, created_at)],
          ['withdraw', withdrawal(machine.key, 'machine', publicHex, created_at)],
          ['invite', invitation(machine.owner, keyPair('friend of dated').publicHex, created_at)],
          ['decision', decision(operator, 'quarantine', 'machine', publicHex, { created_at })],
        ];
        for (const [kind, envelope] of changes)
          expect([kind, await sent(w, kind, envelope)]).toEqual([kind, '422 untimely-request']);
      }
      expect(await rowCounts(w.runtime)).toEqual(before);
    },
  },
  {
    attack: 'the server’s clock jumps ahead by a year, and back',
    stops:
      'the log, tickets and editions go on; for that year, whoever arms counts as silent until he reports',
    run: async (w) => {
      const machine = await enrolled(w, 'jumped');
      const all = await takeTickets(w.url, machine, 'jumped', Array(3).fill(simpleScenario));
      const [silent, open, later] = all as [Ticket, Ticket, Ticket];
      await admit(w.url, 'armed', armedOn(machine, silent, w.now()));
      await w.setClock(500 * dayMs);
      const query = 'by=driver&population=lab&driver=jumped';
      await eventually(w.runtime, async () => (await statistics(w.url, query)).cells.length > 0);
      const { edition } = await statistics(w.url, query);
      const during = await takeTicket(w.url, machine, 'jumped, a year ahead');
      expect(Date.parse(during.report_by)).toBeGreaterThan(Date.now() + 500 * dayMs);
      expect(await sent(w, 'report', reportOn(machine, open, 'captured', w.now()))).toBe(
        '410 report-too-late',
      );

      await w.setClock(0);
      expect(await cell(w, 'jumped')).toMatchObject({ trials: 1, no_reply: 1 });
      expect(await sent(w, 'report', reportOn(machine, open, 'captured', w.now()))).toBe('201');
      const receipt = await admit<Receipt>(w.url, 'report', reportOn(machine, silent, 'captured', w.now()));
      expect(await labelsOf(w.url, receipt.report_id)).toEqual(['enrolled', 'reference']);
      expect(await cell(w, 'jumped')).toMatchObject({ trials: 2, captured: 2, no_reply: 0 });
      // A cut-off never goes back: what an edition has counted, the next one does not uncover.
      await admit(w.url, 'armed', armedOn(machine, later, w.now()));
      expect(await cell(w, 'jumped')).toMatchObject({ trials: 3, captured: 2, no_reply: 1 });
      await admit(w.url, 'report', reportOn(machine, later, 'captured', w.now()));
      expect(await cell(w, 'jumped')).toMatchObject({ trials: 3, captured: 3, no_reply: 0 });
      expect(await settled(w.runtime)).toBeGreaterThan(edition);
      expect(await sent(w, 'armed', armedOn(machine, during, w.now()))).toBe('201');
    },
  },
];

describe.each(runtimeNames)('on %s', (name) => {
  let world: World;
  let other: RunningServer;
  let data: string;
  beforeAll(async () => {
    const runtime = await startRuntime(name, { operators: [operator.publicHex], controlShare: 0.5 });
    data = await mkdtemp(join(tmpdir(), 'dumpsurvey-elsewhere-'));
    other = await startServer({
      port: 0,
      data,
      origin: 'elsewhere.test/log',
      operators: [keyPair('other operator').publicHex],
    });
    let offsetMs = 0;
    world = {
      runtime,
      url: runtime.url,
      elsewhere: other.url,
      now: () => Date.now() + offsetMs,
      setClock: async (ms) => {
        offsetMs = ms;
        await runtime.setClock(ms);
      },
    };
  });
  afterAll(async () => {
    await other.close();
    await world.runtime.stop();
    await rm(data, { recursive: true, force: true });
  });

  describe.each([
    ['replays', replays],
    ['tickets', tickets],
    ['thefts', thefts],
    ['crowds', crowds],
    ['clocks', clocks],
  ] as const)('%s', (_, rows) => {
    it.each(rows)('$attack: $stops', async ({ run }) => {
      await run(world);
      await world.setClock(0);
    });
  });
});
