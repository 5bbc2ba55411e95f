/** Where this machine stands, for `status`: what was run, what comes next, and what speaks against it. */
import { scenarioId } from '../../schema/scenario.ts';
import { spentOf } from './budget.ts';
import { isUnfinished, type Next, next, nextInWords, openMetalItems } from './next.ts';
import { openMetalJournal } from './open.ts';
import { readSettings } from './settings.ts';
import { situationOf } from './situation.ts';
import { metalPaths } from './state.ts';
import type { System } from './system.ts';

export interface Standing {
  readonly next: Next;
  readonly in_words: string;
  /** Null where no campaign was begun. */
  readonly trials: {
    /** Null: without end. */
    readonly planned: number | null;
    readonly closed: number;
    readonly unfinished: number;
  } | null;
  readonly budget: { readonly per_day: number; readonly spent: number };
  readonly stopped: string | null;
  readonly watchdog: string;
  /** The scenarios that are to be run yet, at most the next few. */
  readonly to_come: readonly string[];
}

/** The standing of the machine whose state is in `data`, or null where it was never set up for it. */
export async function standingOf(system: System, data: string): Promise<Standing | null> {
  const paths = metalPaths(data);
  const settings = await readSettings(paths);
  if (settings === null) return null;
  const journal = await openMetalJournal(paths);
  const situation = await situationOf(system, paths, journal, settings);
  const { trials, campaign, proof, noWatchdog, stopped, trialsPerDay, crashesMs, nowMs } = situation;
  const n = next(situation);
  const ofCampaign = [...trials].filter(([ordinal]) => ordinal >= (campaign?.first_ordinal ?? 0));
  return {
    next: n,
    in_words: nextInWords(n),
    trials: campaign && {
      planned: campaign.trials,
      closed: ofCampaign.filter(([, { closed }]) => closed).length,
      unfinished: [...trials.values()].filter(isUnfinished).length,
    },
    budget: { per_day: trialsPerDay, spent: spentOf(crashesMs, nowMs) },
    stopped: stopped?.why ?? null,
    watchdog:
      noWatchdog ?? (proof === null ? 'not tried yet' : `${proof.state}: ${proof.why ?? proof.identity}`),
    to_come:
      campaign === null ? [] : openMetalItems(campaign, trials).map(({ scenario }) => scenarioId(scenario)),
  };
}

/** A standing in lines for a terminal. */
export function describeStanding(s: Standing): string[] {
  const { closed = 0, planned = 0, unfinished = 0 } = s.trials ?? {};
  return [
    `next: ${s.in_words}`,
    ...(s.trials === null
      ? []
      : [
          `${closed} of ${planned ?? 'endlessly many'} trials closed${unfinished > 0 ? `, ${unfinished} to be finished` : ''}`,
        ]),
    `${s.budget.spent} of ${s.budget.per_day} crashes of the last 24 hours spent`,
    `watchdog: ${s.watchdog}`,
    ...(s.stopped === null ? [] : [`STOPPED: ${s.stopped}`]),
  ];
}
