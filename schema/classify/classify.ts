/**
 * From evidence to outcome (DESIGN 4). Pure: the agent runs it before it signs, the server runs it again on
 * the same evidence and labels a disagreement.
 */

import { crashTypes } from '../crash-type.ts';
import type { Evidence } from '../evidence.ts';
import type { Outcome } from '../outcome.ts';
import type { Scenario } from '../scenario.ts';
import { type Cause, type Mechanism, mechanisms, type Recovery, type Result } from '../vocabulary.ts';
import { causeOf } from './cause.ts';
import { type Judgement, judgeEvidence } from './judge.ts';
import { hasReached, type Reached, reachedStage } from './reached.ts';
import { symptomOf, topFrames } from './symptom.ts';

const recoveryOfExit = {
  'power-off': 'self',
  reboot: 'self',
  watchdog: 'watchdog',
  timeout: 'none',
  lost: 'unknown',
  restart: 'unknown',
  'went-on': 'not-needed',
} as const satisfies Record<Evidence['exit'], Recovery>;

/** Whether the scenario's own set-up is documented not to stop the kernel: nothing was asked to notice the crash. */
function maySurvive({ set_up, crash_type }: Scenario): boolean {
  return set_up === 'defaults' && Object.keys(crashTypes[crash_type].sysctls).length > 0;
}

/** The machine crashed by itself while it was armed: the dump's own record says that our crash never fired. */
function isForeignCrash(e: Evidence): boolean {
  return e.trigger === null && e.dump?.fired === 'unfired';
}

/** The machine went on, under a channel that would have shown the firing. */
function neverFired(e: Evidence, reached: Reached, mechanism: Mechanism): boolean {
  const machineWentOn = e.exit === 'power-off' || e.exit === 'reboot' || e.exit === 'went-on';
  const excluded = reached.excluded === 'armed' || reached.excluded === 'fired';
  return machineWentOn && excluded && !hasReached(reached.proven, 'fired', mechanism);
}

function resultOf(
  e: Evidence,
  scenario: Scenario,
  mechanism: Mechanism,
  reached: Reached,
  judged: Judgement | null,
): Result {
  if (e.harness_fault !== null) return 'inconclusive';
  if (mechanisms[mechanism].captures === 'log') {
    if (reached.proven === 'log_captured') return 'captured';
  } else if (judged?.verdict === 'verified') return 'captured';
  if (isForeignCrash(e) || neverFired(e, reached, mechanism)) return 'inconclusive';
  return e.survived !== null && maySurvive(scenario) ? 'survived' : 'failed';
}

/** Stage, crash point, symptom and top frames: what two failures of one kind share. */
function signatureOf(
  e: Evidence,
  scenario: Scenario,
  mechanism: Mechanism,
  reached: Reached,
  judged: Judgement | null,
): string {
  const inCapture = hasReached(reached.proven, 'handed_over', mechanism);
  const lines = inCapture ? e.capture_log : e.crash_log;
  const written = hasReached(reached.proven, 'dump_written', mechanism);
  const symptom = written ? judged?.reason : symptomOf(lines);
  const frames = written ? [] : topFrames(lines);
  const words = [reached.proven ?? 'nothing', scenario.crash_point, symptom ?? 'silent'].join('/');
  return frames.length === 0 ? words : `${words} in ${frames.join(' < ')}`.slice(0, 400);
}

/** What an inconclusive trial is charged to: a machine that crashed by itself is nobody's fault that is known. */
function causeOfNothing(e: Evidence): Cause {
  return e.harness_fault === null && isForeignCrash(e) ? 'unknown' : 'harness';
}

/** The outcome that the evidence of one trial supports. Never throws, whatever the evidence says. */
export function classify(e: Evidence, scenario: Scenario, mechanism: Mechanism): Outcome {
  const judged = judgeEvidence(e);
  const reached = reachedStage(e, mechanism, judged?.verdict ?? null);
  const result = resultOf(e, scenario, mechanism, reached, judged);
  const failed = result === 'failed';
  return {
    result,
    reached,
    verdict: judged?.verdict ?? null,
    verdict_reason: judged?.reason ?? null,
    recovery: recoveryOfExit[e.exit],
    cause: failed ? causeOf(e, reached, mechanism) : result === 'inconclusive' ? causeOfNothing(e) : null,
    signature: failed ? signatureOf(e, scenario, mechanism, reached, judged) : null,
  };
}
