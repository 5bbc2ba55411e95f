/** Keys that are replaced and keys whose trust is taken back, the same on every runtime. */
import nacl from 'tweetnacl';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../schema/bytes.ts';
import { rotationStatement } from '../../schema/envelope.ts';
import type { KeyRole } from '../../schema/vocabulary.ts';
import type { EntryAnswer, MachineAnswer, Receipt, TicketsAnswer } from '../../schema/wire.ts';
import {
  type Answer,
  admit,
  cellOf,
  enrol,
  labelsOf,
  lasting,
  logIndices,
  post,
  raced,
  rowCounts,
  runTrial,
  settled,
  shortly,
  takeTicket,
  takeTickets,
} from './client.ts';
import { changedEditions } from './editions.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import {
  amendment,
  decision,
  hashOf,
  invitation,
  type KeyPair,
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
import { flip, identityKey, nonCanonicalKey } from './spoil.ts';

const operator = keyPair('operator');

/** Twenty times the same request at the same moment. */
function twenty<T>(work: () => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: 20 }, work));
}

const onceOfTwenty = ['201', ...Array(19).fill('200')].sort();

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  let url: string;
  beforeAll(async () => {
    runtime = await startRuntime(name, { operators: [operator.publicHex] });
    ({ url } = runtime);
  });
  afterAll(() => runtime.stop());

  /** An enrolled machine with a driver of its own, so that its trials have a cell of their own. */
  async function enrolled(who: string, ownerName = 'owner'): Promise<SampleMachine> {
    const machine = sampleMachine(who, sampleProfile(driverOf(who)), ownerName);
    await enrol(url, machine);
    return machine;
  }
  const driverOf = (who: string) => who.replaceAll(' ', '_');

  /** The same machine under its next key. */
  async function rotated(machine: SampleMachine, who: string, ownerName = 'owner'): Promise<SampleMachine> {
    const next = sampleMachine(who, JSON.parse(machine.profileText), ownerName);
    await admit(url, 'rotate', rotation('machine', machine.key, next.key));
    return next;
  }

  const reportOn = (machine: SampleMachine, ticket: Parameters<SampleMachine['report']>[0]) =>
    seal('report', machine.report(ticket, 'captured', Date.now()), machine.key);
  const armedOn = (machine: SampleMachine, ticket: Parameters<SampleMachine['armed']>[0]) =>
    seal('armed', machine.armed(ticket, Date.now()), machine.key);
  const requestOf = (machine: SampleMachine, request: string) =>
    seal('tickets', machine.tickets(requestId(request), [simpleScenario]), machine.key);

  describe('rotation', () => {
    it.each<KeyRole>(['machine', 'owner'])(
      'of a %s key is admitted once, also twenty at once',
      async (role) => {
        const machine = await enrolled(`once ${role}`, `once owner ${role}`);
        const key = role === 'machine' ? machine.key : machine.owner;
        const next = keyPair(`once next ${role}`);
        const envelope = rotation(role, key, next);
        const before = await rowCounts(runtime);
        const answers = await twenty(() => post(url, 'rotate', envelope));
        expect(raced(answers)).toEqual(onceOfTwenty);
        expect(new Set(answers.map((answer) => JSON.stringify(lasting(answer)))).size).toBe(1);
        const { row } = (answers[0] as Answer).json as EntryAnswer;
        expect(JSON.parse(row)).toEqual({ role, key: key.publicHex, next: next.publicHex });
        const after = await rowCounts(runtime);
        expect((after.log_entries ?? 0) - (before.log_entries ?? 0)).toBe(1);
        expect((after[`${role}s`] ?? 0) - (before[`${role}s`] ?? 0)).toBe(1);
      },
    );

    it.each<KeyRole>(['machine', 'owner'])('of a %s key to two at once: one of them', async (role) => {
      const machine = await enrolled(`torn ${role}`, `torn owner ${role}`);
      const key = role === 'machine' ? machine.key : machine.owner;
      const envelopes = Array.from({ length: 8 }, (_, i) =>
        rotation(role, key, keyPair(`torn ${role} ${i}`)),
      );
      const answers = await Promise.all(envelopes.map((envelope) => post(url, 'rotate', envelope)));
      expect(answers.map(shortly).filter((short) => short === '201')).toHaveLength(1);
      for (const answer of answers)
        expect(['201', '403 rotated-key', '409 unacceptable-rotation']).toContain(shortly(answer));
      const { rows } = await runtime.database.execute({
        sql: `select count(*) as n from ${role}s where root = ?`,
        args: [key.publicHex],
      });
      expect(rows[0]?.n).toBe(2);
      // Whoever lost can be told so again, and nothing else.
      const again = await Promise.all(envelopes.map((envelope) => post(url, 'rotate', envelope)));
      expect(raced(again)).toEqual(['200', ...Array(7).fill('403 rotated-key')]);
    });

    it('leaves the old key only the end of what it began', async () => {
      const old = await enrolled('leaving');
      const [begun] = await takeTickets(url, old, 'leaving 1', [simpleScenario, simpleScenario]);
      const asked = requestOf(old, 'leaving 2');
      const answered = await admit<TicketsAnswer>(url, 'tickets', asked);
      const next = await rotated(old, 'left');
      const ticket = begun as NonNullable<typeof begun>;
      const upgraded = sampleMachine('leaving', sampleProfile('leaving', { memory_mib: 4096 }));
      const refused: [string, Promise<string>][] = [
        ['tickets', post(url, 'tickets', requestOf(old, 'leaving 3')).then(shortly)],
        ['enrol', post(url, 'enrol', seal('enrol', old.enrol(), old.key)).then(shortly)],
        ['enrol', post(url, 'enrol', seal('enrol', upgraded.enrol(), upgraded.key)).then(shortly)],
        ['rotate', post(url, 'rotate', rotation('machine', old.key, keyPair('left behind'))).then(shortly)],
        ['withdraw', post(url, 'withdraw', withdrawal(old.key, 'machine', old.key.publicHex)).then(shortly)],
      ];
      for (const [what, answer] of refused) expect([what, await answer]).toEqual([what, '403 rotated-key']);
      // What was answered before is answered again.
      expect((await admit<TicketsAnswer>(url, 'tickets', asked)).tickets).toEqual(answered.tickets);
      expect(shortly(await post(url, 'armed', armedOn(old, ticket)))).toBe('201');
      expect(shortly(await post(url, 'report', reportOn(old, ticket)))).toBe('201');
      // What the next one begins is not the old one's.
      const its = await takeTicket(url, next, 'left');
      expect(shortly(await post(url, 'armed', armedOn(old, its)))).toBe('403 foreign-ticket');
      expect(shortly(await post(url, 'report', reportOn(old, its)))).toBe('403 foreign-ticket');
    });

    it('gives the next key the profiles and the open tickets, and both count as one machine', async () => {
      const old = await enrolled('carried');
      const tickets = await takeTickets(url, old, 'carried', [
        simpleScenario,
        simpleScenario,
        simpleScenario,
      ]);
      const [first, second, third] = tickets as [
        (typeof tickets)[0],
        (typeof tickets)[0],
        (typeof tickets)[0],
      ];
      await admit(url, 'report', reportOn(old, first));
      const next = await rotated(old, 'carried on');
      await admit(url, 'armed', armedOn(next, second));
      await admit(url, 'report', reportOn(next, second));
      await admit(url, 'report', reportOn(old, third));
      await runTrial(url, next, 'carried on', 'device');
      expect(await cellOf(runtime, 'carried')).toMatchObject({ machines: 1, trials: 4, captured: 3 });
      const told = await admit<MachineAnswer>(url, 'enrol', seal('enrol', next.enrol(), next.key));
      expect(told).toMatchObject({ machine: next.key.publicHex, labels: ['enrolled', 'reference'] });
    });

    it('goes on: of three keys, the third ends what the first began, the second no longer', async () => {
      const first = await enrolled('chain 1');
      const [a, b, c] = await takeTickets(url, first, 'chain', [
        simpleScenario,
        simpleScenario,
        simpleScenario,
      ]);
      if (!a || !b || !c) throw new Error('three tickets were asked for');
      const second = await rotated(first, 'chain 2');
      const its = await takeTicket(url, second, 'chain 2');
      const third = await rotated(second, 'chain 3');
      expect(shortly(await post(url, 'report', reportOn(second, a)))).toBe('403 foreign-ticket');
      expect(shortly(await post(url, 'report', reportOn(third, a)))).toBe('201');
      expect(shortly(await post(url, 'report', reportOn(first, b)))).toBe('201');
      expect(shortly(await post(url, 'report', reportOn(second, its)))).toBe('201');
      expect(
        shortly(await post(url, 'report', reportOn(first, await takeTicket(url, third, 'chain 3')))),
      ).toBe('403 foreign-ticket');
      expect(shortly(await post(url, 'report', reportOn(third, c)))).toBe('201');
      expect(await cellOf(runtime, 'chain_1')).toMatchObject({ machines: 1, trials: 4 });
      // One report to a trial, whichever key sends it.
      expect(shortly(await post(url, 'report', reportOn(third, b)))).toBe('409 different-report');
    });

    it('carries the trust in an owner on to the next key', async () => {
      const machine = await enrolled('of old', 'old owner');
      await admit(url, 'decision', decision(operator, 'vouch', 'owner', machine.owner.publicHex));
      const nextOwner = keyPair('new owner');
      await admit(url, 'rotate', rotation('owner', machine.owner, nextOwner));
      const under = sampleMachine('of new', sampleProfile('of_old'), 'new owner');
      const answer = await admit<MachineAnswer>(url, 'enrol', seal('enrol', under.enrol(), under.key));
      expect(answer).toMatchObject({ owner: nextOwner.publicHex, labels: ['enrolled', 'vouched'] });
      await runTrial(url, machine, 'of old', 'captured');
      await runTrial(url, under, 'of new', 'captured');
      expect(await cellOf(runtime, 'of_old')).toMatchObject({ machines: 2, trials: 2 });

      const late = sampleMachine('too late', sampleProfile('of_old'), 'old owner');
      const invited = keyPair('whom the old owner wants').publicHex;
      const gone = '403 rotated-key';
      expect(shortly(await post(url, 'enrol', seal('enrol', late.enrol(), late.key)))).toBe(gone);
      expect(shortly(await post(url, 'invite', invitation(machine.owner, invited)))).toBe(gone);
      const key = machine.key.publicHex;
      expect(shortly(await post(url, 'revoke', revocation(machine.owner, 'machine', key, 0)))).toBe(gone);
      expect(shortly(await post(url, 'withdraw', withdrawal(machine.owner, 'machine', key)))).toBe(gone);
      expect(shortly(await post(url, 'invite', invitation(nextOwner, invited)))).toBe('201');
    });

    describe('refuses a next key', () => {
      let machine: SampleMachine;
      let key: KeyPair;
      beforeAll(async () => {
        const first = await enrolled('choosy 1', 'choosy owner');
        machine = await rotated(first, 'choosy 2', 'choosy owner');
        ({ key } = machine);
        await enrolled('somebody', 'some owner');
      });
      const by = (signer: KeyPair, next: string, from = key.publicHex) =>
        toHex(nacl.sign.detached(rotationStatement(fromHex(from), fromHex(next)), signer.secretKey));
      const fresh = keyPair('choosy 3');

      it.each<[string, string, () => ReturnType<typeof rotation>]>([
        [
          'of another machine',
          '409 unacceptable-rotation',
          () => rotation('machine', key, keyPair('machine somebody')),
        ],
        ['of an owner', '409 unacceptable-rotation', () => rotation('machine', key, keyPair('some owner'))],
        [
          'of its own past',
          '409 unacceptable-rotation',
          () => rotation('machine', key, keyPair('machine choosy 1')),
        ],
        ['that is itself', '409 unacceptable-rotation', () => rotation('machine', key, key)],
        [
          'that did not sign',
          '401 wrong-signature',
          () => rotation('machine', key, fresh, { next_signature: by(key, fresh.publicHex) }),
        ],
        [
          'that signed for another key',
          '401 wrong-signature',
          () =>
            rotation('machine', key, fresh, {
              next_signature: by(fresh, fresh.publicHex, keyPair('owner').publicHex),
            }),
        ],
        [
          'of small order',
          '422 unacceptable-key',
          () => rotation('machine', key, fresh, { next: identityKey }),
        ],
        [
          'that is not canonical',
          '422 unacceptable-key',
          () => rotation('machine', key, fresh, { next: nonCanonicalKey }),
        ],
        [
          'with S + L',
          '422 malleable-signature',
          () => rotation('machine', key, fresh, { next_signature: `${'22'.repeat(32)}${'ff'.repeat(32)}` }),
        ],
        [
          'over which the old signature is wrong',
          '401 wrong-signature',
          () => flip(rotation('machine', key, fresh)),
        ],
        ['of a machine, said to be an owner', '404 unknown-owner', () => rotation('owner', key, fresh)],
        [
          'of a machine that nobody enrolled',
          '404 unknown-machine',
          () => rotation('machine', keyPair('nobody'), fresh),
        ],
      ])('%s: %s', async (_, short, envelope) => {
        const before = await rowCounts(runtime);
        expect(shortly(await post(url, 'rotate', envelope()))).toBe(short);
        expect(await rowCounts(runtime)).toEqual(before);
      });

      it('and takes it where nothing is wrong', async () => {
        expect(shortly(await post(url, 'rotate', rotation('machine', key, fresh)))).toBe('201');
      });
    });

    it('of a key that was revoked is refused, by whomever it was revoked', async () => {
      const machine = await enrolled('stolen', 'robbed owner');
      const other = await enrolled('not stolen', 'robbed owner');
      const size = (await logIndices(runtime)).length;
      await admit(url, 'revoke', revocation(machine.owner, 'machine', machine.key.publicHex, size));
      const rotate = (m: SampleMachine, to: string) =>
        post(url, 'rotate', rotation('machine', m.key, keyPair(to))).then(shortly);
      expect(await rotate(machine, 'stolen on')).toBe('403 revoked-key');
      expect(await rotate(other, 'not stolen on')).toBe('201');
      const owner = machine.owner.publicHex;
      const all = decision(operator, 'revoke', 'owner', owner, { from_index: size });
      await admit(url, 'decision', all);
      expect(shortly(await post(url, 'rotate', rotation('owner', machine.owner, keyPair('robbed on'))))).toBe(
        '403 revoked-key',
      );
      const third = sampleMachine('third of robbed', sampleProfile(), 'robbed owner');
      await enrol(url, third);
      expect(await rotate(third, 'third of robbed on')).toBe('403 revoked-key');
    });
  });

  describe('revocation', () => {
    it('by the owner takes what came from an index on, and nothing before', async () => {
      const machine = await enrolled('lost');
      const good = await runTrial(url, machine, 'lost 1', 'captured');
      const bad = await runTrial(url, machine, 'lost 2', 'captured');
      const [open, silent] = await takeTickets(url, machine, 'lost 3', [simpleScenario, simpleScenario]);
      if (!open || !silent) throw new Error('two tickets were asked for');
      expect(await cellOf(runtime, 'lost')).toMatchObject({ trials: 2 });
      const envelope = revocation(machine.owner, 'machine', machine.key.publicHex, bad.receipt.log_index);
      expect(shortly(await post(url, 'revoke', envelope))).toBe('201');

      expect(await cellOf(runtime, 'lost')).toMatchObject({ trials: 1, captured: 1 });
      expect(await labelsOf(url, good.receipt.report_id)).toEqual(['enrolled', 'reference']);
      expect(await labelsOf(url, bad.receipt.report_id)).toEqual(['enrolled', 'reference', 'revoked']);
      // Accepted and labeled, never dropped silently.
      const later = await admit<Receipt>(url, 'report', reportOn(machine, open));
      expect(await labelsOf(url, later.report_id)).toEqual(['enrolled', 'reference', 'revoked']);
      await admit(url, 'armed', armedOn(machine, silent));
      expect(shortly(await post(url, 'tickets', requestOf(machine, 'lost 4')))).toBe('403 revoked-key');
      await runtime.setClock(49 * 3600_000);
      expect(await cellOf(runtime, 'lost')).toMatchObject({ trials: 1, captured: 1, no_reply: 0 });
      await runtime.setClock(0);
      expect(await changedEditions(runtime)).toEqual([]);
    });

    it('does not let who holds the key take back what was reported before', async () => {
      const machine = await enrolled('robbed');
      const { ticket, envelope, receipt } = await runTrial(url, machine, 'robbed', 'captured');
      const from = receipt.log_index + 1;
      await admit(url, 'revoke', revocation(machine.owner, 'machine', machine.key.publicHex, from));
      const amends = { report_hash: hashOf('report', envelope), reason: 'dump-lost' } as const;
      const answer = await post(url, 'report', amendment(machine, ticket, 'hang', Date.now(), amends));
      expect(shortly(answer)).toBe('201');
      expect(await labelsOf(url, (answer.json as Receipt).report_id)).toContain('revoked');
      expect(await cellOf(runtime, 'robbed')).toMatchObject({ trials: 1, captured: 1 });
    });

    it('covers the whole chain of a key, by whichever of its keys it is named', async () => {
      const first = await enrolled('chained 1', 'chaining owner');
      const vouch = decision(operator, 'vouch', 'owner', first.owner.publicHex);
      await admit(url, 'decision', vouch);
      await runTrial(url, first, 'chained 1', 'captured');
      const second = await rotated(first, 'chained 2', 'chaining owner');
      await runTrial(url, second, 'chained 2', 'captured');
      expect(await cellOf(runtime, 'chained_1')).toMatchObject({ trials: 2 });
      const nextOwner = keyPair('chaining owner 2');
      await admit(url, 'rotate', rotation('owner', first.owner, nextOwner));
      await admit(url, 'revoke', revocation(nextOwner, 'machine', first.key.publicHex, 0));
      expect(await cellOf(runtime, 'chained_1')).toBeNull();
      expect(shortly(await post(url, 'tickets', requestOf(second, 'chained 3')))).toBe('403 revoked-key');
    });

    it('by the operator takes all machines of an owner from an index on', async () => {
      const [one, two] = [
        await enrolled('seized', 'seized owner'),
        await enrolled('seized 2', 'seized owner'),
      ];
      await admit(url, 'decision', decision(operator, 'vouch', 'owner', one.owner.publicHex));
      await runTrial(url, one, 'seized 1', 'captured');
      const { receipt } = await runTrial(url, two, 'seized 2', 'captured');
      const from_index = receipt.log_index;
      await settled(runtime);
      const revoke = decision(operator, 'revoke', 'owner', one.owner.publicHex, { from_index });
      await admit(url, 'decision', revoke);
      expect(await cellOf(runtime, 'seized')).toMatchObject({ trials: 1 });
      expect(await cellOf(runtime, 'seized_2')).toBeNull();
      for (const machine of [one, two])
        expect(shortly(await post(url, 'tickets', requestOf(machine, 'seized 3')))).toBe('403 revoked-key');
      const answer = await admit<MachineAnswer>(url, 'enrol', seal('enrol', one.enrol(), one.key));
      expect(answer.labels).toEqual(['enrolled', 'vouched', 'revoked']);
      expect(await changedEditions(runtime)).toEqual([]);
    });

    it('of an owner by himself takes his machines with him', async () => {
      const machine = await enrolled('resigned', 'resigning owner');
      await admit(url, 'decision', decision(operator, 'vouch', 'owner', machine.owner.publicHex));
      const { receipt } = await runTrial(url, machine, 'resigned', 'captured');
      await admit(url, 'revoke', revocation(machine.owner, 'owner', machine.owner.publicHex, 0));
      expect(await cellOf(runtime, 'resigned')).toBeNull();
      expect(await labelsOf(url, receipt.report_id)).toEqual(['enrolled', 'vouched', 'revoked']);
      const invited = keyPair('whom the resigned wants').publicHex;
      expect(shortly(await post(url, 'invite', invitation(machine.owner, invited)))).toBe('403 not-trusted');
    });

    it('is admitted once, also twenty at once', async () => {
      const machine = await enrolled('revoked once');
      const envelope = revocation(machine.owner, 'machine', machine.key.publicHex, 0);
      const before = await rowCounts(runtime);
      const answers = await twenty(() => post(url, 'revoke', envelope));
      expect(raced(answers)).toEqual(onceOfTwenty);
      expect(new Set(answers.map((answer) => JSON.stringify(lasting(answer)))).size).toBe(1);
      const after = await rowCounts(runtime);
      expect((after.log_entries ?? 0) - (before.log_entries ?? 0)).toBe(1);
      expect((after.holds ?? 0) - (before.holds ?? 0)).toBe(1);
    });

    it.each<[string, string, () => ReturnType<typeof revocation>]>([
      [
        'a stranger, of a machine',
        '404 unknown-owner',
        () => revocation(keyPair('a stranger'), 'machine', keyPair('machine kept').publicHex, 0),
      ],
      [
        'another owner, of a machine',
        '422 unacceptable-revocation',
        () => revocation(keyPair('keeping owner'), 'machine', keyPair('machine kept').publicHex, 0),
      ],
      [
        'another owner, of an owner',
        '422 unacceptable-revocation',
        () => revocation(keyPair('keeping owner'), 'owner', keyPair('owner').publicHex, 0),
      ],
      [
        'the machine, of itself',
        '404 unknown-owner',
        () => revocation(keyPair('machine kept'), 'machine', keyPair('machine kept').publicHex, 0),
      ],
      [
        'the owner, of no machine',
        '422 unacceptable-revocation',
        () => revocation(keyPair('owner'), 'machine', keyPair('machine never').publicHex, 0),
      ],
      [
        'the owner, from an index that the log has not',
        '422 unacceptable-revocation',
        () => revocation(keyPair('owner'), 'machine', keyPair('machine kept').publicHex, 1e6),
      ],
    ])('by %s is refused: %s', async (_, short, envelope) => {
      await enrolled('kept');
      await enrolled('kept by another', 'keeping owner');
      const before = await rowCounts(runtime);
      expect(shortly(await post(url, 'revoke', envelope()))).toBe(short);
      expect(await rowCounts(runtime)).toEqual(before);
    });
  });
});
