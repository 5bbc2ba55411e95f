/** The reached stage as an interval: what the evidence proves was reached, and what it proves was not. */
import type { Evidence } from '../evidence.ts';
import { type Mechanism, mechanisms, type Stage, type Verdict } from '../vocabulary.ts';

export interface Reached {
  readonly proven: Stage | null;
  readonly excluded: Stage | null;
}

/**
 * Stages that the dump itself proves: whoever finds the `fired` record of this trial in it knows that writing
 * began. With `armed` alone the dump is of another crash, and proves only the arming.
 */
function provenByDump(e: Evidence, verdict: Verdict | null): Stage | null {
  if (verdict === 'verified') return 'dump_written';
  if (e.dump?.fired === 'present') return 'target_ready';
  return e.dump?.armed === 'present' ? 'armed' : null;
}

/** A trace of another crash: nothing that it shows is of this trial. */
function isOfAnother(e: Evidence): boolean {
  const { armed, fired } = e.dump ?? {};
  const isOthers = armed === 'other-trial' || fired === 'other-trial' || armed === 'absent';
  return isOthers || fired === 'unfired';
}

/**
 * What was left behind proves. Only the capture environment puts something into the directory of dumps while no other
 * kernel runs, and only after it has found the target.
 */
function provenByTraces(e: Evidence): Stage | null {
  const found = e.after_reboot;
  if (!found || isOfAnother(e)) return null;
  if (found.dump_state === 'complete' || found.dump_state === 'incomplete') return 'target_ready';
  return found.capture_log_found ? 'capture_booted' : null;
}

/** What would have been seen: by the channel, and in the directory of dumps where it was read. */
function visibleStages(e: Evidence): readonly Stage[] {
  if (e.exit === 'lost') return [];
  const state = e.after_reboot?.dump_state;
  return state === 'none' || state === 'incomplete'
    ? [...e.channel.could_see, 'dump_written']
    : e.channel.could_see;
}

/**
 * The interval. A stage is proven by a sighting, by the trigger line, by the dump or by what lies around it; it is
 * excluded where it would have been seen, the run ended, and it was not. Between the two nothing is known.
 */
export function reachedStage(e: Evidence, mechanism: Mechanism, verdict: Verdict | null): Reached {
  const order: readonly Stage[] = mechanisms[mechanism].stages;
  const shown: (Stage | null)[] = e.channel.saw.map((sighting) => sighting.stage);
  if (e.trigger) shown.push('fired');
  shown.push(provenByDump(e, verdict), provenByTraces(e));
  const last = Math.max(-1, ...shown.map((stage) => (stage === null ? -1 : order.indexOf(stage))));
  const visible = visibleStages(e);
  return {
    proven: order[last] ?? null,
    excluded: order.slice(last + 1).find((s) => visible.includes(s)) ?? null,
  };
}

/** Whether a proven stage is at or behind another one, in a mechanism's order. False for a stage that it does not have. */
export function hasReached(proven: Stage | null, stage: Stage, mechanism: Mechanism): boolean {
  const order: readonly Stage[] = mechanisms[mechanism].stages;
  return proven !== null && order.includes(stage) && order.indexOf(proven) >= order.indexOf(stage);
}
