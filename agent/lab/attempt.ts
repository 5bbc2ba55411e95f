/**
 * One attempt at an item of a campaign: enrol, take a ticket, say that it is armed, run the trial. Each step is durable in
 * the journal before the next begins.
 */
import { fromBase64, toBase64 } from '../../schema/bytes.ts';
import type { Evidence } from '../../schema/evidence.ts';
import { findScenario, type Scenario } from '../../schema/scenario.ts';
import type { Ticket } from '../../schema/wire.ts';
import type { KeyPair } from '../link/keys.ts';
import { LogFault } from '../link/log-fault.ts';
import { sign } from '../link/sign.ts';
import { armedNote, askForTicket, enrol } from '../link/survey.ts';
import { inventory, profileText } from '../machine/inventory.ts';
import type { SystemTree } from '../machine/tree.ts';
import type { TrialState } from '../trial/journal.ts';
import { listingText } from '../trial/listing-text.ts';
import { interruptedEvidence } from '../trial/report.ts';
import { requestId } from '../trial/request.ts';
import type { CampaignOptions } from './campaign.ts';
import type { PlantOrder } from './command-line.ts';
import { build, labMachines } from './machines.ts';
import type { PlanItem } from './plan.ts';
import { type Prepared, runTrial } from './trial.ts';

/** A guest that breaks before it is armed is started again this often; a ticket is used up only by arming. */
const attemptsMax = 3;

/** What a report is made of, beside what is known of all trials of a campaign. */
export interface Attempted {
  readonly ticket: Ticket;
  readonly sysctls: Readonly<Record<string, number>>;
  readonly armedAt: string | null;
  readonly evidence: Evidence;
}

/** What is left to say of a trial that was armed when the agent was ended. */
export function interrupted({ ticket, arming }: TrialState): Attempted {
  if (!ticket || !arming) throw new Error('the journal has an arming without its ticket');
  return {
    ticket,
    sysctls: arming.sysctls,
    armedAt: arming.armed_at,
    evidence: interruptedEvidence(build.watchdogMs),
  };
}

/** Runs the trial until it is armed once, or broken `attemptsMax` times. */
export async function attempt(
  item: PlanItem,
  machine: KeyPair,
  owner: KeyPair,
  options: CampaignOptions,
): Promise<Attempted> {
  for (let count = 1; ; count++) {
    const tried = await attemptOnce(item, machine, owner, options);
    if (tried.armedAt !== null || count === attemptsMax) {
      if (tried.ticket === null) throw new Error(`no ticket: ${tried.evidence.harness_fault}`);
      return { ...tried, ticket: tried.ticket };
    }
    options.onTrouble(item, `${tried.evidence.harness_fault}; trying again (${count} of ${attemptsMax})`);
  }
}

async function attemptOnce(
  item: PlanItem,
  machine: KeyPair,
  owner: KeyPair,
  { lab, survey, campaign: { id, journal } }: CampaignOptions,
): Promise<Omit<Attempted, 'ticket'> & { readonly ticket: Ticket | null }> {
  const { ordinal } = item;
  const scenario: Scenario | null = findScenario(item.set, item.scenario);
  if (scenario === null) throw new Error(`${item.set} has no scenario ${item.scenario}`);
  let ticket: Ticket | null = null;
  let armedAt: string | null = null;
  let fault: LogFault | null = null;
  const seeFault = (error: unknown) => {
    if (error instanceof LogFault) fault = error;
    throw error;
  };

  async function takeTicket(tree: SystemTree): Promise<PlantOrder> {
    const { disk } = labMachines[item.machine];
    const known = {
      population: 'lab',
      labMachine: item.machine,
      dumpDisk: disk,
      tools: lab.tools,
    } as const;
    const text = profileText(inventory(tree, known));
    const profileSha256 = await enrol(survey, machine, owner, text, Date.now());
    const state = journal.trials().get(ordinal);
    const wanted = {
      request: requestId(id, item, state, profileSha256, Date.now()),
      profileSha256,
      set: item.set,
      scenario: item.scenario,
      mechanism: 'kdump',
      environment: 'instrumented',
      // One control in the place of a trial is enough.
      controls: (state?.controls ?? 0) === 0,
    } as const;
    ticket = await askForTicket(survey, machine, wanted, Date.now());
    await journal.append({ step: 'ticket', ordinal, ticket });
    return { nonce: ticket.nonce, control: ticket.control };
  }

  async function sayArmed({ planted, sysctls }: Prepared): Promise<void> {
    if (ticket === null || planted.nonce !== ticket.nonce) throw new Error('the guest planted another nonce');
    const { nonce } = ticket;
    const nowMs = Date.now();
    const listing = listingText(planted);
    const bytes = armedNote(machine, ticket, nowMs);
    if (journal.trials().get(ordinal)?.note?.nonce !== nonce)
      await journal.append({ step: 'noted', ordinal, nonce, payload: toBase64(bytes) });
    const noted = fromBase64(journal.trials().get(ordinal)?.note?.payload ?? '');
    await survey.armed(sign('armed', noted, machine));
    const armed_at = new Date(nowMs).toISOString();
    await journal.append({ step: 'arming', ordinal, armed_at, sysctls, listing });
    armedAt = armed_at;
  }

  const { evidence, prepared } = await runTrial(lab, item.machine, scenario, {
    now: () => performance.now(),
    beforePlanting: (tree) => takeTicket(tree).catch(seeFault),
    beforeArming: (ready) => sayArmed(ready).catch(seeFault),
  });
  if (fault !== null) throw fault;
  return { ticket, sysctls: prepared?.sysctls ?? {}, armedAt, evidence };
}
