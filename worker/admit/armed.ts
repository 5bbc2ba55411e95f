/** `POST /v1/armed`: a machine is about to crash. If it is never heard of again, it still counts. */
import { type ArmedAnswer, type ArmedBody, armedBody, limits } from '../../schema/wire.ts';
import { draftEntry } from '../log/draft.ts';
import { entryAnswerOf } from '../log/promise.ts';
import { factsOf, type Terms, ticketRowOf } from '../log/rows.ts';
import { type Fault, refuseIf } from '../refusal.ts';
import type { Services } from '../services.ts';
import { type ArmedRow, insertArmed } from '../store/armed.ts';
import { type StoredEntry, storedEntry } from '../store/log.ts';
import { instant } from '../time.ts';
import type { Admission } from './admission.ts';
import { openEnvelope } from './open.ts';
import { ownTrial, profileOf } from './own-trial.ts';

/** Admits an armed note; a second one for the ticket is answered like the first. Throws a Refusal; then nothing was stored. */
export async function admitArmed(services: Services, bytes: Uint8Array): Promise<Admission<ArmedAnswer>> {
  const { store, now } = services;
  const { body, request } = await openEnvelope(services, bytes, 'armed', armedBody, ({ machine }) => machine);
  const trial = await ownTrial(services, body);
  const { ticket } = trial;
  if (trial.armed !== null) return { fresh: false, answer: await known(services, trial.armed) };
  const nowMs = now();
  refuseIf(faultOfArming(body, ticket, nowMs));

  const note = { nonce: ticket.nonce, armed_at: body.armed_at };
  const publicTicket = ticketRowOf(ticket, profileOf(trial));
  const draft = await draftEntry(services, 'armed', note, request, publicTicket, nowMs);
  const facts = factsOf(publicTicket, { kind: 'armed', row: note });
  const row = { nonce: ticket.nonce, armed_at_ms: Date.parse(body.armed_at), admitted_at_ms: nowMs };
  const inserted = await insertArmed(store, row, draft, facts);
  if (inserted !== null) return { fresh: true, answer: await answer(services, ticket.nonce, inserted) };
  const { armed } = await ownTrial(services, body);
  if (armed === null)
    throw new Error(`the armed note of ${ticket.nonce} was neither stored nor there before`);
  return { fresh: false, answer: await known(services, armed) };
}

async function answer(services: Services, nonce: string, entry: StoredEntry): Promise<ArmedAnswer> {
  return { nonce, ...(await entryAnswerOf(services, entry)) };
}

async function known(services: Services, row: ArmedRow): Promise<ArmedAnswer> {
  const entry = await storedEntry(services.store, row.log_index);
  if (entry === null) throw new Error(`the entry ${row.log_index} of an armed note is gone`);
  return answer(services, row.nonce, entry);
}

/**
 * Whether the ticket allowed arming when the machine says it armed. A note may come later than that: a machine
 * without a network keeps it in its journal.
 */
export function faultOfArming(
  body: Pick<ArmedBody, 'armed_at'>,
  ticket: Pick<Terms, 'nonce' | 'arm_by_ms'>,
  nowMs: number,
): Fault | null {
  const armedAtMs = Date.parse(body.armed_at);
  if (armedAtMs > ticket.arm_by_ms) {
    return {
      slug: 'arm-too-late',
      detail: `armed_at is ${body.armed_at}; ticket ${ticket.nonce} was to be armed by ${instant(ticket.arm_by_ms)}.`,
    };
  }
  if (armedAtMs > nowMs + limits.futureMaxMs) {
    return {
      slug: 'report-from-future',
      detail: `armed_at is ${body.armed_at}; the server has ${instant(nowMs)}.`,
    };
  }
  return null;
}
