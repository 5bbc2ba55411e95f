/** Outcomes in plain words, the same on pages and in feeds. */
import type { FailureEntry } from '../../schema/answer/driver.ts';
import type { Outcome } from '../../schema/outcome.ts';
import { scenarioId } from '../../schema/scenario.ts';
import { type Mechanism, mechanisms, type Result, type Stage, verdicts } from '../../schema/vocabulary.ts';

/** The verdict of a page's title. */
export const resultWords = {
  captured: 'captured',
  failed: 'not captured',
  survived: 'survived',
  no_reply: 'no reply',
  inconclusive: 'inconclusive',
} as const satisfies Record<Result, string>;

/** How each stage reads in "…, but …": that it was reached, and that it was not. */
const stageClauses = {
  armed: ['The crash point was armed', 'the crash point was not armed'],
  fired: ['The crash point fired', 'the crash point did not fire'],
  detected: ['The kernel noticed the crash', 'the kernel did not notice the crash'],
  handed_over: ['The capture kernel started', 'the capture kernel did not start'],
  capture_booted: ["The capture kernel's user space ran", 'the capture kernel did not get to its user space'],
  target_ready: [
    'The capture kernel found the dump device',
    'the capture kernel did not find the dump device, or could not use it',
  ],
  dump_written: ['The dump was written to its end', 'the dump was not written to its end'],
  log_captured: ['The log was captured', 'the log was not captured'],
} as const satisfies Record<Stage, readonly [string, string]>;

/** What became of a stage: `unknown` is between what is proven and what is excluded. */
export type StageState = 'reached' | 'not-reached' | 'unknown';

/** The state of each stage of a mechanism, in its order. */
export function stageStates(
  mechanism: Mechanism,
  reached: Outcome['reached'],
): readonly { readonly stage: Stage; readonly state: StageState }[] {
  const order: readonly Stage[] = mechanisms[mechanism].stages;
  const proven = reached.proven === null ? -1 : order.indexOf(reached.proven);
  const excluded = reached.excluded === null ? -1 : order.indexOf(reached.excluded);
  return order.map((stage, at) => {
    if (at <= proven) return { stage, state: 'reached' };
    return { stage, state: excluded >= 0 && at >= excluded ? 'not-reached' : 'unknown' };
  });
}

function failureSentence(mechanism: Mechanism, { reached, verdict }: Outcome): string {
  const states = stageStates(mechanism, reached);
  const last = states.findLast(({ state }) => state === 'reached');
  const unknown = states.filter(({ state }) => state === 'unknown');
  const never = states.find(({ state }) => state === 'not-reached');
  const so = last === undefined ? 'Nothing is proven of this trial' : stageClauses[last.stage][0];
  const dump =
    verdict === null || verdict === 'verified' ? '' : ` What the verifier found: ${verdicts[verdict]}.`;
  if (unknown.length === 0 && never === undefined) {
    return dump === '' ? `${so}, but there is no verified dump.` : `${so}, but it does not count.${dump}`;
  }
  if (unknown.length === 0 && never !== undefined)
    return `${so}, but ${stageClauses[never.stage][1]}.${dump}`;
  const end = never === undefined ? '' : ` In the end, ${stageClauses[never.stage][1]}.`;
  const gap = unknown.map(({ stage }) => stage).join(', ');
  return `${so}. The evidence does not show how much further it got (${gap}).${end}${dump}`;
}

/** What happened, in one or two sentences that need no knowledge of the survey. */
export function outcomeSentence(mechanism: Mechanism, outcome: Outcome): string {
  switch (outcome.result) {
    case 'captured':
      return 'The crash was captured: its dump is complete, and the pages that were sampled hold what was planted.';
    case 'survived':
      return 'The kernel ran on after the crash point fired, as it is documented to do under this set-up.';
    case 'no_reply':
      return 'The machine said that it was about to crash, and was silent past its deadline.';
    case 'inconclusive':
      return "This trial says nothing about the machine: it was the survey's own fault, or the crash point did not fire.";
    case 'failed':
      return failureSentence(mechanism, outcome);
  }
}

/** `after capture_booted`: where a trial that was not captured ended, as far as is proven. */
export function afterStage(outcome: Outcome): string {
  return outcome.reached.proven === null ? 'with no stage proven' : `after ${outcome.reached.proven}`;
}

/** `am53c974: not captured after capture_booted (timer/exception/disk)`; a mitigation other than none is added. */
export function failureTitle(failure: FailureEntry): string {
  const { scenario, outcome, driver } = failure;
  const id =
    scenario.mitigation === 'none' ? scenarioId(scenario).replace(/\/none$/, '') : scenarioId(scenario);
  return `${driver}: ${resultWords[outcome.result]} ${afterStage(outcome)} (${id})`;
}

/** The meaning of a name in a table of the vocabulary, or null for a name that it does not have. */
export function meaningOf(table: Readonly<Record<string, string>>, name: string): string | null {
  return Object.hasOwn(table, name) ? (table[name] ?? null) : null;
}
