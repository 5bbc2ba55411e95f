/** What a machine says to the survey: who it is, that it wants a ticket, that it is about to crash. */
import { createHash } from 'node:crypto';
import { utf8 } from '../../schema/bytes.ts';
import type { Envelope } from '../../schema/envelope.ts';
import { findScenario, type ScenarioSet, scenarioId } from '../../schema/scenario.ts';
import type { Environment, Mechanism } from '../../schema/vocabulary.ts';
import type { ArmedBody, EnrolBody, Ticket, TicketsBody } from '../../schema/wire.ts';
import { agentVersion } from '../version.ts';
import type { Admissions } from './api.ts';
import type { KeyPair } from './keys.ts';
import { findWork, ownerSignature, signBody } from './sign.ts';
import type { Survey } from './survey-api.ts';

/** SHA-256 of a text's UTF-8 bytes, in hexadecimal. */
export function sha256Of(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The signed request that enrols a machine with its profile. */
export function enrolRequest(machine: KeyPair, owner: KeyPair, profile: string, nowMs: number): Envelope {
  const body: EnrolBody = {
    version: '1.0',
    machine: machine.name,
    owner: owner.name,
    owner_signature: ownerSignature(owner, machine),
    profile,
    work: { counter: findWork(machine) },
    agent_version: agentVersion,
    created_at: new Date(nowMs).toISOString(),
  };
  return signBody('enrol', body, machine);
}

/** Enrols a machine with its profile; harmless where it is enrolled already. Gives the profile's hash. */
export async function enrol(
  api: Pick<Admissions, 'enrol'>,
  machine: KeyPair,
  owner: KeyPair,
  profile: string,
  nowMs: number,
): Promise<string> {
  const answer = await api.enrol(enrolRequest(machine, owner, profile, nowMs));
  const hash = sha256Of(profile);
  if (answer.profile_sha256 !== hash)
    throw new Error(`the survey took in another profile: ${answer.profile_sha256}`);
  return hash;
}

export interface TicketRequest {
  /** 16 bytes in hexadecimal: the same request is answered with the same ticket. */
  readonly request: string;
  readonly profileSha256: string;
  readonly set: ScenarioSet;
  readonly scenario: string;
  readonly mechanism: Mechanism;
  readonly environment: Environment;
  /** Whether the ticket may be a control: the mechanism can be disabled, and the machine comes back without it. */
  readonly controls: boolean;
}

/** Whether a ticket is what was asked for: the server cannot define what runs here. */
export function isAsWanted(
  ticket: Ticket,
  machine: string,
  wanted: Omit<TicketRequest, 'request' | 'controls'>,
  mayBeControl: boolean,
): boolean {
  const known = findScenario(wanted.set, wanted.scenario);
  return (
    known !== null &&
    ticket.machine === machine &&
    ticket.profile_sha256 === wanted.profileSha256 &&
    scenarioId(ticket.scenario) === wanted.scenario &&
    ticket.scenario.set_up === known.set_up &&
    ticket.scenario.in_flight_min === known.in_flight_min &&
    ticket.mechanism === wanted.mechanism &&
    ticket.environment === wanted.environment &&
    (mayBeControl || !ticket.control)
  );
}

/** Asks for one ticket, and checks that it is what was asked for: the server cannot define what runs here. */
export async function askForTicket(
  api: Pick<Survey, 'tickets' | 'version'>,
  machine: KeyPair,
  wanted: TicketRequest,
  nowMs: number,
): Promise<Ticket> {
  const version = await api.version('tickets');
  const fields = {
    machine: machine.name,
    request: wanted.request,
    profile_sha256: wanted.profileSha256,
    set: wanted.set,
    scenarios: [wanted.scenario],
    mechanism: wanted.mechanism,
    environment: wanted.environment,
    created_at: new Date(nowMs).toISOString(),
  };
  const body: TicketsBody =
    version === '1.0'
      ? { version, ...fields }
      : { version, ...fields, controls: wanted.controls, offline: false };
  const mayBeControl = version !== '1.0' && wanted.controls;
  const [ticket] = (await api.tickets(signBody('tickets', body, machine))).tickets;
  const same = ticket !== undefined && isAsWanted(ticket, machine.name, wanted, mayBeControl);
  if (!same)
    throw new Error(`the survey sent another ticket than was asked for (${wanted.set} ${wanted.scenario})`);
  return ticket;
}

/**
 * The bytes of the note that a trial is about to be armed. Throws where its ticket no longer allows that. They are kept
 * before they are sent: the survey keeps the first note on a ticket, so whoever repeats it must repeat its bytes.
 */
export function armedNote(machine: KeyPair, ticket: Ticket, nowMs: number): Uint8Array {
  if (nowMs > Date.parse(ticket.arm_by)) throw new Error(`the ticket was to be armed by ${ticket.arm_by}`);
  const body: ArmedBody = {
    version: '1.0',
    machine: machine.name,
    nonce: ticket.nonce,
    armed_at: new Date(nowMs).toISOString(),
  };
  return utf8(JSON.stringify(body));
}
