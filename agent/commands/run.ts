import { randomBytes } from 'node:crypto';
import { mkdir, open } from 'node:fs/promises';
import { Advice } from '../advice.ts';
import { type Command, jsonOption, type OptionValues, surveyOptions, text } from '../command.ts';
import type { Sent } from '../link/outbox.ts';
import { takeLock } from '../lock.ts';
import { type MetalCampaign, metalSet, readCampaign, writeCampaign } from '../metal/campaign.ts';
import { type Next, next, nextInWords } from '../metal/next.ts';
import { openMetalJournal, openRun, siteOf } from '../metal/open.ts';
import { readProof, writeProof } from '../metal/proof.ts';
import { finishBegun, type RunContext, runMetal } from '../metal/run.ts';
import { defaultSettings, type MetalSettings, readSettings } from '../metal/settings.ts';
import { situationOf } from '../metal/situation.ts';
import { seeStart } from '../metal/start-of-boot.ts';
import { recordLook } from '../metal/starts.ts';
import { type MetalPaths, metalPaths } from '../metal/state.ts';
import { stepsOf } from '../metal/steps.ts';
import { clearStopped } from '../metal/stopped.ts';
import { type System, thisSystem } from '../metal/system.ts';
import { clearTroubles } from '../metal/trouble.ts';
import { dataDir } from '../paths.ts';
import type { Journal } from '../trial/journal.ts';
import { describeControl, describeOutcome } from './describe.ts';
import { keyAt, machineKeyPath, ownerKeyPath } from './key-files.ts';
import { surveyLink } from './survey-api.ts';

/** Whoever sits at the terminal waits this long for the next trial; else the timer comes back to it. */
const maxWaitMs = 3 * 60_000;

/** What a run says, for people or for programs. */
function speaker(json: boolean) {
  const say = (event: string, fields: object, words: string) =>
    console.log(json ? JSON.stringify({ event, ...fields }) : words);
  return {
    onStep: (step: string) => say('step', { step }, step),
    onNext: (n: Next) => say('next', { ...n }, `Next: ${nextInWords(n)}`),
    onReport: ((ordinal, { nonce, outcome }, control) => {
      const became = control ? describeControl(outcome) : describeOutcome(outcome);
      say('report', { ordinal, nonce, control, outcome }, `Trial ${ordinal}: ${became}`);
    }) satisfies RunContext['onReport'],
    onSent: (sent: readonly Sent[]) => {
      for (const s of sent)
        say(
          'sent',
          s,
          'receipt' in s ? `${s.nonce}  report ${s.receipt.report_id}` : `${s.nonce}  refused: ${s.refused}`,
        );
    },
  };
}

/** The campaign of this machine; with `begin`, a new one where none is open. */
async function campaignFor(
  paths: MetalPaths,
  journal: Journal,
  trials: number | null,
  begin: boolean,
  nowMs: number,
): Promise<MetalCampaign | null> {
  const before = await readCampaign(paths);
  const ordinals = [...journal.trials().keys()];
  const isOpen =
    before !== null &&
    (before.trials === null ||
      Array.from({ length: before.trials }, (_, i) => before.first_ordinal + i).some(
        (ordinal) => !journal.trials().get(ordinal)?.closed,
      ));
  if (!begin || (isOpen && trials === null)) return before;
  if (isOpen && before.trials === trials) return before;
  const campaign: MetalCampaign = {
    version: 1,
    id: randomBytes(16).toString('hex'),
    seed: randomBytes(4).readUInt32LE(),
    set: metalSet,
    first_ordinal: Math.max(-1, ...ordinals) + 1,
    trials,
    started_at: new Date(nowMs).toISOString(),
  };
  // The journal first: a campaign without one is taken for one that has lost it.
  await (await open(paths.journal, 'a', 0o600)).close();
  await writeCampaign(paths, campaign);
  return campaign;
}

/** The owner looked, and lets it go on. */
async function goOnAgain(system: System, paths: MetalPaths): Promise<void> {
  await recordLook(paths, system.now());
  await clearTroubles(paths);
  const proof = await readProof(paths);
  if (proof?.state === 'failed') await writeProof(paths, { ...proof, state: 'interrupted' });
  await clearStopped(paths);
}

/** Prints what would be done, and does nothing of it. */
async function dryRun(
  system: System,
  paths: MetalPaths,
  settings: MetalSettings | null,
  json: boolean,
): Promise<number> {
  const journal = await openMetalJournal(paths);
  const situation = await situationOf(system, paths, journal, settings);
  const n = next(situation);
  const steps = stepsOf(n, system, siteOf(system, settings ?? defaultSettings, dataDir()));
  if (json) console.log(JSON.stringify({ next: n, in_words: nextInWords(n), steps }));
  else
    console.log(
      [`Next: ${nextInWords(n)}`, ...steps.map((step) => `  ${step}`), 'Nothing was done.'].join('\n'),
    );
  return 0;
}

/**
 * Ends well when it is told to end: what was armed and did not crash is disarmed and reported, what was changed is
 * undone. Whatever the run still does behind this comes to nothing: its journal takes nothing any more.
 */
function endWell(
  system: System,
  context: RunContext,
  release: () => Promise<void>,
  isEnding: { now: boolean },
): () => void {
  const end = () => {
    if (isEnding.now) return;
    isEnding.now = true;
    (async () => {
      await system.stopWatchdogs();
      await finishBegun(context);
      await context.machine.undoLeftovers();
      await release();
    })().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error instanceof Error ? error.message : error);
        process.exit(1);
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end);
  return () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.off(signal, end);
  };
}

/** A journal that takes nothing any more once the agent is being ended: what was begun then is the next start's. */
function gated(journal: Journal, isEnding: { readonly now: boolean }): Journal {
  return {
    trials: journal.trials,
    append: (e) => (isEnding.now ? new Promise(() => {}) : journal.append(e)),
  };
}

export const run: Command = {
  description:
    'Only on a machine that its owner marked as spare (dumpsurvey install --spare-machine). Before each crash it says\nwhat it will do. After the reboot the installed unit goes on by itself. A daily budget, a boot-loop guard and the\nword dumpsurvey.off on the kernel command line limit it; hanging scenarios wait until a watchdog is proven.',
  options: {
    trials: {
      type: 'string',
      value: 'N',
      help: 'begins a campaign of N trials (without end, as the budget allows)',
    },
    resume: { type: 'boolean', help: 'goes on with the campaign, if there is one: what the unit calls' },
    again: {
      type: 'boolean',
      help: 'goes on after the boot-loop guard stopped it: you have looked at the machine',
    },
    'dry-run': { type: 'boolean', help: 'prints each step that it would do next, and does none' },
    ...surveyOptions,
    ...jsonOption,
  },
  examples: ['dumpsurvey run --dry-run', 'dumpsurvey run --trials 6', 'dumpsurvey run --again'],
  exits: { 0: 'nothing more is to be done at present, or it waits: it says for what' },
  needs: 'root',
  run: async (values) => {
    const trialsText = text(values, 'trials');
    const trials = trialsText === null ? null : Number(trialsText);
    if (trials !== null && !(Number.isInteger(trials) && trials >= 1 && trials <= 10_000)) {
      console.error('--trials takes a number from 1 to 10000.');
      return 2;
    }
    const json = values.json === true;
    const data = dataDir();
    const paths = metalPaths(data);
    const settings = await readSettings(paths);
    const system = thisSystem();
    if (values['dry-run']) return dryRun(system, paths, settings, json);
    if (settings === null)
      throw new Advice('This machine was not set up for it; its owner must mark it as spare first.', [
        'dumpsurvey install --spare-machine',
      ]);
    await mkdir(paths.dir, { recursive: true });
    const release = await takeLock(paths.lock, 'A run on this machine');
    try {
      return await locked({ values, trials, json, data, paths, settings, system, release });
    } finally {
      await release();
    }
  },
};

interface Locked {
  readonly values: OptionValues;
  readonly trials: number | null;
  readonly json: boolean;
  readonly data: string;
  readonly paths: MetalPaths;
  readonly settings: MetalSettings;
  readonly system: System;
  readonly release: () => Promise<void>;
}

async function locked({
  values,
  trials,
  json,
  data,
  paths,
  settings,
  system,
  release,
}: Locked): Promise<number> {
  const journal = await openMetalJournal(paths);
  if (values.again) await goOnAgain(system, paths);
  await seeStart(system, paths, journal.trials(), settings.trials_per_day);
  const campaign = await campaignFor(paths, journal, trials, !values.resume, system.now());
  const on = speaker(json);
  if (campaign === null) {
    on.onNext({ do: 'done', why: 'no campaign was begun; `dumpsurvey run` begins one' });
    return 0;
  }
  const keys = { machine: await keyAt(machineKeyPath(values)), owner: await keyAt(ownerKeyPath(values)) };
  const { survey } = surveyLink(values, 30_000);
  const isEnding = { now: false };
  const context = await openRun({ system, data, paths, settings, survey, keys, on, journal });
  const unhook = endWell(system, context, release, isEnding);
  try {
    const end = await runMetal({ ...context, journal: gated(journal, isEnding) }, maxWaitMs);
    if (end.trouble !== null) console.error(end.trouble);
    return end.next.do === 'stop' ? 3 : end.trouble === null ? 0 : 1;
  } finally {
    unhook();
  }
}
