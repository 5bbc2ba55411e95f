/** Amendments: a report says once what a first one did not; both stay, and the last word counts. On every runtime. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LabReport } from '../../schema/answer/report.ts';
import type { Envelope } from '../../schema/envelope.ts';
import type { Receipt, Ticket } from '../../schema/wire.ts';
import {
  admit,
  cellOf,
  enrol,
  get,
  labelsOf,
  lasting,
  post,
  problemOf,
  raced,
  rowCounts,
  runTrial,
  settled,
  shortly,
  takeTicket,
} from './client.ts';
import { cellThrough, changedEditions } from './editions.ts';
import { type Runtime, runtimeNames, startRuntime } from './runtimes.ts';
import {
  amendment,
  type Fate,
  hashOf,
  rotation,
  type SampleMachine,
  sampleMachine,
  sampleProfile,
  seal,
} from './samples.ts';

const dayMs = 24 * 3600_000;

describe.each(runtimeNames)('on %s', (name) => {
  let runtime: Runtime;
  let url: string;
  beforeAll(async () => {
    runtime = await startRuntime(name);
    ({ url } = runtime);
  });
  afterAll(() => runtime.stop());

  async function reported(who: string, fate: Fate) {
    const machine = sampleMachine(who, sampleProfile(who));
    await enrol(url, machine);
    return { machine, ...(await runTrial(url, machine, who, fate)) };
  }
  const amending = (first: Envelope, reason: 'dump-found' | 'dump-lost' = 'dump-found') =>
    ({ report_hash: hashOf('report', first), reason }) as const;

  it('is admitted, and counts from the next edition on', async () => {
    const { machine, ticket, receipt, envelope } = await reported('found', 'hang');
    const editionBefore = await settled(runtime);
    expect(await cellOf(runtime, 'found')).toMatchObject({ trials: 1, captured: 0 });
    const amends = amending(envelope);
    const second = amendment(machine, ticket, 'captured', Date.now(), amends);
    const answer = await post(url, 'report', second);
    expect(answer.status).toBe(201);
    const { report_id, row } = answer.json as Receipt;
    expect(JSON.parse(row)).toMatchObject({ amends: receipt.log_index, labels: ['amendment'] });
    expect(await cellOf(runtime, 'found')).toMatchObject({ trials: 1, captured: 1 });
    // Both stay as they were said.
    const shown = await Promise.all(
      [receipt.report_id, report_id].map(
        async (id) => (await get(url, `/v1/reports/${id}`)).json as LabReport,
      ),
    );
    expect(shown.map(({ outcome }) => outcome.result)).toEqual(['failed', 'captured']);
    expect(shown.map(({ labels }) => labels)).toEqual([
      ['enrolled', 'reference'],
      ['enrolled', 'reference', 'amendment'],
    ]);
    expect(shown[1]?.body).toMatchObject({ version: '1.1', amends });
    expect(shown.map(({ envelope: e }) => e.payload)).toEqual([envelope.payload, second.payload]);
    // Earlier editions are what they were.
    const earlier = (await cellThrough(runtime, 'found')).find(({ number }) => number === editionBefore);
    expect(earlier?.trials).toBe(1);
    expect(await changedEditions(runtime)).toEqual([]);
    // The failure is one no longer.
    const driver = (await get(url, '/v1/drivers/found')).json as { failures: unknown[] };
    expect(driver.failures).toEqual([]);
  });

  it('may also say that a capture was none', async () => {
    const { machine, ticket, envelope } = await reported('unfound', 'captured');
    expect(await cellOf(runtime, 'unfound')).toMatchObject({ captured: 1 });
    await admit(
      url,
      'report',
      amendment(machine, ticket, 'device', Date.now(), amending(envelope, 'dump-lost')),
    );
    expect(await cellOf(runtime, 'unfound')).toMatchObject({ trials: 1, captured: 0 });
  });

  it('is admitted once, also twenty at once', async () => {
    const { machine, ticket, envelope } = await reported('once', 'hang');
    const second = amendment(machine, ticket, 'captured', Date.now(), amending(envelope));
    const before = await rowCounts(runtime);
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(url, 'report', second)));
    expect(raced(answers)).toEqual([...Array(19).fill('200'), '201']);
    expect(new Set(answers.map((answer) => JSON.stringify(lasting(answer)))).size).toBe(1);
    expect(((await rowCounts(runtime)).reports ?? 0) - (before.reports ?? 0)).toBe(1);
    // The first report again still gets its first receipt.
    expect(shortly(await post(url, 'report', envelope))).toBe('200');
  });

  it('is one: of two at once one is taken, and none after it', async () => {
    const { machine, ticket, envelope } = await reported('twice', 'hang');
    const [one, two] = (['captured', 'device'] as const).map((fate) =>
      amendment(machine, ticket, fate, Date.now(), amending(envelope)),
    ) as [Envelope, Envelope];
    const answers = await Promise.all([one, two].map((e) => post(url, 'report', e)));
    expect(raced(answers)).toEqual(['201', '409 different-report']);
    const third = amendment(machine, ticket, 'inconclusive', Date.now(), amending(envelope));
    const answer = await post(url, 'report', third);
    expect(shortly(answer)).toBe('409 different-report');
    expect(problemOf(answer).detail).toContain('has an amendment already');
  });

  it('may come from the next key of the machine', async () => {
    const { machine, ticket, envelope } = await reported('moved', 'hang');
    const next = sampleMachine('moved on', JSON.parse(machine.profileText));
    await admit(url, 'rotate', rotation('machine', machine.key, next.key));
    const second = amendment(next, ticket, 'captured', Date.now(), amending(envelope));
    expect(shortly(await post(url, 'report', second))).toBe('201');
    expect(await cellOf(runtime, 'moved')).toMatchObject({ machines: 1, trials: 1, captured: 1 });
  });

  it('that is late is labeled so, and refused after 90 days', async () => {
    const { machine, ticket, envelope } = await reported('late', 'hang');
    const other = await reported('too_late', 'hang');
    const untilMs = Date.parse(ticket.report_by) - Date.now();
    await runtime.setClock(untilMs + 90 * dayMs - 60_000);
    const second = amendment(machine, ticket, 'captured', Date.now(), amending(envelope));
    const { report_id } = await admit<Receipt>(url, 'report', second);
    expect(await labelsOf(url, report_id)).toEqual(['enrolled', 'reference', 'late', 'amendment']);
    await runtime.setClock(untilMs + 90 * dayMs + 60_000);
    const third = amendment(other.machine, other.ticket, 'captured', Date.now(), amending(other.envelope));
    expect(shortly(await post(url, 'report', third))).toBe('410 report-too-late');
    expect(await cellOf(runtime, 'late')).toMatchObject({ trials: 1, captured: 1 });
    await runtime.setClock(0);
  });

  it.each<[string, string, RegExp, (g: Ground) => Envelope]>([
    [
      'without a first report',
      '422 ticket-mismatch',
      /which has none/,
      ({ machine, open, first }) => amendment(machine, open, 'captured', Date.now(), amending(first)),
    ],
    [
      'of the report on another trial',
      '422 ticket-mismatch',
      /amends\.report_hash is/,
      ({ machine, ticket, others }) => amendment(machine, ticket, 'captured', Date.now(), amending(others)),
    ],
    [
      'of an amendment',
      '422 ticket-mismatch',
      /amends\.report_hash is/,
      ({ machine, amended, second }) => amendment(machine, amended, 'captured', Date.now(), amending(second)),
    ],
    [
      'that amends nothing',
      '409 different-report',
      /whose bytes are others/,
      ({ machine, ticket }) => amendment(machine, ticket, 'captured', Date.now(), null),
    ],
    [
      'with another scenario',
      '422 ticket-mismatch',
      /scenario\.load/,
      ({ machine, ticket, first }) =>
        amendment(machine, ticket, 'captured', Date.now(), amending(first), {
          scenario: { ...ticket.scenario, load: 'disk' },
        }),
    ],
    [
      'of another machine',
      '403 foreign-ticket',
      /another machine/,
      ({ stranger, ticket, first }) => amendment(stranger, ticket, 'captured', Date.now(), amending(first)),
    ],
    [
      'with a reason of its own',
      '422 invalid-payload',
      /amends\.reason/,
      ({ machine, ticket, first }) =>
        amendment(machine, ticket, 'captured', Date.now(), {
          report_hash: hashOf('report', first),
          reason: 'better' as 'dump-found',
        }),
    ],
    [
      'in a version that has none',
      '422 invalid-payload',
      /amends/,
      ({ machine, ticket, first }) =>
        seal(
          'report',
          { ...machine.report(ticket, 'captured', Date.now()), amends: amending(first) },
          machine.key,
        ),
    ],
  ])('%s is refused: %s', async (_, short, words, envelopeOf) => {
    ground ??= await prepared();
    const before = await rowCounts(runtime);
    const answer = await post(url, 'report', envelopeOf(ground));
    expect(shortly(answer)).toBe(short);
    expect(problemOf(answer).detail).toMatch(words);
    expect(await rowCounts(runtime)).toEqual(before);
  });

  interface Ground {
    readonly machine: SampleMachine;
    readonly stranger: SampleMachine;
    readonly open: Ticket;
    readonly ticket: Ticket;
    readonly first: Envelope;
    readonly others: Envelope;
    readonly amended: Ticket;
    readonly second: Envelope;
  }
  let ground: Ground | undefined;
  async function prepared(): Promise<Ground> {
    const { machine, ticket, envelope } = await reported('ground', 'hang');
    const other = await reported('ground 2', 'hang');
    const amended = await runTrial(url, machine, 'ground 3', 'hang');
    const second = amendment(machine, amended.ticket, 'captured', Date.now(), amending(amended.envelope));
    await admit(url, 'report', second);
    const open = await takeTicket(url, machine, 'ground 4');
    return {
      machine,
      stranger: other.machine,
      open,
      ticket,
      first: envelope,
      others: other.envelope,
      amended: amended.ticket,
      second,
    };
  }
});
