/** Gathers what the next decision is made of, from the state files and from the machine. */
import { type Scenario, scenarioId } from '../../schema/scenario.ts';
import type { Journal } from '../trial/journal.ts';
import { isCaptureKernel, uptimeMsOf } from './boot.ts';
import { readCampaign } from './campaign.ts';
import { isAgreed, readConsent } from './consent.ts';
import { guardOf } from './guard.ts';
import { historyOf } from './history.ts';
import type { Obstacle, Situation } from './next.ts';
import { readProof } from './proof.ts';
import { whyNoWatchdog } from './prove.ts';
import { safetyFacts } from './safety/gather.ts';
import { refusalsOf } from './safety/refusals.ts';
import { defaultSettings, type MetalSettings } from './settings.ts';
import { readStarts } from './starts.ts';
import type { MetalPaths } from './state.ts';
import { goOn, readStopped } from './stopped.ts';
import type { System } from './system.ts';
import { obstacleOf, readTroubles } from './trouble.ts';

/** A machine that has just started is left alone for so long: its owner may want to step in. */
export const settleMs = 60_000;

/** Why everything stands still, or null. */
async function stoppedBy(system: System, paths: MetalPaths, trialsPerDay: number): Promise<Obstacle | null> {
  if (isCaptureKernel(system.tree))
    return { id: 'capture', why: 'this is a capture kernel: a dump may be waiting to be written', fix: [] };
  const stopped = await readStopped(paths);
  const why = stopped?.why ?? guardOf((await readStarts(paths)).counted, trialsPerDay, system.now());
  return why === null
    ? null
    : { id: 'stopped', why, fix: ['See what is wrong with the machine, then:', goOn] };
}

/** A disk load needs a place to write to. */
function lacksScratch(scenario: Scenario, { scratch }: MetalSettings): Obstacle | null {
  if (scenario.load !== 'disk' || scratch !== null) return null;
  return {
    id: 'scratch',
    why: 'no scratch directory on the dump target was named for the disk load',
    fix: ['dumpsurvey install --spare-machine --scratch DIRECTORY'],
  };
}

/** Everything that the next decision depends on. Nothing is changed. Throws Advice where a state file is damaged. */
export async function situationOf(
  system: System,
  paths: MetalPaths,
  journal: Pick<Journal, 'trials'>,
  chosen: MetalSettings | null,
): Promise<Situation> {
  const settings = chosen ?? defaultSettings;
  const nowMs = system.now();
  const consent = isAgreed(await readConsent(paths));
  const facts = await safetyFacts(system.tree, system.programs, settings, { consent, nowMs });
  const troubles = await readTroubles(paths);
  const proof = await readProof(paths);
  const { armedMs } = historyOf(journal.trials());
  const trialsPerDay = settings.trials_per_day;
  return {
    trials: journal.trials(),
    campaign: await readCampaign(paths),
    obstacles: (scenario) => {
      // The watchdog's proof is a step of its own, not something that is waited for.
      const planned = { scenario, mechanism: 'kdump', control: false } as const;
      const own = [lacksScratch(scenario, settings), obstacleOf(troubles, scenarioId(scenario), nowMs)];
      return [...refusalsOf(facts, planned, { watchdogProven: true }), ...own.filter((o) => o !== null)];
    },
    stopped: await stoppedBy(system, paths, trialsPerDay),
    proof,
    noWatchdog: whyNoWatchdog(system),
    trialsPerDay,
    crashesMs: [...armedMs, ...(proof === null ? [] : [proof.at_ms])],
    notBeforeMs: nowMs + Math.max(0, settleMs - uptimeMsOf(system.tree)),
    nowMs,
  };
}
