/** Whose reports count: trust in owners, invitations and holds, the same on every runtime. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DecisionSubject } from '../../schema/vocabulary.ts';
import type { EntryAnswer, MachineAnswer, Receipt, Ticket } from '../../schema/wire.ts';
import { ownerTrialsMax } from '../../worker/statistics/cell.ts';
import {
  admit,
  cellOf,
  enrol,
  labelsOf,
  lasting,
  post,
  problemOf,
  raced,
  rowCounts,
  runTrial,
  settled,
  shortly,
  takeTickets,
} from './client.ts';
import { cellThrough, changedEditions } from './editions.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import {
  decision,
  invitation,
  keyPair,
  requestId,
  rotation,
  type SampleMachine,
  sampleMachine,
  sampleProfile,
  seal,
  simpleScenario,
  withdrawal,
} from './samples.ts';

const operator = keyPair('operator');
const dayMs = 24 * 3600_000;
const keyOf = (name: string) => keyPair(name).publicHex;

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  let url: string;
  beforeAll(async () => {
    runtime = await startRuntime(name, {
      operators: [operator.publicHex],
      referenceOwners: ['owner', 'next key of an owner'].map(keyOf),
    });
    ({ url } = runtime);
  });
  afterAll(() => runtime.stop());

  let offsetMs = 0;
  async function setDay(day: number): Promise<void> {
    offsetMs = day * dayMs;
    await runtime.setClock(offsetMs);
  }
  /** The time by the server's clock. */
  const now = () => Date.now() + offsetMs;
  const date = () => new Date(now()).toISOString();

  async function enrolled(who: string, ownerName: string): Promise<SampleMachine> {
    const machine = sampleMachine(who, sampleProfile(who), ownerName);
    await enrol(url, machine);
    return machine;
  }
  const decide = (action: Parameters<typeof decision>[1], kind: DecisionSubject, value: string) =>
    admit<EntryAnswer>(url, 'decision', decision(operator, action, kind, value, { created_at: date() }));
  const vouch = (ownerName: string) => decide('vouch', 'owner', keyOf(ownerName));
  const invite = async (inviter: string, invited: string) =>
    shortly(await post(url, 'invite', invitation(keyPair(inviter), keyOf(invited), date())));
  const trial = (machine: SampleMachine) =>
    runTrial(url, machine, `${machine.key.publicHex} ${now()}`, 'captured', now());

  /** The numbers of trials of a driver in all newest editions that cover the entry `after`, and not `until`. */
  async function cellsBetween(driver: string, after: number, until = Number.MAX_SAFE_INTEGER) {
    const between = (await cellThrough(runtime, driver)).filter(
      ({ log_size }) => log_size > after && log_size <= until,
    );
    return [...new Set(between.map(({ trials }) => trials))];
  }

  describe('the headline', () => {
    it('counts owners from the entry on that trusts them, until the one that ends it', async () => {
      const machine = await enrolled('newcomer', 'new owner');
      const { receipt } = await trial(machine);
      expect(await cellOf(runtime, 'newcomer')).toBeNull();
      expect(await labelsOf(url, receipt.report_id)).toEqual(['enrolled']);
      const given = await vouch('new owner');
      expect(await cellOf(runtime, 'newcomer')).toMatchObject({ trials: 1 });
      expect(await labelsOf(url, receipt.report_id)).toEqual(['enrolled', 'vouched']);
      const taken = await decide('distrust', 'owner', machine.owner.publicHex);
      expect(await cellOf(runtime, 'newcomer')).toBeNull();
      expect(await labelsOf(url, receipt.report_id)).toEqual(['enrolled']);
      expect(await cellsBetween('newcomer', 0, given.log_index)).toEqual([null]);
      expect(await cellsBetween('newcomer', given.log_index, taken.log_index)).toEqual([1]);
      expect(await cellsBetween('newcomer', taken.log_index)).toEqual([null]);
      expect(await changedEditions(runtime)).toEqual([]);
    });

    it('caps one owner in each cell, but not the survey’s own', async () => {
      const count = ownerTrialsMax + 5;
      for (const [who, ownerName] of [
        ['capped', 'busy owner'],
        ['uncapped', 'owner'],
      ] as const) {
        const machine = await enrolled(who, ownerName);
        const tickets = await takeTickets(url, machine, who, Array(count).fill(simpleScenario));
        for (const ticket of tickets)
          await admit(url, 'report', seal('report', machine.report(ticket, 'captured', now()), machine.key));
      }
      await vouch('busy owner');
      expect(await cellOf(runtime, 'capped')).toMatchObject({ trials: ownerTrialsMax });
      expect(await cellOf(runtime, 'uncapped')).toMatchObject({ trials: count });
    });
  });

  describe('reference owners', () => {
    it('are so by an entry that the log’s own key has signed', async () => {
      const answer = await admit<MachineAnswer>(url, 'enrol', await enrolmentOf('reference', 'owner'));
      expect(answer.labels).toEqual(['enrolled', 'reference']);
      const { rows } = await runtime.database.execute({
        sql: `select envelopes.key as key, count(*) as n from trust join log_entries on log_index = from_index
          join envelopes on hash = envelope_hash where trust.owner = ? and label = 'reference' and until_index is null`,
        args: [keyOf('owner')],
      });
      expect(rows[0]?.n).toBe(1);
      expect(rows[0]?.key).not.toBe(operator.publicHex);
    });

    it('may be configured by the newest key of a chain', async () => {
      await enrolled('of_a_chain', 'first key of an owner');
      const next = keyPair('next key of an owner');
      await admit(url, 'rotate', rotation('owner', keyPair('first key of an owner'), next));
      await settled(runtime);
      const answer = await admit<MachineAnswer>(
        url,
        'enrol',
        await enrolmentOf('of_a_chain_2', 'next key of an owner'),
      );
      expect(answer.labels).toEqual(['enrolled', 'reference']);
    });

    it.each(['distrust', 'vouch'] as const)(
      'are configured: who wants to %s one must say it there',
      async (action) => {
        const answer = await post(
          url,
          'decision',
          decision(operator, action, 'owner', keyOf('owner'), { created_at: date() }),
        );
        expect(shortly(answer)).toBe('422 unacceptable-decision');
        expect(problemOf(answer).detail).toContain('configured');
      },
    );

    async function enrolmentOf(who: string, ownerName: string) {
      const machine = sampleMachine(who, sampleProfile(who), ownerName);
      return seal('enrol', machine.enrol(), machine.key);
    }
  });

  describe('a tree of invitations', () => {
    /** The names of an owner whose machine is called like his driver. */
    async function grown(prefix: string): Promise<Record<'a' | 'b' | 'c' | 'd', string>> {
      const names = { a: `${prefix}_a`, b: `${prefix}_b`, c: `${prefix}_c`, d: `${prefix}_d` };
      for (const who of Object.values(names)) await trial(await enrolled(who, who));
      await vouch(names.a);
      expect(await invite(names.a, names.b)).toBe('201');
      await setDay(offsetMs / dayMs + 14.1);
      expect(await invite(names.b, names.c)).toBe('201');
      await vouch(names.d);
      return names;
    }
    async function counted(names: Record<string, string>): Promise<string> {
      let letters = '';
      for (const [letter, who] of Object.entries(names))
        if ((await cellOf(runtime, who)) !== null) letters += letter;
      return letters;
    }

    it('ends with its root, in one decision, and nobody else does', async () => {
      const names = await grown('felled');
      expect(await counted(names)).toBe('abcd');
      const { log_index } = await decide('distrust', 'owner', keyOf(names.a));
      expect(await counted(names)).toBe('d');
      for (const who of [names.a, names.b, names.c])
        expect([who, await cellsBetween(who, log_index)]).toEqual([who, [null]]);
      // Trust in the root again is trust in the root alone.
      await vouch(names.a);
      expect(await counted(names)).toBe('ad');
      // Who was distrusted may be invited again, and invites with the time that has passed before.
      expect(await invite(names.d, names.b)).toBe('201');
      expect(await counted(names)).toBe('abd');
      expect(await invite(names.b, names.c)).toBe('403 invitations-used-up');
    });

    it('ends below a branch, and the rest stays', async () => {
      const names = await grown('pruned');
      await decide('distrust', 'owner', keyOf(names.b));
      expect(await counted(names)).toBe('ad');
    });

    it('ends although somebody in the middle has left', async () => {
      const names = await grown('gap');
      await admit(url, 'withdraw', withdrawal(keyPair(names.b), 'owner', keyOf(names.b), date()));
      // Who leaves takes nothing from whom he has invited.
      expect(await counted(names)).toBe('acd');
      await decide('distrust', 'owner', keyOf(names.a));
      expect(await counted(names)).toBe('d');
    });

    it('ends although its root has left', async () => {
      const names = await grown('rootless');
      await admit(url, 'withdraw', withdrawal(keyPair(names.a), 'owner', keyOf(names.a), date()));
      expect(await counted(names)).toBe('bcd');
      await decide('distrust', 'owner', keyOf(names.a));
      expect(await counted(names)).toBe('d');
      const again = decision(operator, 'distrust', 'owner', keyOf(names.a), {
        created_at: date(),
        reason: 'again',
      });
      expect(shortly(await post(url, 'decision', again))).toBe('422 unacceptable-decision');
    });

    it('does not hold whom the operator trusts himself since, nor whom they have invited', async () => {
      const names = await grown('grafted');
      await vouch(names.b);
      await decide('distrust', 'owner', keyOf(names.a));
      expect(await counted(names)).toBe('bcd');
    });
  });

  describe('invitations', () => {
    it('are three in 90 days', async () => {
      await trial(await enrolled('inviting', 'inviting'));
      await vouch('inviting');
      for (const who of ['i1', 'i2', 'i3']) expect(await invite('inviting', who)).toBe('201');
      const answer = await post(url, 'invite', invitation(keyPair('inviting'), keyOf('i4'), date()));
      expect(shortly(answer)).toBe('403 invitations-used-up');
      expect(problemOf(answer).detail).toContain(new Date(now() + 90 * dayMs).toISOString().slice(0, 10));
      await setDay(offsetMs / dayMs + 89.9);
      expect(await invite('inviting', 'i4')).toBe('403 invitations-used-up');
      await setDay(offsetMs / dayMs + 0.2);
      expect(await invite('inviting', 'i4')).toBe('201');
    });

    it('wait for 14 days, and for a report, and end at the third', async () => {
      await vouch('depth 0');
      expect(await invite('depth 0', 'depth 1')).toBe('201');
      const machine = await enrolled('depth_1', 'depth 1');
      await trial(machine);
      expect(await invite('depth 1', 'depth 2')).toBe('403 invitations-used-up');
      await setDay(offsetMs / dayMs + 14.1);
      expect(await invite('depth 1', 'depth 2')).toBe('201');
      await setDay(offsetMs / dayMs + 14.1);
      expect(await invite('depth 2', 'depth 3')).toBe('403 invitations-used-up');
      await trial(await enrolled('depth_2', 'depth 2'));
      expect(await invite('depth 2', 'depth 3')).toBe('201');
      await trial(await enrolled('depth_3', 'depth 3'));
      await setDay(offsetMs / dayMs + 100);
      expect(await invite('depth 3', 'depth 4')).toBe('403 invitations-used-up');
      await vouch('depth 3');
      expect(await invite('depth 3', 'depth 4')).toBe('201');
    });

    it.each<[string, string, string, string]>([
      ['a stranger', 'nobody at all', 'a friend', '403 not-trusted'],
      ['an owner whom nobody trusts', 'untrusted', 'a friend', '403 not-trusted'],
      ['a trusted owner, of himself', 'trusted', 'trusted', '409 already-trusted'],
      ['a trusted owner, of another one', 'trusted', 'trusted too', '409 already-trusted'],
      ['a trusted owner who is held back', 'held', 'a friend', '403 not-trusted'],
    ])('by %s are refused', async (_, inviter, invited, short) => {
      await enrolled('untrusted', 'untrusted');
      for (const who of ['trusted', 'trusted too', 'held'])
        await post(url, 'decision', decision(operator, 'vouch', 'owner', keyOf(who), { created_at: date() }));
      await post(
        url,
        'decision',
        decision(operator, 'quarantine', 'owner', keyOf('held'), { created_at: date() }),
      );
      const before = await rowCounts(runtime);
      expect(await invite(inviter, invited)).toBe(short);
      expect(await rowCounts(runtime)).toEqual(before);
    });

    it('are admitted once, also twenty at once', async () => {
      await vouch('generous');
      const envelope = invitation(keyPair('generous'), keyOf('gifted'), date());
      const answers = await Promise.all(Array.from({ length: 20 }, () => post(url, 'invite', envelope)));
      expect(raced(answers)).toEqual([...Array(19).fill('200'), '201']);
      expect(new Set(answers.map((answer) => JSON.stringify(lasting(answer)))).size).toBe(1);
    });

    it('of five people at once are three', async () => {
      await vouch('popular');
      const envelopes = Array.from({ length: 5 }, (_, i) =>
        invitation(keyPair('popular'), keyOf(`fan ${i}`), date()),
      );
      const answers = await Promise.all(envelopes.map((envelope) => post(url, 'invite', envelope)));
      expect(raced(answers)).toEqual([
        '201',
        '201',
        '201',
        '403 invitations-used-up',
        '403 invitations-used-up',
      ]);
    });
  });

  describe('a quarantine', () => {
    const version = '6.6.6';
    const cases: readonly [DecisionSubject, string, string][] = [
      ['owner', 'held_owner', keyOf('held_owner')],
      ['machine', 'held_machine', keyOf('machine held_machine')],
      ['agent_version', 'held_version', version],
      ['scenario_set', 'held_set', 'lab/1'],
    ];

    it.each(cases)(
      'by %s blanks a cell in the very next edition, and its end brings it back',
      async (kind, who, value) => {
        const machine = await enrolled(who, who);
        await vouch(who);
        const scenario = 'timer/exception/disk/none';
        const set = kind === 'scenario_set' ? 'lab/1' : 'standard/1';
        const request = seal(
          'tickets',
          machine.tickets(requestId(who), [scenario, scenario], { set }),
          machine.key,
        );
        const { tickets } = await admit<{ tickets: Ticket[] }>(url, 'tickets', request);
        const report = (ticket: Ticket | undefined) =>
          admit<Receipt>(
            url,
            'report',
            seal(
              'report',
              machine.report(ticket as Ticket, 'captured', now(), { agent_version: version }),
              machine.key,
            ),
          );
        const { report_id } = await report(tickets[0]);
        expect(await cellOf(runtime, who)).toMatchObject({ trials: 1 });

        const changed = await changedEditions(runtime);
        const held = await decide('quarantine', kind, value);
        expect(await cellOf(runtime, who)).toBeNull();
        expect(await labelsOf(url, report_id)).toEqual(['enrolled', 'vouched', 'quarantined']);
        // Accepted and labeled: what comes meanwhile counts once the hold has ended.
        await report(tickets[1]);
        expect(await cellOf(runtime, who)).toBeNull();
        const released = await decide('release', kind, value);
        expect(await cellOf(runtime, who)).toMatchObject({ trials: 2 });
        expect(await labelsOf(url, report_id)).toEqual(['enrolled', 'vouched']);

        expect(await cellsBetween(who, held.log_index, released.log_index)).toEqual([null]);
        expect(await cellsBetween(who, released.log_index)).toEqual([2]);
        expect(await changedEditions(runtime)).toEqual(changed);
      },
    );

    it('by one subject holds although another one ends', async () => {
      const machine = await enrolled('held_twice', 'held_twice');
      await vouch('held_twice');
      await trial(machine);
      await decide('quarantine', 'owner', machine.owner.publicHex);
      await decide('quarantine', 'machine', machine.key.publicHex);
      await decide('release', 'owner', machine.owner.publicHex);
      expect(await cellOf(runtime, 'held_twice')).toBeNull();
      await decide('release', 'machine', machine.key.publicHex);
      expect(await cellOf(runtime, 'held_twice')).toMatchObject({ trials: 1 });
    });
  });

  describe('decisions', () => {
    it('are admitted once, also twenty at once', async () => {
      const before = await rowCounts(runtime);
      const envelope = decision(operator, 'quarantine', 'agent_version', '7.7.7', { created_at: date() });
      const answers = await Promise.all(Array.from({ length: 20 }, () => post(url, 'decision', envelope)));
      expect(raced(answers)).toEqual([...Array(19).fill('200'), '201']);
      expect(new Set(answers.map((answer) => JSON.stringify(lasting(answer)))).size).toBe(1);
      const after = await rowCounts(runtime);
      expect((after.log_entries ?? 0) - (before.log_entries ?? 0)).toBe(1);
      expect((after.holds ?? 0) - (before.holds ?? 0)).toBe(1);
    });

    it('are an operator’s, signed by him', async () => {
      const stranger = keyPair('a stranger');
      const { publicHex: key } = operator;
      const before = await rowCounts(runtime);
      const own = decision(stranger, 'quarantine', 'agent_version', '8.8.8', { created_at: date() });
      expect(shortly(await post(url, 'decision', own))).toBe('403 not-an-operator');
      const false_ = decision(stranger, 'quarantine', 'agent_version', '8.8.8', {
        created_at: date(),
        operator: key,
      });
      expect(shortly(await post(url, 'decision', false_))).toBe('403 key-mismatch');
      const theirs = decision(keyPair('owner'), 'vouch', 'owner', keyOf('a friend'), { created_at: date() });
      expect(shortly(await post(url, 'decision', theirs))).toBe('403 not-an-operator');
      expect(await rowCounts(runtime)).toEqual(before);
    });

    it.each<[string, Parameters<typeof decision>[1], DecisionSubject, string, string]>([
      ['trust in who is trusted', 'vouch', 'owner', keyOf('well known'), '422 unacceptable-decision'],
      ['distrust of whom nobody trusts', 'distrust', 'owner', keyOf('unknown'), '422 unacceptable-decision'],
      ['an end of no quarantine', 'release', 'agent_version', '9.9.9', '422 unacceptable-decision'],
      ['a second quarantine', 'quarantine', 'agent_version', '1.1.1', '422 unacceptable-decision'],
      [
        'a quarantine of a machine that is none',
        'quarantine',
        'machine',
        keyOf('unknown'),
        '404 unknown-machine',
      ],
    ])('that change nothing are mistakes: %s', async (_, action, kind, value, short) => {
      await post(
        url,
        'decision',
        decision(operator, 'vouch', 'owner', keyOf('well known'), { created_at: date() }),
      );
      await post(
        url,
        'decision',
        decision(operator, 'quarantine', 'agent_version', '1.1.1', { created_at: date() }),
      );
      const before = await rowCounts(runtime);
      const envelope = decision(operator, action, kind, value, { created_at: date(), reason: 'a mistake' });
      expect(shortly(await post(url, 'decision', envelope))).toBe(short);
      expect(await rowCounts(runtime)).toEqual(before);
    });
  });
});
