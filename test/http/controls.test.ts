/** Control trials: who runs them, that they count nowhere else, and what a false capture leads to; on every runtime. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ControlsAnswer } from '../../schema/answer/controls.ts';
import { fromBase64, fromHex } from '../../schema/bytes.ts';
import { verifies } from '../../schema/ed25519.ts';
import { type Envelope, preAuthEncoding } from '../../schema/envelope.ts';
import type { WatchedEvidence } from '../../schema/evidence.ts';
import type { ProfileOf } from '../../schema/profile.ts';
import type { EntryAnswer, Receipt, Ticket, TicketsAnswer } from '../../schema/wire.ts';
import {
  admit,
  cellOf,
  enrol,
  eventually,
  get,
  labelsOf,
  post,
  settled,
  shortly,
  statistics,
} from './client.ts';
import { changedEditions } from './editions.ts';
import { readLog } from './log-reader.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import {
  decision,
  type Fate,
  keyPair,
  requestId,
  rotation,
  type SampleMachine,
  sampleEvidence,
  sampleMachine,
  sampleProfile,
  seal,
  simpleScenario,
  ticketsRequest,
} from './samples.ts';

const operator = keyPair('operator');

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  let url: string;
  beforeAll(async () => {
    runtime = await startRuntime(name, { operators: [operator.publicHex], controlShare: 1 });
    ({ url } = runtime);
  });
  afterAll(() => runtime.stop());

  async function enrolled(
    who: string,
    ownerName = 'owner',
    changes: Partial<ProfileOf<'1.0'>> = {},
  ): Promise<SampleMachine> {
    const machine = sampleMachine(who, sampleProfile(who, changes), ownerName);
    await enrol(url, machine);
    return machine;
  }
  async function ticketFor(machine: SampleMachine, request: string, controls: boolean): Promise<Ticket> {
    const envelope = ticketsRequest(machine, request, [simpleScenario], { controls });
    const { tickets } = await admit<TicketsAnswer>(url, 'tickets', envelope);
    return tickets[0] as Ticket;
  }
  const report = (machine: SampleMachine, ticket: Ticket, fate: Fate, agent_version = '0.1.0') =>
    admit<Receipt>(
      url,
      'report',
      seal('report', machine.report(ticket, fate, Date.now(), { agent_version }), machine.key),
    );
  const controlled = async (machine: SampleMachine, request: string, fate: Fate, version?: string) =>
    report(machine, await ticketFor(machine, request, true), fate, version);
  async function controls(version: string) {
    await settled(runtime);
    const answer = (await get(url, '/v1/controls')).json as ControlsAnswer;
    return answer.controls.filter(({ agent_version }) => agent_version === version);
  }
  const vouch = (ownerName: string) =>
    admit(url, 'decision', decision(operator, 'vouch', 'owner', keyPair(ownerName).publicHex));
  async function heldSubjects(): Promise<string[]> {
    const { rows } = await runtime.database.execute(
      'select subject_kind, subject from holds where until_index is null order by from_index',
    );
    return rows.map((row) => `${row.subject_kind} ${row.subject}`);
  }

  describe('a ticket', () => {
    it('is a control where the agent says that it can', async () => {
      const machine = await enrolled('willing');
      expect((await ticketFor(machine, 'willing 1', true)).control).toBe(true);
      expect((await ticketFor(machine, 'willing 2', false)).control).toBe(false);
      const old = seal('tickets', machine.tickets(requestId('willing 3'), [simpleScenario]), machine.key);
      expect((await admit<TicketsAnswer>(url, 'tickets', old)).tickets[0]?.control).toBe(false);
    });

    it('is drawn for each scenario of a bundle', async () => {
      const machine = await enrolled('bundled');
      const envelope = ticketsRequest(machine, 'bundled', Array(6).fill(simpleScenario), { controls: true });
      const { tickets } = await admit<TicketsAnswer>(url, 'tickets', envelope);
      expect(tickets.map(({ control }) => control)).toEqual(Array(6).fill(true));
    });

    it('of a real machine is one only after it came back', async () => {
      const machine = await enrolled('metal', 'owner', { population: 'metal', lab_machine: null });
      const ended = async (request: string, exit: WatchedEvidence['exit']) => {
        const ticket = await ticketFor(machine, request, false);
        const evidence = { ...sampleEvidence('device', ticket.scenario), exit };
        const body = machine.report(ticket, 'device', Date.now(), {
          population: 'metal',
          emulator: null,
          evidence,
        });
        await admit(url, 'report', seal('report', body, machine.key));
      };
      const isControl = async (request: string) => (await ticketFor(machine, request, true)).control;
      expect(await isControl('metal 1')).toBe(false);
      await ended('metal 2', 'timeout');
      expect(await isControl('metal 3')).toBe(false);
      await ended('metal 4', 'reboot');
      expect(await isControl('metal 5')).toBe(true);
      await ended('metal 6', 'lost');
      expect(await isControl('metal 7')).toBe(false);
      await ended('metal 8', 'watchdog');
      expect(await isControl('metal 9')).toBe(true);
      // It is the same machine under its next key.
      const next = sampleMachine('metal on', JSON.parse(machine.profileText));
      await admit(url, 'rotate', rotation('machine', machine.key, next.key));
      expect((await ticketFor(next, 'metal 10', true)).control).toBe(true);
    });
  });

  describe('a control trial', () => {
    it('counts nowhere but among the controls, with its interval', async () => {
      const machine = await enrolled('honest');
      const ticket = await ticketFor(machine, 'honest 1', true);
      await admit(url, 'armed', seal('armed', machine.armed(ticket, Date.now()), machine.key));
      const { report_id } = await report(machine, ticket, 'hang', '1.0.0');
      expect(await labelsOf(url, report_id)).toEqual(['enrolled', 'reference', 'control']);
      expect(await cellOf(runtime, 'honest')).toBeNull();
      const row = { population: 'lab', mechanism: 'kdump', agent_version: '1.0.0' };
      expect(await controls('1.0.0')).toEqual([
        { ...row, trials: 1, false_captures: 0, estimate: 0, low: 0, high: 0.975 },
      ]);
      await controlled(machine, 'honest 2', 'device', '1.0.0');
      await controlled(machine, 'honest 3', 'inconclusive', '1.0.0');
      expect(await controls('1.0.0')).toMatchObject([{ trials: 2, false_captures: 0, low: 0, high: 0.8419 }]);
      const driver = (await get(url, '/v1/drivers/honest')).json as { total: unknown; failures: unknown[] };
      expect([driver.total, driver.failures]).toEqual([null, []]);
      expect((await get(url, '/v1/drivers/honest/failures.atom')).text).not.toContain('<entry>');
    });

    it('that falls silent counts nowhere, either', async () => {
      const machine = await enrolled('silent');
      const ticket = await ticketFor(machine, 'silent', true);
      await admit(url, 'armed', seal('armed', machine.armed(ticket, Date.now()), machine.key));
      const plain = await ticketFor(machine, 'silent too', false);
      await admit(url, 'armed', seal('armed', machine.armed(plain, Date.now()), machine.key));
      await runtime.setClock(49 * 3600_000);
      const query = 'by=driver&population=lab&driver=silent';
      await eventually(runtime, async () => (await statistics(url, query)).cells.length > 0);
      expect((await statistics(url, query)).cells).toMatchObject([{ trials: 1, no_reply: 1 }]);
      await runtime.setClock(0);
    });
  });

  describe('a false capture', () => {
    it('is labeled, and its machine is held back in the same batch, by the log’s own key', async () => {
      const machine = await enrolled('liar');
      await report(machine, await ticketFor(machine, 'liar 1', false), 'captured', '2.0.0');
      expect(await cellOf(runtime, 'liar')).toMatchObject({ trials: 1 });
      const ticket = await ticketFor(machine, 'liar 2', true);
      const receipt = await report(machine, ticket, 'captured', '2.0.0');
      const labels = ['enrolled', 'reference', 'quarantined', 'control', 'false-capture'];
      expect(await labelsOf(url, receipt.report_id)).toEqual(labels);
      expect(await cellOf(runtime, 'liar')).toBeNull();
      expect(await controls('2.0.0')).toMatchObject([
        { trials: 1, false_captures: 1, estimate: 1, low: 0.025, high: 1 },
      ]);
      const log = await readLog(url);
      const { entry, row, envelope } = log[receipt.log_index + 1] ?? {};
      const { kind, admitted_at } = JSON.parse(entry ?? '{}') as { kind: string; admitted_at: string };
      expect([kind, admitted_at]).toEqual(['decision', receipt.admitted_at]);
      expect(JSON.parse(row ?? '{}')).toEqual({
        action: 'quarantine',
        subject: { kind: 'machine', value: machine.key.publicHex },
        from_index: null,
        reason: expect.stringContaining(ticket.nonce),
      });
      // The log promises with the same key.
      const logKey = receipt.promise.signatures[0]?.keyid ?? '';
      const { payload, payloadType, signatures } = envelope as Envelope;
      expect(signatures[0]?.keyid).toBe(logKey);
      const signed = preAuthEncoding(payloadType, fromBase64(payload));
      expect(await verifies(fromHex(logKey), fromBase64(signatures[0]?.sig ?? ''), signed)).toBe(true);
      // Whoever reads it cannot make it again.
      expect(shortly(await post(url, 'decision', envelope as Envelope))).toBe('403 not-an-operator');
      expect(await changedEditions(runtime)).toEqual([]);
    });

    it('again holds nothing twice, and one owner alone holds no version', async () => {
      const machine = await enrolled('again', 'owner of again');
      const sister = await enrolled('again too', 'owner of again');
      const bystander = await enrolled('beside again');
      await vouch('owner of again');
      await report(bystander, await ticketFor(bystander, 'beside', false), 'captured', '3.0.0');
      const before = await heldSubjects();
      for (const request of ['again 1', 'again 2']) await controlled(machine, request, 'captured', '3.0.0');
      await controlled(sister, 'again too', 'captured', '3.0.0');
      expect((await heldSubjects()).slice(before.length)).toEqual([
        `machine ${machine.key.publicHex}`,
        `machine ${sister.key.publicHex}`,
      ]);
      expect(await cellOf(runtime, 'beside again'.replaceAll(' ', '%20'))).toMatchObject({ trials: 1 });
    });

    it('of a second trusted owner holds the version of the agent, until an operator lets it go', async () => {
      const [one, two] = [await enrolled('first', 'first owner'), await enrolled('second', 'second owner')];
      const [three, four] = [await enrolled('third'), await enrolled('fourth')];
      for (const who of ['first owner', 'second owner']) await vouch(who);
      await report(three, await ticketFor(three, 'third', false), 'captured', '4.0.0');
      await report(four, await ticketFor(four, 'fourth', false), 'captured', '4.0.1');
      await controlled(one, 'first', 'captured', '4.0.0');
      expect(await cellOf(runtime, 'third')).toMatchObject({ trials: 1 });
      const { log_index } = await controlled(two, 'second', 'captured', '4.0.0');
      expect(await cellOf(runtime, 'third')).toBeNull();
      expect(await cellOf(runtime, 'fourth')).toMatchObject({ trials: 1 });
      const log = await readLog(url);
      expect([1, 2].map((i) => JSON.parse(log[log_index + i]?.row ?? '{}').subject)).toEqual([
        { kind: 'machine', value: two.key.publicHex },
        { kind: 'agent_version', value: '4.0.0' },
      ]);
      const release = decision(operator, 'release', 'agent_version', '4.0.0');
      await admit<EntryAnswer>(url, 'decision', release);
      expect(await cellOf(runtime, 'third')).toMatchObject({ trials: 1 });
      expect(await changedEditions(runtime)).toEqual([]);
    });

    it('of owners whom nobody trusts holds their machines, and nothing of anybody else', async () => {
      const bystander = await enrolled('robust');
      await report(bystander, await ticketFor(bystander, 'robust', false), 'captured', '5.0.0');
      for (const who of ['sybil 1', 'sybil 2', 'sybil 3']) {
        const machine = await enrolled(who, `owner of ${who}`);
        await controlled(machine, who, 'captured', '5.0.0');
        expect(await heldSubjects()).toContain(`machine ${machine.key.publicHex}`);
      }
      expect(await heldSubjects()).not.toContain('agent_version 5.0.0');
      expect(await cellOf(runtime, 'robust')).toMatchObject({ trials: 1 });
    });

    it('that is released counts no more than before, and the machine does', async () => {
      const machine = await enrolled('pardoned');
      await report(machine, await ticketFor(machine, 'pardoned 1', false), 'captured', '6.0.0');
      await controlled(machine, 'pardoned 2', 'captured', '6.0.0');
      expect(await cellOf(runtime, 'pardoned')).toBeNull();
      await admit(url, 'decision', decision(operator, 'release', 'machine', machine.key.publicHex));
      expect(await cellOf(runtime, 'pardoned')).toMatchObject({ trials: 1, captured: 1 });
      expect(await controls('6.0.0')).toMatchObject([{ trials: 1, false_captures: 1 }]);
    });
  });
});
