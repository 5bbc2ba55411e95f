/** A client for the suites: posts envelopes, and prepares machines and tickets. */
import type { StatusAnswer } from '../../schema/answer/status.ts';
import type { Envelope, PayloadKind } from '../../schema/envelope.ts';
import type { Problem } from '../../schema/problem.ts';
import type { KeyedCell, StatisticsAnswer } from '../../schema/statistics.ts';
import type { Label } from '../../schema/vocabulary.ts';
import type { Receipt, Ticket } from '../../schema/wire.ts';
import type { Runtime } from './runtimes.ts';
import { type Fate, requestId, type SampleMachine, seal, simpleScenario } from './samples.ts';

/** The address of each kind of payload. */
export const paths = {
  enrol: '/v1/machines',
  tickets: '/v1/tickets',
  armed: '/v1/armed',
  report: '/v1/reports',
  rotate: '/v1/rotations',
  revoke: '/v1/revocations',
  withdraw: '/v1/withdrawals',
  invite: '/v1/invitations',
  decision: '/v1/decisions',
} as const satisfies Record<PayloadKind, string>;

/** An answer, read. `body` is JSON where the answer is. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: unknown;
}

/** Reads an answer. */
export async function readAnswer(response: Response): Promise<Answer> {
  const text = await response.text();
  const isJson = /[/+]json/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson && text !== '' ? JSON.parse(text) : null,
  };
}

const isJson = { 'content-type': 'application/json' };

/** Posts a body as it is. */
export async function postRaw(
  url: string,
  path: string,
  body: BodyInit,
  headers: Record<string, string> = isJson,
): Promise<Answer> {
  return readAnswer(
    await fetch(url + path, { method: 'POST', body, headers, duplex: 'half' } as RequestInit),
  );
}

/** Posts an envelope to the address of a kind. */
export function post(url: string, kind: PayloadKind, envelope: Envelope): Promise<Answer> {
  return postRaw(url, paths[kind], JSON.stringify(envelope));
}

/** Gets an address, as JSON where it is. */
export async function get(url: string, path: string, accept = 'application/json'): Promise<Answer> {
  return readAnswer(await fetch(url + path, { headers: { accept } }));
}

async function expectDone(what: string, answer: Answer): Promise<unknown> {
  if (answer.status === 200 || answer.status === 201) return answer.json;
  throw new Error(`${what} was answered ${answer.status}: ${answer.text}`);
}

/** Posts an envelope that must be taken, and gives the answer's JSON. Throws where it is refused. */
export async function admit<T>(url: string, kind: PayloadKind, envelope: Envelope): Promise<T> {
  return (await expectDone(kind, await post(url, kind, envelope))) as T;
}

/** Enrols a machine. */
export async function enrol(url: string, machine: SampleMachine): Promise<void> {
  await expectDone('enrolment', await post(url, 'enrol', seal('enrol', machine.enrol(), machine.key)));
}

/** Tickets for a machine; `name` names the request. */
export async function takeTickets(
  url: string,
  machine: SampleMachine,
  name: string,
  scenarios: readonly string[] = [simpleScenario],
): Promise<Ticket[]> {
  const body = machine.tickets(requestId(name), scenarios);
  const answer = await post(url, 'tickets', seal('tickets', body, machine.key));
  return ((await expectDone('tickets', answer)) as { tickets: Ticket[] }).tickets;
}

/** One ticket for a machine. */
export async function takeTicket(url: string, machine: SampleMachine, name: string): Promise<Ticket> {
  const [ticket] = await takeTickets(url, machine, name);
  if (ticket === undefined) throw new Error('no ticket was issued');
  return ticket;
}

/** A machine takes a ticket and reports at once what became of the trial. */
export async function runTrial(
  url: string,
  machine: SampleMachine,
  name: string,
  fate: Fate,
  atMs = Date.now(),
): Promise<{ readonly ticket: Ticket; readonly receipt: Receipt; readonly envelope: Envelope }> {
  const ticket = await takeTicket(url, machine, name);
  const envelope = seal('report', machine.report(ticket, fate, atMs), machine.key);
  return { ticket, receipt: await admit<Receipt>(url, 'report', envelope), envelope };
}

/** What of an answer lasts: the checkpoint beside it is the newest there is at each answer. */
export function lasting(answer: Answer): unknown {
  const { checkpoint: _, ...rest } = answer.json as Record<string, unknown>;
  return rest;
}

export function receiptOf(answer: Answer): Receipt {
  return answer.json as Receipt;
}

export function problemOf(answer: Answer): Problem {
  return answer.json as Problem;
}

/** An answer in short: its status, and the slug of the problem where it is one. */
export function shortly(answer: Answer): string {
  const { type } = (answer.json ?? {}) as Partial<Problem>;
  return type === undefined ? String(answer.status) : `${answer.status} ${type.replace('/problems/', '')}`;
}

/** Answers in short, sorted: for requests that raced. */
export function raced(answers: readonly Answer[]): string[] {
  return answers.map(shortly).sort();
}

/** Statistics of the current edition. */
export async function statistics(url: string, query: string): Promise<StatisticsAnswer> {
  return (await get(url, `/v1/statistics?${query}`)).json as StatisticsAnswer;
}

/** Waits until something holds, publishing what is due in between. */
export async function eventually(runtime: Runtime, holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('it did not come to hold within 10 s');
    await runtime.tick();
    await new Promise((done) => setTimeout(done, 25));
  }
}

/** Publishes until an edition covers all that the log has; its number. */
export async function settled(runtime: Runtime): Promise<number> {
  let number = 0;
  await eventually(runtime, async () => {
    const status = (await get(runtime.url, '/v1/status')).json as StatusAnswer;
    number = status.edition;
    return status.edition_manifest.log_size === status.log_size;
  });
  return number;
}

/** The cell of a driver of the lab in an edition that covers all that the log has; null where it is blank. */
export async function cellOf(runtime: Runtime, driver: string): Promise<KeyedCell | null> {
  await settled(runtime);
  const { cells } = await statistics(runtime.url, `by=driver&population=lab&driver=${driver}`);
  return cells[0] ?? null;
}

/** The labels that a report has at this moment. */
export async function labelsOf(url: string, reportId: string): Promise<Label[]> {
  const report = (await get(url, `/v1/reports/${reportId}.json`)).json as { labels: Label[] };
  return report.labels;
}

/** How many rows each table has: whatever was refused must leave this unchanged. */
export async function rowCounts(runtime: Runtime): Promise<Record<string, number>> {
  const tables = [
    'log_entries',
    'envelopes',
    'machines',
    'owners',
    'trust',
    'holds',
    'profiles',
    'tickets',
    'armed_notes',
    'reports',
    'facts',
  ];
  const sql = tables.map((name) => `(select count(*) from ${name}) as ${name}`).join(', ');
  const { rows } = await runtime.database.execute(`select ${sql}`);
  return Object.fromEntries(tables.map((name) => [name, Number(rows[0]?.[name])]));
}

/** The log's indices, for a look at gaps. */
export async function logIndices(runtime: Runtime): Promise<number[]> {
  const { rows } = await runtime.database.execute('select log_index from log_entries order by log_index');
  return rows.map((row) => Number(row[0]));
}
