/**
 * A campaign: the trials of a plan, two at a time, each under a ticket, each reported. Killed at any moment, it
 * goes on where its journal ends.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { fromBase64, toBase64, utf8 } from '../../schema/bytes.ts';
import { scenarioSetNames } from '../../schema/scenario.ts';
import type { ReportBody } from '../../schema/wire.ts';
import { writeDurably } from '../durable.ts';
import { LogFault } from '../link/log-fault.ts';
import { type Outbox, outboxIn } from '../link/outbox.ts';
import { sign } from '../link/sign.ts';
import type { Survey } from '../link/survey-api.ts';
import { takeLock } from '../lock.ts';
import { type Journal, openJournal } from '../trial/journal.ts';
import { reportOf } from '../trial/report.ts';
import { attempt, interrupted } from './attempt.ts';
import { type LabKeys, labKeys } from './keys.ts';
import { machineNamed, type PlanItem } from './plan.ts';
import type { Lab } from './provision.ts';

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
  readonly survey: Survey;
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
  /** The mechanism was disabled: the item is run again. */
  readonly control: boolean;
  readonly durationMs: number;
}

/** The file with a campaign's plan: the server reads how many trials are planned from it. */
export function planPath(data: string): string {
  return join(data, 'campaign', 'plan.json');
}

/** The campaign of a data directory; with `plan`, made where there is none, else null. */
export async function openCampaign(data: string, plan?: readonly PlanItem[]): Promise<CampaignFiles | null> {
  const path = planPath(data);
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null && plan === undefined) return null;
  if (text === null) {
    await mkdir(join(data, 'campaign'), { recursive: true });
    const made = { id: randomBytes(16).toString('hex'), planned: plan?.length ?? 0, items: plan ?? [] };
    await writeDurably(path, JSON.stringify(made, null, 1));
  }
  const { id, items } = planFile.parse(JSON.parse(await readFile(path, 'utf8')));
  return { id, items, journal: await openJournal(join(data, 'campaign', 'journal.jsonl')) };
}

/** Keeps other processes from running the campaign, or from replacing its keys. Throws Advice where one does. */
export async function lockCampaign(data: string): Promise<() => Promise<void>> {
  await mkdir(join(data, 'campaign'), { recursive: true });
  return takeLock(join(data, 'campaign', 'lock'), 'The campaign in this data directory');
}

/** The trials of a campaign that have no report in the outbox yet. */
export function openItems(campaign: CampaignFiles): PlanItem[] {
  const trials = campaign.journal.trials();
  return campaign.items.filter(({ ordinal }) => !trials.get(ordinal)?.closed);
}

/**
 * Runs what is open of a campaign. Resolves when every trial is closed or given up, and the outbox was tried. A log that
 * cannot be trusted ends it: what runs is brought to the outbox, nothing more is begun, and the LogFault is thrown.
 */
export async function runCampaign(options: CampaignOptions): Promise<{ readonly givenUp: number }> {
  const { data, campaign, concurrency } = options;
  const keys = await labKeys(data);
  const outbox = await outboxIn(join(data, 'outbox'));
  const flush = oneAtATime(() => outbox.flush(options.survey.report));
  const queue = openItems(campaign);
  let givenUp = 0;
  let fault: LogFault | null = null;
  await flush().catch((error: unknown) => {
    if (error instanceof LogFault) throw error;
  });
  const runOne = async (item: PlanItem) => {
    const startedAt = performance.now();
    const { report, control } = await runItem(item, keys, outbox, options);
    const sent = await flush();
    for (const s of sent) if ('refused' in s) options.onTrouble(item, s.refused);
    options.onTrial({ item, report, control, durationMs: performance.now() - startedAt });
    return control;
  };
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined && fault === null; item = queue.shift()) {
      try {
        while (await runOne(item));
      } catch (error) {
        if (error instanceof LogFault) fault = error;
        givenUp += campaign.journal.trials().get(item.ordinal)?.closed ? 0 : 1;
        options.onTrouble(item, error instanceof Error ? error.message : String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  if (fault !== null) throw fault;
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
  keys: LabKeys,
  outbox: Outbox,
  options: CampaignOptions,
): Promise<Pick<TrialDone, 'report' | 'control'>> {
  const { journal } = options.campaign;
  const { ordinal } = item;
  const state = journal.trials().get(ordinal);
  if (state?.payload === undefined) {
    const version = await options.survey.version('report');
    const machine = await keys.machine(item.machine);
    const facts = state?.arming ? interrupted(state) : await attempt(item, machine, keys.owner, options);
    const report = reportOf({
      ...facts,
      version,
      machine: machine.name,
      population: 'lab',
      triggeredBy: 'crashpoint',
      emulator: options.lab.emulator,
      nowMs: Date.now(),
    });
    await journal.append({ step: 'report', ordinal, payload: toBase64(utf8(JSON.stringify(report))) });
  }
  const { payload: encoded = '', ticket } = journal.trials().get(ordinal) ?? {};
  const payload = fromBase64(encoded);
  const report = JSON.parse(new TextDecoder().decode(payload)) as ReportBody;
  await outbox.put(report.nonce, sign('report', payload, await keys.signer(item.machine, report.machine)));
  const control = ticket?.control ?? false;
  await journal.append({ step: control ? 'control' : 'closed', ordinal });
  return { report, control };
}
