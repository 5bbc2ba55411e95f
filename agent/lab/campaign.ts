/**
 * A campaign: the trials of a plan, two at a time, each under a ticket, each reported. Killed at any moment, it
 * goes on where its journal ends.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { fromBase64, toBase64, utf8 } from '../../schema/bytes.ts';
import type { Evidence } from '../../schema/evidence.ts';
import { findScenario, type Scenario, scenarioSetNames } from '../../schema/scenario.ts';
import type { ReportBody, Ticket } from '../../schema/wire.ts';
import { writeDurably } from '../durable.ts';
import type { Api } from '../link/api.ts';
import { type KeyPair, keyIn } from '../link/keys.ts';
import { type Outbox, outboxIn } from '../link/outbox.ts';
import { sign } from '../link/sign.ts';
import { askForTicket, enrol, noteArmed } from '../link/survey.ts';
import { inventory, profileText } from '../machine/inventory.ts';
import { type Journal, openJournal, type TrialState } from '../trial/journal.ts';
import { interruptedEvidence, reportOf } from '../trial/report.ts';
import { build, type LabMachineName, labMachines } from './machines.ts';
import { machineNamed, type PlanItem } from './plan.ts';
import type { Lab } from './provision.ts';
import { runTrial } from './trial.ts';

/** A guest that breaks before it is armed is started again this often; a ticket is used up only by arming. */
const attemptsMax = 3;

const planFile = z.object({
  id: z.string(),
  planned: z.int(),
  items: z.array(
    z.object({
      ordinal: z.int(),
      machine: z.string().transform((name, context) => {
        const known = machineNamed(name);
        if (known === null) context.addIssue(`the machine catalogue has no ${name}`);
        return known ?? z.NEVER;
      }),
      set: z.enum(scenarioSetNames),
      scenario: z.string(),
    }),
  ),
});

export interface CampaignFiles {
  readonly id: string;
  readonly items: readonly PlanItem[];
  readonly journal: Journal;
}

/** What a campaign needs. */
export interface CampaignOptions {
  readonly lab: Lab;
  readonly api: Api;
  /** The data directory. */
  readonly data: string;
  readonly campaign: CampaignFiles;
  readonly concurrency: number;
  readonly onTrial: (done: TrialDone) => void;
  readonly onTrouble: (item: PlanItem, what: string) => void;
}

export interface TrialDone {
  readonly item: PlanItem;
  readonly report: ReportBody;
  readonly durationMs: number;
}

/** The file with a campaign's plan: the server reads how many trials are planned from it. */
export function planPath(data: string): string {
  return join(data, 'campaign', 'plan.json');
}

/** The campaign of a data directory; with `plan`, made where there is none, else null. */
export async function openCampaign(data: string, plan?: readonly PlanItem[]): Promise<CampaignFiles | null> {
  const path = planPath(data);
  await mkdir(join(data, 'campaign'), { recursive: true });
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null && plan === undefined) return null;
  if (text === null) {
    const made = { id: randomBytes(16).toString('hex'), planned: plan?.length ?? 0, items: plan ?? [] };
    await writeDurably(path, JSON.stringify(made, null, 1));
  }
  const { id, items } = planFile.parse(JSON.parse(await readFile(path, 'utf8')));
  return { id, items, journal: await openJournal(join(data, 'campaign', 'journal.jsonl')) };
}

/** The trials of a campaign that have no report in the outbox yet. */
export function openItems(campaign: CampaignFiles): PlanItem[] {
  const trials = campaign.journal.trials();
  return campaign.items.filter(({ ordinal }) => !trials.get(ordinal)?.closed);
}

/** The keys of the lab: the owner's and each machine's, in the data directory. */
export async function labKeys(data: string): Promise<{
  readonly owner: KeyPair;
  readonly machine: (name: LabMachineName) => Promise<KeyPair>;
}> {
  return {
    owner: await keyIn(join(data, 'keys', 'owner.key'), randomBytes),
    machine: (name) => keyIn(join(data, 'keys', `lab-${name}.key`), randomBytes),
  };
}

/** Runs what is open of a campaign. Resolves when every trial is closed or given up, and the outbox was tried. */
export async function runCampaign(options: CampaignOptions): Promise<{ readonly givenUp: number }> {
  const { data, campaign, concurrency } = options;
  const keys = await labKeys(data);
  const outbox = await outboxIn(join(data, 'outbox'));
  const flush = oneAtATime(() => outbox.flush(options.api.report));
  const queue = openItems(campaign);
  let givenUp = 0;
  await flush().catch(() => {});
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      const startedAt = performance.now();
      try {
        const report = await runItem(item, await keys.machine(item.machine), keys.owner, outbox, options);
        const sent = await flush();
        for (const s of sent) if ('refused' in s) options.onTrouble(item, s.refused);
        options.onTrial({ item, report, durationMs: performance.now() - startedAt });
      } catch (error) {
        givenUp += campaign.journal.trials().get(item.ordinal)?.closed ? 0 : 1;
        options.onTrouble(item, error instanceof Error ? error.message : String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  await flush();
  return { givenUp };
}

/** Calls that wait for each other, in order. */
function oneAtATime<T>(call: () => Promise<T>): () => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return () => {
    const next = last.then(call, call);
    last = next.catch(() => {});
    return next;
  };
}

/** Brings one trial to the outbox, from wherever its journal stands. */
async function runItem(
  item: PlanItem,
  machine: KeyPair,
  owner: KeyPair,
  outbox: Outbox,
  options: CampaignOptions,
): Promise<ReportBody> {
  const { journal } = options.campaign;
  const { ordinal } = item;
  const state = journal.trials().get(ordinal);
  if (state?.payload === undefined) {
    const facts = state?.arming ? interrupted(state) : await attempt(item, machine, owner, options);
    const report = reportOf({
      ...facts,
      population: 'lab',
      triggeredBy: 'crashpoint',
      emulator: options.lab.emulator,
      nowMs: Date.now(),
    });
    await journal.append({ step: 'report', ordinal, payload: toBase64(utf8(JSON.stringify(report))) });
  }
  const payload = fromBase64(journal.trials().get(ordinal)?.payload ?? '');
  const report = JSON.parse(new TextDecoder().decode(payload)) as ReportBody;
  await outbox.put(report.nonce, sign('report', payload, machine));
  await journal.append({ step: 'closed', ordinal });
  return report;
}

interface Attempted {
  readonly ticket: Ticket;
  readonly sysctls: Readonly<Record<string, number>>;
  readonly armedAt: string | null;
  readonly evidence: Evidence;
}

function interrupted({ ticket, arming }: TrialState): Attempted {
  if (!ticket || !arming) throw new Error('the journal has an arming without its ticket');
  return {
    ticket,
    sysctls: arming.sysctls,
    armedAt: arming.armed_at,
    evidence: interruptedEvidence(build.watchdogMs),
  };
}

/** Runs the trial until it is armed once, or broken `attemptsMax` times. */
async function attempt(
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
  { lab, api, campaign }: CampaignOptions,
): Promise<Omit<Attempted, 'ticket'> & { readonly ticket: Ticket | null }> {
  const { ordinal } = item;
  const scenario: Scenario | null = findScenario(item.set, item.scenario);
  if (scenario === null) throw new Error(`${item.set} has no scenario ${item.scenario}`);
  let ticket: Ticket | null = null;
  let armedAt: string | null = null;
  const { evidence, prepared } = await runTrial(lab, item.machine, scenario, {
    now: () => performance.now(),
    beforePlanting: async (tree) => {
      const { disk } = labMachines[item.machine];
      const known = {
        population: 'lab',
        labMachine: item.machine,
        dumpDisk: disk,
        tools: lab.tools,
      } as const;
      const text = profileText(inventory(tree, known));
      const profileSha256 = await enrol(api, machine, owner, text, Date.now());
      const request = requestId(campaign, item, profileSha256);
      const wanted = { request, profileSha256, set: item.set, scenario: item.scenario } as const;
      ticket = await askForTicket(
        api,
        machine,
        { ...wanted, mechanism: 'kdump', environment: 'instrumented' },
        Date.now(),
      );
      await campaign.journal.append({ step: 'ticket', ordinal, ticket });
      return ticket.nonce;
    },
    beforeArming: async ({ planted, sysctls }) => {
      if (ticket === null || planted.nonce !== ticket.nonce)
        throw new Error('the guest planted another nonce');
      const nowMs = Date.now();
      const text = JSON.stringify(planted, (_, value) =>
        typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
      );
      const armed_at = new Date(nowMs).toISOString();
      await noteArmed(api, machine, ticket, nowMs);
      await campaign.journal.append({ step: 'arming', ordinal, armed_at, sysctls, listing: text });
      armedAt = armed_at;
    },
  });
  return { ticket, sysctls: prepared?.sysctls ?? {}, armedAt, evidence };
}

/** Stable over restarts while the ticket can still be armed, so that asking again brings the same ticket. */
function requestId(campaign: CampaignFiles, { ordinal }: PlanItem, profileSha256: string): string {
  const before = campaign.journal.trials().get(ordinal)?.ticket;
  const expired = before !== undefined && Date.parse(before.arm_by) < Date.now() ? before.nonce : '';
  return createHash('sha256')
    .update(`${campaign.id}/${ordinal}/${profileSha256}/${expired}`)
    .digest('hex')
    .slice(0, 32);
}
