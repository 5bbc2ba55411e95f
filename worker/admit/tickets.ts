/** `POST /v1/tickets`: permission for trials, issued before the crash, so that a trial's cells are fixed before its result. */
import { toHex } from '../../schema/bytes.ts';
import { crashTypes } from '../../schema/crash-type.ts';
import type { Profile } from '../../schema/profile.ts';
import { findScenario, type Scenario, scenarioSets } from '../../schema/scenario.ts';
import { limits, type Ticket, type TicketsAnswer, type TicketsBody, ticketsBody } from '../../schema/wire.ts';
import { draftEntry, type SignedRequest } from '../log/draft.ts';
import { ticketRowOf } from '../log/rows.ts';
import { type Fault, Refusal, refuseIf } from '../refusal.ts';
import type { Services } from '../services.ts';
import { currentNote } from '../store/checkpoints.ts';
import { logSize } from '../store/log.ts';
import { cameBack, findMachine, findProfile, type MachineRow } from '../store/machines.ts';
import { storedProfile } from '../store/stored.ts';
import {
  countUnused,
  insertTickets,
  type TicketRow,
  type TicketToIssue,
  ticketsOfRequest,
} from '../store/tickets.ts';
import { labelsNow } from '../store/trust.ts';
import { instant } from '../time.ts';
import type { Admission } from './admission.ts';
import { judgedInTime } from './once.ts';
import { openEnvelope } from './open.ts';
import { faultOfBeginning } from './signer.ts';
import { faultOfHoarding } from './ticket-limits.ts';

/** Issues tickets, or repeats those of the same request. Throws a Refusal; then nothing was stored. */
export async function admitTickets(services: Services, bytes: Uint8Array): Promise<Admission<TicketsAnswer>> {
  const { body, request } = await openEnvelope(
    services,
    bytes,
    'tickets',
    ticketsBody,
    ({ machine }) => machine,
  );
  return judgedInTime(() => issue(services, body, request));
}

/** Null where meanwhile other tickets were issued, or what the machine may changed: nothing was stored. */
async function issue(
  services: Services,
  body: TicketsBody,
  request: SignedRequest,
): Promise<Admission<TicketsAnswer> | null> {
  const { store, now } = services;
  const size = await logSize(store);
  const machine = await findMachine(store, body.machine);
  if (machine === null) {
    throw new Refusal('unknown-machine', `No machine with key ${body.machine} is enrolled.`);
  }
  const earlier = await ticketsOfRequest(store, body.machine, body.request);
  if (earlier.length > 0) return { fresh: false, answer: await ticketsAnswer(services, earlier) };
  refuseIf(faultOfBeginning(`Machine ${body.machine}`, machine));
  await checkStanding(services, machine, body);

  const told = await findProfile(store, body.machine, body.profile_sha256);
  if (told === null) {
    throw new Refusal(
      'unknown-profile',
      `Machine ${body.machine} has told no profile ${body.profile_sha256}.`,
    );
  }
  const profile = storedProfile(told.profile);
  const scenarios = body.scenarios.map((id) => chooseScenario(body.set, id, profile.population));
  const mayBeControl = await controlsAllowed(services, machine, body, profile);
  const nowMs = now();
  const drafts = await Promise.all(
    scenarios.map((scenario, ordinal) => {
      const control = mayBeControl && isChosen(services);
      return draft(services, machine, body, request, profile, scenario, { ordinal, control }, nowMs);
    }),
  );
  const fresh = await insertTickets(store, drafts, machine, size);
  const issued = await ticketsOfRequest(store, body.machine, body.request);
  return issued.length === 0 ? null : { fresh, answer: await ticketsAnswer(services, issued) };
}

async function ticketsAnswer({ store }: Services, rows: readonly TicketRow[]): Promise<TicketsAnswer> {
  return { tickets: rows.map(ticketOf), checkpoint: await currentNote(store) };
}

/** Whether the machine may begin trials now: its key was not revoked, and it does not hoard. */
async function checkStanding(services: Services, machine: MachineRow, body: TicketsBody): Promise<void> {
  const { store, now, quotas } = services;
  const { root, owner } = machine;
  const judged = { machine: root, owner, agent_version: null, scenario_set: null, log_index: null };
  if ((await labelsNow(store, judged)).includes('revoked')) {
    throw new Refusal('revoked-key', `Machine ${body.machine}, or its owner, was revoked.`);
  }
  const sinceMs = now() - quotas.tickets.unusedWithinMs;
  const ofMachine = await countUnused(store, { root }, now(), sinceMs);
  const ofOwner = await countUnused(store, { owner }, now(), sinceMs);
  refuseIf(faultOfHoarding(quotas.tickets, body.scenarios.length, ofMachine, ofOwner));
}

/**
 * Whether tickets of this request may be controls: only if the agent can disable the mechanism, and only where the
 * machine is known to come back without a dump to wait for.
 */
async function controlsAllowed(
  { store, controlShare }: Services,
  machine: MachineRow,
  body: TicketsBody,
  profile: Profile,
): Promise<boolean> {
  if (body.version === '1.0' || !body.controls || controlShare === 0) return false;
  return profile.population === 'lab' || cameBack(store, machine.root);
}

/** Draws with the probability `controlShare`, from 32 random bits. */
function isChosen({ random, controlShare }: Services): boolean {
  const draw = new DataView(random(4).buffer).getUint32(0) / 2 ** 32;
  return draw < controlShare;
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
  services: Services,
  machine: MachineRow,
  body: TicketsBody,
  request: SignedRequest,
  profile: Profile,
  scenario: Scenario,
  { ordinal, control }: { readonly ordinal: number; readonly control: boolean },
  nowMs: number,
): Promise<TicketToIssue> {
  const { crash_point, crash_type, load, mitigation, set_up, in_flight_min } = scenario;
  const isOffline = body.version !== '1.0' && body.offline;
  const row = {
    nonce: toHex(services.random(16)),
    machine: body.machine,
    request: body.request,
    ordinal,
    root: machine.root,
    owner: machine.owner,
    control,
    profile_sha256: body.profile_sha256,
    population: profile.population,
    scenario_set: body.set,
    crash_point,
    crash_type,
    load,
    mitigation,
    set_up,
    in_flight_min,
    mechanism: body.mechanism,
    environment: body.environment,
    issued_at_ms: nowMs,
    arm_by_ms: nowMs + (isOffline ? limits.offlineArmWithinMs : limits.armWithinMs),
    report_by_ms: nowMs + (isOffline ? limits.offlineReportWithinMs : limits.reportWithinMs),
  };
  const publicRow = ticketRowOf(row, profile);
  return {
    ...row,
    draft: await draftEntry(services, 'ticket', publicRow, request, publicRow, nowMs),
  };
}

/** A ticket as it travels. */
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
    control: row.control,
    issued_at: instant(row.issued_at_ms),
    arm_by: instant(row.arm_by_ms),
    report_by: instant(row.report_by_ms),
    log_index: row.log_index,
  };
}
