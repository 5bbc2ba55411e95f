/** `POST /v1/armed`: a machine is about to crash. If it is never heard of again, it still counts. */

import type * as z from 'zod';
import { type ArmedBody, type armedAnswer, armedBody, limits } from '../../schema/wire.ts';
import { type Fault, refuseIf } from '../refusal.ts';
import type { Services } from '../services.ts';
import { type ArmedRow, insertArmed } from '../store/armed.ts';
import { commitTo } from '../store/log.ts';
import type { TicketRow } from '../store/tickets.ts';
import { instant } from '../time.ts';
import type { Admission } from './admission.ts';
import { factsOf } from './facts.ts';
import { openEnvelope } from './open.ts';
import { ownTrial, profileOf } from './own-trial.ts';

type ArmedAnswer = z.infer<typeof armedAnswer>;

/** Admits an armed note; a second one for the ticket is answered like the first. Throws a Refusal; then nothing was stored. */
export async function admitArmed(services: Services, bytes: Uint8Array): Promise<Admission<ArmedAnswer>> {
  const { store, now, random } = services;
  const { body, hash } = await openEnvelope(bytes, 'armed', armedBody);
  const trial = await ownTrial(services, body);
  const { ticket } = trial;
  if (trial.armed !== null) return { fresh: false, answer: answerOf(trial.armed) };
  const nowMs = now();
  refuseIf(faultOfArming(body, ticket, nowMs));

  const facts = factsOf(ticket, profileOf(trial), {
    kind: 'armed',
    result: 'no_reply',
    stage: 'armed',
    report_by_ms: ticket.report_by_ms,
  });
  const row = { nonce: ticket.nonce, armed_at_ms: Date.parse(body.armed_at), admitted_at_ms: nowMs };
  const inserted = await insertArmed(store, row, await commitTo(hash, random(16)), facts);
  if (inserted !== null) return { fresh: true, answer: answerOf(inserted) };
  const { armed } = await ownTrial(services, body);
  if (armed === null)
    throw new Error(`the armed note of ${ticket.nonce} was neither stored nor there before`);
  return { fresh: false, answer: answerOf(armed) };
}

function answerOf(row: ArmedRow): ArmedAnswer {
  return { nonce: row.nonce, log_index: row.log_index, admitted_at: instant(row.admitted_at_ms) };
}

/**
 * Whether the ticket allowed arming when the machine says it armed. A note may come later than that: a machine
 * without a network keeps it in its journal.
 */
export function faultOfArming(body: ArmedBody, ticket: TicketRow, nowMs: number): Fault | null {
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
