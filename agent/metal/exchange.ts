/**
 * Exchanges what waits on a machine without a network with a mailbox: answers that came back are taken in, and what has
 * none yet is put there, signed. Tickets can be asked for ahead.
 */
import { rm } from 'node:fs/promises';
import * as z from 'zod';
import { fromBase64 } from '../../schema/bytes.ts';
import { type Envelope, envelope } from '../../schema/envelope.ts';
import { scenarioId, scenarioSets } from '../../schema/scenario.ts';
import type { Environment } from '../../schema/vocabulary.ts';
import type { Ticket, TicketsBody } from '../../schema/wire.ts';
import { writeDurably } from '../durable.ts';
import { Refused } from '../link/api.ts';
import type { CarriedSurvey } from '../link/carried.ts';
import type { KeyPair } from '../link/keys.ts';
import { Kept } from '../link/mailbox.ts';
import type { Outbox, Sent } from '../link/outbox.ts';
import { signBody } from '../link/sign.ts';
import { enrolRequest, isAsWanted, sha256Of } from '../link/survey.ts';
import type { Journal } from '../trial/journal.ts';
import { metalSet } from './campaign.ts';
import { type MetalPaths, readState } from './state.ts';
import { keepTickets } from './tickets.ts';
import { sayNote } from './trial.ts';

const asked = z.strictObject({ version: z.literal(1), enrol: envelope, tickets: envelope });
type Asked = z.infer<typeof asked>;

/** The most tickets that one request may ask for. */
export const ticketsMost = 64;

export interface ExchangeContext {
  readonly paths: Pick<MetalPaths, 'asked' | 'tickets'>;
  readonly survey: CarriedSurvey;
  readonly journal: Journal;
  readonly outbox: Outbox;
  readonly keys: { readonly machine: KeyPair; readonly owner: KeyPair };
  readonly environment: Environment;
  readonly profile: () => Promise<string>;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly nowMs: number;
}

export interface Exchanged {
  readonly sent: readonly Sent[];
  /** Tickets that came. */
  readonly tickets: number;
  /** Why the request for tickets was refused, or null. */
  readonly refused: string | null;
  /** Armed notes that the survey has. */
  readonly notes: number;
  /** Whether something lies in the mailbox whose answer is still to come. */
  readonly isWaiting: boolean;
}

/** Gives what a step comes to, or null where its answer is still to come. */
async function orKept<T>(step: Promise<T>): Promise<T | null> {
  return step.catch((error: unknown) => {
    if (error instanceof Kept) return null;
    throw error;
  });
}

/** A request for tickets for the scenarios of the set, over and over, with the enrolment that goes before it. */
function ask(count: number, profile: string, context: ExchangeContext): Asked {
  const { keys, environment, nowMs, randomBytes } = context;
  const ids = scenarioSets[metalSet].map((s) => scenarioId(s));
  const body: TicketsBody = {
    version: '1.1',
    machine: keys.machine.name,
    request: Buffer.from(randomBytes(16)).toString('hex'),
    profile_sha256: sha256Of(profile),
    set: metalSet,
    scenarios: Array.from({ length: count }, (_, i) => ids[i % ids.length] ?? ''),
    mechanism: 'kdump',
    environment,
    created_at: new Date(nowMs).toISOString(),
    controls: false,
    offline: true,
  };
  return {
    version: 1,
    enrol: enrolRequest(keys.machine, keys.owner, profile, nowMs),
    tickets: signBody('tickets', body, keys.machine),
  };
}

const bodyOf = (e: Envelope) => JSON.parse(new TextDecoder().decode(fromBase64(e.payload))) as TicketsBody;

/** The tickets of an answer. Throws an Error where one of them is not what was asked for: none is taken then. */
function wantedOf(request: Envelope, tickets: readonly Ticket[]): readonly Ticket[] {
  const { machine, profile_sha256, set, scenarios, mechanism, environment } = bodyOf(request);
  const fit = tickets.every((ticket, i) => {
    const wanted = {
      profileSha256: profile_sha256,
      set,
      scenario: scenarios[i] ?? '',
      mechanism,
      environment,
    };
    return isAsWanted(ticket, machine, wanted, false);
  });
  if (fit && tickets.length === scenarios.length) return tickets;
  throw new Error('the survey sent other tickets than were asked for: none was taken');
}

/** Takes answers in and puts out what has none. `tickets`: how many to ask for, where no request is on its way. */
export async function exchange(context: ExchangeContext, tickets: number): Promise<Exchanged> {
  const { paths, survey, journal, outbox, keys } = context;
  let isWaiting = false;
  let came = 0;
  let refused: string | null = null;
  let request = await readState(paths.asked, asked, [`rm ${paths.asked}`]);
  if (request === null && tickets > 0) {
    request = ask(tickets, await context.profile(), context);
    // The same bytes until they are answered: the survey then gives the same tickets.
    await writeDurably(paths.asked, JSON.stringify(request), 0o600);
  }
  if (request !== null) {
    try {
      const enrolled = await orKept(survey.enrol(request.enrol));
      const answer = await orKept(survey.tickets(request.tickets));
      isWaiting ||= enrolled === null || answer === null;
      if (answer !== null) {
        const kept = wantedOf(request.tickets, answer.tickets);
        await keepTickets(paths, kept);
        came = kept.length;
        await rm(paths.asked, { force: true });
      }
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      refused = error.message;
      await rm(paths.asked, { force: true });
    }
  }
  let notes = 0;
  for (const [ordinal, { note, said }] of journal.trials()) {
    if (note === undefined || said === note.nonce) continue;
    const isSaid = await orKept(sayNote(ordinal, { journal, survey, keys }).then(() => true)).catch(
      (error: unknown) => {
        // The report is judged on its own.
        if (!(error instanceof Refused)) throw error;
        return false;
      },
    );
    isWaiting ||= isSaid === null;
    notes += isSaid === true ? 1 : 0;
  }
  const sent = await outbox.flush(survey.report);
  isWaiting ||= (await outbox.count()).waiting > 0;
  return { sent, tickets: came, refused, notes, isWaiting };
}
