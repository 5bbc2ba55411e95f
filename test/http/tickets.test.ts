/** How many tickets a key may hold, what frees them, and what is published of them; the same on every runtime. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StatusAnswer, TicketCounts } from '../../schema/answer/status.ts';
import { limits, type Ticket, type TicketsAnswer } from '../../schema/wire.ts';
import { ticketLimits } from '../../worker/admit/ticket-limits.ts';
import { admit, enrol, get, post, problemOf, shortly } from './client.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import {
  keyPair,
  rotation,
  type SampleMachine,
  sampleMachine,
  sampleProfile,
  seal,
  simpleScenario,
  ticketsRequest,
  withdrawal,
} from './samples.ts';

const dayMs = 24 * 3600_000;
const hourMs = 3600_000;
const { openPerMachine, openPerOwner, unusedPerMachine } = ticketLimits;

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  let url: string;
  beforeAll(async () => {
    runtime = await startRuntime(name);
    ({ url } = runtime);
  });
  afterAll(() => runtime.stop());

  let offsetMs = 0;
  async function setClock(ms: number): Promise<void> {
    offsetMs = ms;
    await runtime.setClock(ms);
  }
  const now = () => Date.now() + offsetMs;

  async function enrolled(who: string, ownerName = `owner of ${who}`): Promise<SampleMachine> {
    const machine = sampleMachine(who, sampleProfile(), ownerName);
    await enrol(url, machine);
    return machine;
  }
  let asked = 0;
  const ask = (machine: SampleMachine, count: number, offline = false) => {
    asked += 1;
    return post(
      url,
      'tickets',
      ticketsRequest(machine, `asked ${asked}`, Array(count).fill(simpleScenario), { offline }),
    );
  };
  async function take(machine: SampleMachine, count: number, offline = false): Promise<Ticket[]> {
    const tickets: Ticket[] = [];
    while (tickets.length < count) {
      const answer = await ask(machine, Math.min(64, count - tickets.length), offline);
      if (answer.status !== 201) throw new Error(`tickets were answered ${answer.status}: ${answer.text}`);
      tickets.push(...(answer.json as TicketsAnswer).tickets);
    }
    return tickets;
  }
  const arm = (machine: SampleMachine, ticket: Ticket | undefined) =>
    admit(url, 'armed', seal('armed', machine.armed(ticket as Ticket, now()), machine.key));
  const report = (machine: SampleMachine, ticket: Ticket | undefined) =>
    admit(url, 'report', seal('report', machine.report(ticket as Ticket, 'captured', now()), machine.key));
  const counts = async () => ((await get(url, '/v1/status')).json as StatusAnswer).tickets;

  describe('a machine', () => {
    it('holds so many open tickets, and what it arms or reports makes room', async () => {
      const machine = await enrolled('hoarder');
      const tickets = await take(machine, openPerMachine);
      const answer = await ask(machine, 1);
      expect(shortly(answer)).toBe('409 too-many-tickets');
      expect(problemOf(answer).detail).toContain(`this machine: ${openPerMachine}`);
      await arm(machine, tickets[0]);
      await report(machine, tickets[1]);
      expect(shortly(await ask(machine, 3))).toBe('409 too-many-tickets');
      expect(shortly(await ask(machine, 2))).toBe('201');
      expect(shortly(await ask(machine, 1))).toBe('409 too-many-tickets');
    });

    it('holds them under all keys of its chain', async () => {
      const machine = await enrolled('turncoat');
      await take(machine, openPerMachine);
      const next = sampleMachine('turncoat on', sampleProfile(), 'owner of turncoat');
      await admit(url, 'rotate', rotation('machine', machine.key, next.key));
      expect(shortly(await ask(next, 1))).toBe('409 too-many-tickets');
    });

    it('is answered the same request, however many it holds', async () => {
      const machine = await enrolled('forgetful');
      const request = ticketsRequest(machine, 'forgetful', [simpleScenario], {});
      await admit(url, 'tickets', request);
      await take(machine, openPerMachine - 1);
      expect(shortly(await post(url, 'tickets', request))).toBe('200');
    });

    it('asking many times at once gets no more than the limit', async () => {
      const machine = await enrolled('many armed');
      const answers = await Promise.all(Array.from({ length: 12 }, () => ask(machine, 32)));
      const shorts = answers.map(shortly);
      expect(shorts.filter((short) => short === '201').length).toBeLessThanOrEqual(openPerMachine / 32);
      expect(shorts.filter((short) => short === '201').length).toBeGreaterThan(0);
      for (const short of shorts) expect(['201', '409 too-many-tickets', '503 store-busy']).toContain(short);
      const { rows } = await runtime.database.execute({
        sql: 'select count(*) as n from tickets where root = ?',
        args: [machine.key.publicHex],
      });
      expect(Number(rows[0]?.n)).toBeLessThanOrEqual(openPerMachine);
    });

    it('is free again after the deadline, but for what it lets pass in 30 days', async () => {
      const machine = await enrolled('wasteful');
      const bundles = unusedPerMachine / openPerMachine;
      for (let i = 0; i < bundles; i++) {
        await take(machine, openPerMachine);
        await setClock(offsetMs + limits.reportWithinMs + hourMs);
      }
      const answer = await ask(machine, 1);
      expect(shortly(answer)).toBe('409 too-many-tickets');
      expect(problemOf(answer).detail).toContain(`let pass in 30 days: ${unusedPerMachine}`);
      // The first bundle's deadline is 30 days ago before the second one's.
      await setClock(bundles * limits.reportWithinMs - limits.reportWithinMs + 30 * dayMs + hourMs / 2);
      expect(shortly(await ask(machine, 64))).toBe('201');
      await setClock(0);
    });

    it('that armed and fell silent has used its tickets', async () => {
      const machine = await enrolled('brave');
      for (const ticket of await take(machine, 64)) await arm(machine, ticket);
      await setClock(limits.reportWithinMs + hourMs);
      expect((await take(machine, openPerMachine)).length).toBe(openPerMachine);
      await setClock(0);
    });
  });

  it('an owner holds so many open tickets with all machines', async () => {
    const machines: SampleMachine[] = [];
    for (let i = 0; i <= openPerOwner / openPerMachine; i++)
      machines.push(await enrolled(`of many ${i}`, 'owner of many'));
    for (const machine of machines.slice(0, -1)) await take(machine, openPerMachine);
    const last = machines.at(-1) as SampleMachine;
    const answer = await ask(last, 1);
    expect(shortly(answer)).toBe('409 too-many-tickets');
    expect(problemOf(answer).detail).toContain(`this owner: ${openPerOwner}`);
    // His next key is the same owner.
    await admit(url, 'rotate', rotation('owner', last.owner, keyPair('owner of many on')));
    expect(shortly(await ask(last, 1))).toBe('409 too-many-tickets');
    expect(shortly(await ask(await enrolled('of few', 'owner of few'), 1))).toBe('201');
  }, 180_000);

  it('a bundle for a machine without a network has the longer deadlines', async () => {
    const machine = await enrolled('offline');
    const [online, offline] = [(await take(machine, 1))[0], (await take(machine, 1, true))[0]];
    const terms = (ticket: Ticket | undefined) =>
      [ticket?.arm_by, ticket?.report_by].map(
        (by) => Date.parse(by ?? '') - Date.parse(ticket?.issued_at ?? ''),
      );
    expect(terms(online)).toEqual([limits.armWithinMs, limits.reportWithinMs]);
    expect(terms(offline)).toEqual([limits.offlineArmWithinMs, limits.offlineReportWithinMs]);
    await setClock(27 * dayMs);
    await report(machine, offline);
    expect((await counts()).unused).toBeGreaterThan(0);
    await setClock(0);
  });

  it('what became of all tickets is published', async () => {
    const machine = await enrolled('published');
    const before = await counts();
    const gained = async (): Promise<Partial<TicketCounts>> => {
      const after = await counts();
      const sum = after.open + after.armed + after.reported + after.no_reply + after.unused;
      expect(sum).toBe(after.issued);
      return Object.fromEntries(
        Object.entries(after)
          .map(([what, n]) => [what, n - before[what as keyof TicketCounts]] as const)
          .filter(([, n]) => n !== 0),
      );
    };
    const tickets = await take(machine, 10);
    expect(await gained()).toEqual({ issued: 10, open: 10 });
    for (const ticket of tickets.slice(0, 4)) await arm(machine, ticket);
    expect(await gained()).toEqual({ issued: 10, open: 6, armed: 4 });
    for (const ticket of [tickets[0], tickets[1], tickets[9]]) await report(machine, ticket);
    expect(await gained()).toEqual({ issued: 10, open: 5, armed: 2, reported: 3 });
    const { rows } = await runtime.database.execute({
      sql: `select count(*) as n from tickets where root = ? and report_by_ms > ?`,
      args: [machine.key.publicHex, now()],
    });
    expect(Number(rows[0]?.n)).toBe(10);
    await admit(url, 'withdraw', withdrawal(machine.key, 'machine', machine.key.publicHex));
    expect(await gained()).toEqual({});
    const other = await enrolled('published too');
    await setClock(29 * dayMs);
    const lateBefore = await counts();
    await setClock(0);
    const [armed] = await take(other, 3);
    await arm(other, armed);
    await setClock(29 * dayMs);
    const late = await counts();
    expect(late).toEqual({
      ...lateBefore,
      issued: lateBefore.issued + 3,
      no_reply: lateBefore.no_reply + 1,
      unused: lateBefore.unused + 2,
    });
    await report(other, armed);
    expect((await counts()).reported).toBe(late.reported + 1);
    await setClock(0);
  });
});
