/**
 * The words of the beacons, and where each lies on a beacon disk: a raw partition of 512-byte slots. Slot 0 is written by
 * the agent before it arms and names the trial; each other slot has one fixed meaning, so that no writer needs to know
 * what was written before. `fail` is written before a step, `success` after it: absent and failed differ.
 */
import type { Stage } from '../../../schema/vocabulary.ts';

/** What the capture environment tells of. `rebooting` is no stage: it says that the machine resets itself next. */
export const beaconSteps = ['capture_booted', 'target_ready', 'dump_written', 'rebooting'] as const;
export type BeaconStep = (typeof beaconSteps)[number];

export const outcomes = ['fail', 'success'] as const;
export type BeaconOutcome = (typeof outcomes)[number];

export interface Beacon {
  readonly step: BeaconStep;
  readonly outcome: BeaconOutcome;
}

/** What the first slot begins with: a partition that does not hold it is never written to. */
export const slotMagic = 'dumpsurvey-beacon';
export const slotBytes = 512;
export const slotCount = 1 + beaconSteps.length * outcomes.length;

/** The slot of a beacon. */
export function slotOf({ step, outcome }: Beacon): number {
  return 1 + beaconSteps.indexOf(step) * outcomes.length + outcomes.indexOf(outcome);
}

/** The line of the first slot. Without a trial, the partition is only marked as ours. */
export function armedSlotLine(nonce: string | null): string {
  return `${slotMagic} 1 ${nonce ?? '-'}`;
}

/** A beacon's line, in a slot as in pmsg. */
export function beaconLine(nonce: string, { step, outcome }: Beacon): string {
  return `${slotMagic} ${nonce} ${step} ${outcome}`;
}

const beaconPattern = new RegExp(
  `^${slotMagic} ([0-9a-f]{32}) (${beaconSteps.join('|')}) (${outcomes.join('|')})$`,
);

/** The beacons of a trial in lines, each once, in the order of their steps. */
export function beaconsOf(nonce: string, lines: readonly string[]): Beacon[] {
  const found = new Set<number>();
  for (const line of lines) {
    const [, of, step, outcome] = beaconPattern.exec(line) ?? [];
    if (of === nonce) found.add(slotOf({ step: step as BeaconStep, outcome: outcome as BeaconOutcome }));
  }
  return beaconSteps.flatMap((step) =>
    outcomes.map((outcome) => ({ step, outcome })).filter((beacon) => found.has(slotOf(beacon))),
  );
}

/** The stages that beacons show. `fail` alone shows that the step before it was over, and no more. */
export function stageOf({ step, outcome }: Beacon): Stage | null {
  if (step === 'rebooting') return null;
  return outcome === 'success' ? step : null;
}
