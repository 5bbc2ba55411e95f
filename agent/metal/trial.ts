/**
 * Begins one trial: ticket, preparation, armed note, journal, crash. Each step is durable in the journal before the
 * next begins, and nothing is armed before everything that the next start must know is on the disk.
 */
import { fromBase64, toBase64 } from '../../schema/bytes.ts';
import { scenarioId } from '../../schema/scenario.ts';
import type { Environment } from '../../schema/vocabulary.ts';
import type { Ticket } from '../../schema/wire.ts';
import { Refused, Unreachable } from '../link/api.ts';
import type { KeyPair } from '../link/keys.ts';
import { sign } from '../link/sign.ts';
import { armedNote, askForTicket, enrol, sha256Of } from '../link/survey.ts';
import type { Survey } from '../link/survey-api.ts';
import type { Journal } from '../trial/journal.ts';
import { listingText } from '../trial/listing-text.ts';
import { requestId } from '../trial/request.ts';
import type { MetalCampaign, MetalItem } from './campaign.ts';
import { type History, historyOf } from './history.ts';
import type { MetalMachine, Ready, WentOn } from './machine.ts';
import { neverArmedEvidence } from './never-armed.ts';

/** What trials need. */
export interface TrialContext {
  readonly machine: MetalMachine;
  readonly journal: Journal;
  readonly survey: Survey;
  readonly keys: { readonly machine: KeyPair; readonly owner: KeyPair };
  readonly campaign: MetalCampaign;
  readonly environment: Environment;
  /** Tickets that were fetched ahead, for a machine without a network. */
  readonly bundled: (scenario: string, profileSha256: string, nowMs: number) => Promise<Ticket | null>;
  readonly onStep: (step: string) => void;
}

/** Whether a ticket is of this item, and can still be armed: the profile is of the hardware as it is. */
function isUsable(
  ticket: Ticket | undefined,
  item: MetalItem,
  profileSha256: string,
  nowMs: number,
): boolean {
  return (
    ticket !== undefined &&
    ticket.profile_sha256 === profileSha256 &&
    scenarioId(ticket.scenario) === scenarioId(item.scenario) &&
    Date.parse(ticket.issued_at) <= nowMs + 10 * 60_000 &&
    nowMs <= Date.parse(ticket.arm_by)
  );
}

/** The ticket of an item: the one in the journal while it can be armed, else one of the bundle, else a new one. */
async function ticketFor(
  item: MetalItem,
  profile: string,
  history: History,
  context: TrialContext,
): Promise<Ticket> {
  const { machine, journal, survey, keys, campaign, environment, bundled } = context;
  const nowMs = machine.now();
  const profileSha256 = sha256Of(profile);
  const state = journal.trials().get(item.ordinal);
  if (state?.ticket && isUsable(state.ticket, item, profileSha256, nowMs)) return state.ticket;
  const id = scenarioId(item.scenario);
  let ticket = await bundled(id, profileSha256, nowMs);
  if (ticket === null) {
    // The survey gives tickets for profiles that it was told, and for no others.
    const isTold = [...journal.trials().values()].some(
      ({ ticket: had }) => had?.machine === keys.machine.name && had.profile_sha256 === profileSha256,
    );
    if (!isTold) await enrol(survey, keys.machine, keys.owner, profile, nowMs);
    const wanted = {
      request: requestId(campaign.id, item, state, profileSha256, nowMs),
      profileSha256,
      set: campaign.set,
      scenario: id,
      mechanism: 'kdump',
      environment,
      // Only where the machine has come back by itself: without a capture kernel it must do that again.
      controls: history.cameBack && (state?.controls ?? 0) === 0,
    } as const;
    ticket = await askForTicket(survey, keys.machine, wanted, nowMs).catch(async (error: unknown) => {
      // Another survey than the one that was told.
      if (!isTold || !(error instanceof Refused)) throw error;
      await enrol(survey, keys.machine, keys.owner, profile, nowMs);
      return askForTicket(survey, keys.machine, wanted, nowMs);
    });
  }
  await journal.append({ step: 'ticket', ordinal: item.ordinal, ticket });
  return ticket;
}

/** Says that the machine is about to be armed; where nobody answers, the note is kept, and said after the crash. */
async function sayArmed(ordinal: number, ticket: Ticket, context: TrialContext): Promise<void> {
  const { machine, journal, keys } = context;
  const { nonce } = ticket;
  const bytes = armedNote(keys.machine, ticket, machine.now());
  if (journal.trials().get(ordinal)?.note?.nonce !== nonce)
    await journal.append({ step: 'noted', ordinal, nonce, payload: toBase64(bytes) });
  await sayNote(ordinal, context).catch((error: unknown) => {
    if (!(error instanceof Unreachable)) throw error;
    context.onStep(`the armed note is kept: ${error.message}`);
  });
}

/** Sends the note in the journal, if the survey does not have it. Rejects where it cannot be sent. */
export async function sayNote(
  ordinal: number,
  {
    journal,
    survey,
    keys,
  }: Pick<TrialContext, 'journal'> & {
    readonly survey: Pick<Survey, 'armed'>;
    readonly keys: Pick<TrialContext['keys'], 'machine'>;
  },
): Promise<void> {
  const { note, said } = journal.trials().get(ordinal) ?? {};
  if (note === undefined || said === note.nonce) return;
  await survey.armed(sign('armed', fromBase64(note.payload), keys.machine));
  await journal.append({ step: 'said', ordinal, nonce: note.nonce });
}

/** What is durable before anything is armed. */
async function journalArming(
  ordinal: number,
  ready: Ready,
  { journal, machine }: TrialContext,
): Promise<void> {
  const { planted, sysctls, metal } = ready;
  const armed_at = new Date(machine.now()).toISOString();
  await journal.append({ step: 'arming', ordinal, armed_at, sysctls, listing: listingText(planted), metal });
}

/**
 * Runs one trial up to its crash, from which it does not come back. Gives what there is to say where the system went on;
 * rejects where it was never armed, and then everything was undone and the ticket can be used again.
 */
export async function beginTrial(item: MetalItem, context: TrialContext): Promise<WentOn> {
  const { machine, journal, onStep } = context;
  const { ordinal, scenario } = item;
  const history = historyOf(journal.trials());
  const profile = await machine.profile();
  const state = journal.trials().get(ordinal);
  if (
    state?.ticket &&
    state.note?.nonce === state.ticket.nonce &&
    !isUsable(state.ticket, item, sha256Of(profile), machine.now())
  ) {
    const why =
      'the trial was announced, and its ticket could not be used any more before the machine was armed';
    return { evidence: neverArmedEvidence(why), rebootDue: false };
  }
  const ticket = await ticketFor(item, profile, history, context);
  onStep(`ticket ${ticket.nonce}${ticket.control ? ' (a control: the mechanism is disabled)' : ''}`);
  await machine.reserve();
  const { nonce, control } = ticket;
  const ready = await machine.prepare({ nonce, scenario, control, capturesMs: history.capturesMs });
  try {
    await sayArmed(ordinal, ticket, context);
    if (machine.now() > Date.parse(ticket.arm_by))
      throw new Error(`the ticket was to be armed by ${ticket.arm_by}`);
    await journalArming(ordinal, ready, context);
  } catch (error) {
    await ready.undo();
    throw error;
  }
  onStep(`crashing: ${scenarioId(scenario)}`);
  return ready.fire();
}
