/** `POST /v1/tickets`: permission for trials, issued before the crash, so that a trial's cells are fixed before its result. */
import { fromHex, sha256, toHex, utf8 } from '../../schema/bytes.ts';
import { crashTypes } from '../../schema/crash-type.ts';
import { hashInput } from '../../schema/envelope.ts';
import { type Profile, profile as profileSchema } from '../../schema/profile.ts';
import { findScenario, type Scenario, scenarioSets } from '../../schema/scenario.ts';
import { limits, type Ticket, type TicketsBody, ticketsBody } from '../../schema/wire.ts';
import { type Fault, Refusal, refuseIf } from '../refusal.ts';
import type { Services } from '../services.ts';
import { commitTo } from '../store/log.ts';
import { findMachine, findProfile } from '../store/machines.ts';
import { insertTickets, type TicketRow, type TicketToIssue, ticketsOfRequest } from '../store/tickets.ts';
import { instant } from '../time.ts';
import type { Admission } from './admission.ts';
import { openEnvelope } from './open.ts';

/** Issues tickets, or repeats those of the same request. Throws a Refusal; then nothing was stored. */
export async function admitTickets(
  services: Services,
  bytes: Uint8Array,
): Promise<Admission<{ tickets: Ticket[] }>> {
  const { store } = services;
  const { body, machine } = await openEnvelope(bytes, 'tickets', ticketsBody);
  if ((await findMachine(store, machine)) === null) {
    throw new Refusal('unknown-machine', `No machine with key ${machine} is enrolled.`);
  }
  const earlier = await ticketsOfRequest(store, machine, body.request);
  if (earlier.length > 0) return { fresh: false, answer: { tickets: earlier.map(ticketOf) } };

  const profileText = await findProfile(store, machine, body.profile_sha256);
  if (profileText === null) {
    throw new Refusal('unknown-profile', `Machine ${machine} has told no profile ${body.profile_sha256}.`);
  }
  const { population } = profileSchema.parse(JSON.parse(profileText));
  const scenarios = body.scenarios.map((id) => chooseScenario(body.set, id, population));
  const issue = await Promise.all(
    scenarios.map((scenario, ordinal) => draft(services, body, population, scenario, ordinal)),
  );
  const fresh = await insertTickets(store, issue);
  const issued = await ticketsOfRequest(store, machine, body.request);
  if (issued.length === 0) throw new Error('tickets were neither stored nor there before');
  return { fresh, answer: { tickets: issued.map(ticketOf) } };
}

function chooseScenario(set: TicketsBody['set'], id: string, population: Profile['population']): Scenario {
  const scenario = findScenario(set, id);
  if (scenario === null) {
    const entries = scenarioSets[set].length;
    throw new Refusal('unknown-scenario', `Set ${set} has ${entries} entries, and ${id} is none of them.`);
  }
  refuseIf(faultOfRisk(set, scenario, population));
  return scenario;
}

/** What may damage memory that later reaches a disk, and whatever else is the lab's, is never run on a real machine. */
export function faultOfRisk(
  set: string,
  scenario: Scenario,
  population: Profile['population'],
): Fault | null {
  if (population === 'lab') return null;
  const corrupts = crashTypes[scenario.crash_type].safety === 'corrupts';
  if (!corrupts && !set.startsWith('lab/')) return null;
  return {
    slug: 'unknown-scenario',
    detail: `Set ${set} with ${scenario.crash_type} is for emulated machines only; this profile is of a real one.`,
  };
}

async function draft(
  { now, random }: Services,
  body: TicketsBody,
  population: Profile['population'],
  scenario: Scenario,
  ordinal: number,
): Promise<TicketToIssue> {
  const issuedAt = now();
  const { crash_point, crash_type, load, mitigation, set_up, in_flight_min } = scenario;
  const row = {
    nonce: toHex(random(16)),
    machine: body.machine,
    request: body.request,
    ordinal,
    profile_sha256: body.profile_sha256,
    population,
    scenario_set: body.set,
    crash_point,
    crash_type,
    load,
    mitigation,
    set_up,
    in_flight_min,
    mechanism: body.mechanism,
    environment: body.environment,
    issued_at_ms: issuedAt,
    arm_by_ms: issuedAt + limits.armWithinMs,
    report_by_ms: issuedAt + limits.reportWithinMs,
  };
  const { log_index: _, ...recorded } = ticketOf({ ...row, log_index: 0 });
  const hash = toHex(
    await sha256(hashInput('tickets', fromHex(body.machine), utf8(JSON.stringify(recorded)))),
  );
  return { ...row, committed: await commitTo(hash, random(16)) };
}

/** A ticket as it travels. The log commits to its JSON text without `log_index`, in this order of fields. */
export function ticketOf(row: TicketRow): Ticket {
  return {
    nonce: row.nonce,
    machine: row.machine,
    profile_sha256: row.profile_sha256,
    scenario: {
      set: row.scenario_set,
      crash_point: row.crash_point,
      crash_type: row.crash_type,
      load: row.load,
      mitigation: row.mitigation,
      set_up: row.set_up,
      in_flight_min: row.in_flight_min,
    },
    mechanism: row.mechanism,
    environment: row.environment,
    issued_at: instant(row.issued_at_ms),
    arm_by: instant(row.arm_by_ms),
    report_by: instant(row.report_by_ms),
    log_index: row.log_index,
  };
}
