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

/**
 * The interval. A stage is proven by a sighting, by the trigger line or by the dump; it is excluded where the
 * channel would have shown it, the run ended, and it was not shown. Between the two nothing is known.
 */
export function reachedStage(e: Evidence, mechanism: Mechanism, verdict: Verdict | null): Reached {
  const order: readonly Stage[] = mechanisms[mechanism].stages;
  const shown: (Stage | null)[] = e.channel.saw.map((sighting) => sighting.stage);
  if (e.trigger) shown.push('fired');
  shown.push(provenByDump(e, verdict));
  const last = Math.max(-1, ...shown.map((stage) => (stage === null ? -1 : order.indexOf(stage))));
  const visible = e.exit === 'lost' ? [] : e.channel.could_see;
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
