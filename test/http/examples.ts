/**
 * Records the examples of the API's description: one request for each operation, sent to the application with a
 * clock and a source of randomness that are always the same, and what it was answered. Signed with the keys of the
 * samples, which are no secret: whoever sends such an example to a survey enrolls a machine that everybody can be.
 *
 *     npm run examples     writes worker/openapi/examples.json
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import type { Envelope } from '../../schema/envelope.ts';
import type { Ticket } from '../../schema/wire.ts';
import { templateOf } from '../../worker/openapi/document.ts';
import type { Operation } from '../../worker/openapi/operation.ts';
import { operationList, type operations } from '../../worker/openapi/operations.ts';
import { addressOf } from '../../worker/openapi/request.ts';
import { parametersOf } from '../../worker/openapi/schemas.ts';
import { origin, startInProcess } from './in-process.ts';
import {
  decision,
  invitation,
  keyPair,
  requestId,
  revocation,
  rotation,
  sampleMachine,
  sampleProfile,
  seal,
  withdrawal,
} from './samples.ts';

type Operations = typeof operations;
/** The operations that take a signed body. */
type SignedId = {
  [Id in keyof Operations]: Operations[Id] extends { takes: object } ? Id : never;
}[keyof Operations];

/** When the examples were sent, by the clock of server and machine. */
const sentAt = '2026-11-20T12:00:00.000Z';
export const sentAtMs = Date.parse(sentAt);

const machine = sampleMachine('of the examples', sampleProfile('am53c974'));

/** The operator of the survey that the examples are sent to. */
export const operator = keyPair('operator of the examples');
const next = keyPair('next key of the examples');

/** The signed bodies. `ticket` is the one that the example before was answered with. */
export const bodies: Readonly<Record<SignedId, (ticket: Ticket | undefined) => Envelope>> = {
  enrollMachine: () => seal('enrol', machine.enrol(), machine.key),
  issueTickets: () =>
    seal(
      'tickets',
      machine.tickets(requestId('of the examples'), ['timer/exception/disk/none']),
      machine.key,
    ),
  noteArmed: (ticket) => seal('armed', machine.armed(issued(ticket), sentAtMs), machine.key),
  admitReport: (ticket) => seal('report', machine.report(issued(ticket), 'device', sentAtMs), machine.key),
  rotateKey: () => rotation('machine', machine.key, next, { created_at: sentAt }),
  // From an index on that nothing has yet, so that the example takes nothing from the figures.
  revokeKey: () => revocation(machine.owner, 'machine', next.publicHex, 6, sentAt),
  inviteOwner: () => invitation(machine.owner, keyPair('invited by the examples').publicHex, sentAt),
  decide: () => decision(operator, 'quarantine', 'agent_version', '0.0.9', { created_at: sentAt }),
  withdrawData: () => withdrawal(machine.owner, 'machine', next.publicHex, sentAt),
};

function issued(ticket: Ticket | undefined): Ticket {
  if (ticket === undefined) throw new Error('the example of issueTickets must come before this one');
  return ticket;
}

/** What was recorded of an operation: its body, and its answers by status and media type. */
export interface Recorded {
  readonly body?: Envelope;
  readonly answers: Record<string, Record<string, unknown>>;
}

/** What is written out: not pages, and not the document that all this is a part of. */
const recordedTypes = ['application/json', 'application/atom+xml', 'text/csv', 'text/plain'];

/** Requests of an operation as the examples have them, without their bodies. */
export function exampleAddresses({ address, path, query, examples = [{}] }: Operation): string[] {
  const parameters = [...parametersOf('path', path), ...parametersOf('query', query)];
  return examples.map((values) => addressOf(templateOf(address), parameters, values));
}

/** Sends every example to an empty survey, in the table's order. The same bytes each time. */
export async function recordExamples(): Promise<Record<string, Recorded>> {
  let draws = 0;
  const survey = await startInProcess({
    now: () => sentAtMs,
    referenceOwners: new Set([machine.owner.publicHex]),
    operators: new Set([operator.publicHex]),
    controlShare: 0,
    random: (byteCount) => {
      draws += 1;
      return new Uint8Array(createHash('sha256').update(`example ${draws}`).digest().subarray(0, byteCount));
    },
  });
  const records: Record<string, Recorded> = {};
  let ticket: Ticket | undefined;
  for (const [id, operation] of operationList as readonly (readonly [string, Operation])[]) {
    // Both are made of the examples.
    if (id === 'getOpenApi' || id === 'getReferencePage') continue;
    const body = id in bodies ? bodies[id as SignedId](ticket) : undefined;
    if (body === undefined) await survey.publish();
    const answers: Recorded['answers'] = {};
    for (const address of exampleAddresses(operation)) {
      const init = body
        ? { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
        : {};
      const response = await survey.fetch(new Request(origin + address, init));
      if (!response.ok) throw new Error(`${id}: ${response.status} ${await response.text()}`);
      const mediaType = response.headers.get('content-type')?.split(';')[0] ?? '';
      if (!recordedTypes.includes(mediaType)) continue;
      const text = await response.text();
      const answer: unknown = mediaType === 'application/json' ? JSON.parse(text) : text;
      answers[response.status] ??= {};
      const byType = answers[response.status] as Record<string, unknown>;
      byType[mediaType] ??= answer;
      if (id === 'issueTickets') [ticket] = (answer as { tickets: Ticket[] }).tickets;
    }
    if (body !== undefined || Object.keys(answers).length > 0)
      records[id] = { ...(body ? { body } : {}), answers };
  }
  await survey.stop();
  return records;
}

/** The file's text. */
export async function examplesText(): Promise<string> {
  return `${JSON.stringify(await recordExamples(), null, 2)}\n`;
}

/** Where the examples are kept. */
export const examplesFile = new URL('../../worker/openapi/examples.json', import.meta.url);

if (import.meta.main) await writeFile(examplesFile, await examplesText());
