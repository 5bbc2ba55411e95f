/**
 * What the agent on a real machine does next: one decision from everything that is known. Pure, so that `status` and a
 * dry run say what `run` would do.
 */
import { type Scenario, scenarioId } from '../../schema/scenario.ts';
import type { TrialState } from '../trial/journal.ts';
import { nextCrashMs } from './budget.ts';
import { isFirst, itemAt, type MetalCampaign, type MetalItem, needsWatchdog } from './campaign.ts';
import type { WatchdogProof } from './proof.ts';

/** Why something is not to be run at present, and what its owner can do about it. */
export interface Obstacle {
  readonly id: string;
  readonly why: string;
  readonly fix: readonly string[];
}

export interface Situation {
  readonly trials: ReadonlyMap<number, TrialState>;
  readonly campaign: MetalCampaign | null;
  /** What forbids any crash at present, and what forbids this one. */
  readonly obstacles: (scenario: Scenario) => readonly Obstacle[];
  /** Why the guard, or a damaged journal, stopped everything; null where nothing did. */
  readonly stopped: Obstacle | null;
  readonly proof: WatchdogProof | null;
  /** Why no watchdog can be tried here, or null. */
  readonly noWatchdog: string | null;
  readonly trialsPerDay: number;
  /** All crashes on purpose, in milliseconds since the epoch. */
  readonly crashesMs: readonly number[];
  /** Nothing is crashed before: a machine that has just started gives its owner time to step in. */
  readonly notBeforeMs: number;
  readonly nowMs: number;
}

export type Next =
  | { readonly do: 'finish'; readonly ordinal: number }
  | { readonly do: 'trial'; readonly ordinal: number; readonly scenario: Scenario }
  | { readonly do: 'prove-watchdog'; readonly scenario: Scenario }
  | { readonly do: 'wait'; readonly untilMs: number; readonly why: string }
  | { readonly do: 'stop'; readonly why: string; readonly fix: readonly string[] }
  | { readonly do: 'done'; readonly why: string };

/** Obstacles that go away by themselves: the agent looks again after a while. */
const passing: ReadonlySet<string> = new Set(['users', 'battery', 'survey', 'busy', 'degraded']);
export const lookAgainMs = 15 * 60_000;

/** A campaign without end looks this many items ahead for one that can be run. */
const lookAhead = 16;

/** Whether a trial was armed, or has a report, that is not in the outbox yet. */
export function isUnfinished(state: TrialState): boolean {
  return !state.closed && (state.arming !== undefined || state.payload !== undefined);
}

/** The items of a campaign that are to be run yet, in order. */
export function openMetalItems(campaign: MetalCampaign, trials: Situation['trials']): MetalItem[] {
  const items: MetalItem[] = [];
  const end = campaign.first_ordinal + (campaign.trials ?? Number.POSITIVE_INFINITY);
  for (let ordinal = campaign.first_ordinal; ordinal < end && items.length < lookAhead; ordinal++)
    if (!trials.get(ordinal)?.closed) items.push(itemAt(campaign, ordinal));
  return items;
}

/** Why this one cannot be run, beside what forbids it at present. */
function lacksWatchdog(s: Scenario, { proof, noWatchdog }: Situation): Obstacle | null {
  if (!needsWatchdog(s) || proof?.state === 'proven') return null;
  const why = noWatchdog ?? (proof?.state === 'failed' ? proof.why : null);
  return why === null
    ? null
    : { id: 'watchdog', why: `no proven watchdog: ${why}`, fix: ['dumpsurvey doctor'] };
}

/** What to do next. A trial that was begun is always finished first, whatever else holds. */
export function next(s: Situation): Next {
  for (const [ordinal, state] of s.trials) if (isUnfinished(state)) return { do: 'finish', ordinal };
  if (s.stopped !== null) return { do: 'stop', why: s.stopped.why, fix: s.stopped.fix };
  if (s.campaign === null) return { do: 'done', why: 'no campaign was begun; `dumpsurvey run` begins one' };
  const open = openMetalItems(s.campaign, s.trials);
  if (open.length === 0) return { do: 'done', why: `all ${s.campaign.trials} trials are closed` };
  return nextCrash(open, s);
}

function nextCrash(open: readonly MetalItem[], s: Situation): Next {
  const hindered: { readonly item: MetalItem; readonly by: Obstacle }[] = [];
  for (const item of open) {
    const by = lacksWatchdog(item.scenario, s) ?? s.obstacles(item.scenario)[0];
    if (by === undefined) return inTime(item, s);
    hindered.push({ item, by });
    // The first trial on a machine is what can hurt it least, or none.
    if (isFirst(item.scenario) && item.ordinal === s.campaign?.first_ordinal) break;
  }
  const waiting = hindered.find(({ by }) => passing.has(by.id));
  if (waiting) return { do: 'wait', untilMs: s.nowMs + lookAgainMs, why: waiting.by.why };
  const [first] = hindered;
  if (first === undefined) return { do: 'done', why: 'there is nothing to run' };
  return { do: 'stop', why: `${scenarioId(first.item.scenario)}: ${first.by.why}`, fix: first.by.fix };
}

/** This item, as soon as time and budget allow; before it the watchdog's proof, where it needs one. */
function inTime({ ordinal, scenario }: MetalItem, s: Situation): Next {
  const budgetMs = nextCrashMs(s.crashesMs, s.trialsPerDay, s.nowMs);
  if (budgetMs > s.nowMs)
    return { do: 'wait', untilMs: budgetMs, why: `the budget of ${s.trialsPerDay} crashes a day is spent` };
  if (s.notBeforeMs > s.nowMs)
    return { do: 'wait', untilMs: s.notBeforeMs, why: 'the machine has just started' };
  return needsWatchdog(scenario) && s.proof?.state !== 'proven'
    ? { do: 'prove-watchdog', scenario }
    : { do: 'trial', ordinal, scenario };
}

/** A decision in words, for whoever asks what comes next. */
export function nextInWords(n: Next): string {
  switch (n.do) {
    case 'finish':
      return `finish trial ${n.ordinal}: look what it left, and report it`;
    case 'trial':
      return `crash this machine: ${scenarioId(n.scenario)} (trial ${n.ordinal})`;
    case 'prove-watchdog':
      return `let the hardware watchdog reset this machine, to prove it for ${scenarioId(n.scenario)}`;
    case 'wait':
      return `wait until ${new Date(n.untilMs).toISOString()}: ${n.why}`;
    case 'stop':
      return `nothing: ${n.why}${n.fix.map((line) => `\n    ${line}`).join('')}`;
    case 'done':
      return `nothing: ${n.why}`;
  }
}
