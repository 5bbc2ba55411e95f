/** What the matrix runs: every pair of crash point and crash type that makes sense, on each kernel. Pure. */
import type { KernelName } from '../../agent/lab/flavors.ts';
import { type CrashPoint, crashPoints } from '../../schema/crash-point.ts';
import { type CrashType, crashTypes, type SetUp } from '../../schema/crash-type.ts';
import {
  impossiblePair,
  type Load,
  type Scenario,
  type TriggeredBy,
  triggersOf,
} from '../../schema/scenario.ts';
import { namesOf } from '../../schema/vocabulary.ts';

/** One trial of the matrix. */
export interface Row {
  readonly kernel: KernelName;
  readonly scenario: Scenario;
  readonly triggeredBy: TriggeredBy;
}

/** Names a row, the same in each run. */
export function rowId({ kernel, scenario: s, triggeredBy }: Row): string {
  const suffix = triggeredBy === 'crashpoint' ? '' : ` by ${triggeredBy}`;
  return `${kernel} ${s.crash_point}/${s.crash_type}/${s.load}/${s.set_up}${suffix}`;
}

export function isRealtime(kernel: KernelName): boolean {
  return kernel.includes('-rt');
}

/** The load under which a point is hit: requests are really in flight where it is about requests. */
const loadOf: Record<(typeof crashPoints)[CrashPoint]['stimulus'], Load> = {
  module: 'idle',
  disk: 'disk',
  ata: 'idle',
  net: 'net',
  reclaim: 'memory',
};

function scenario(point: CrashPoint, type: CrashType, set_up: SetUp): Scenario {
  const load = loadOf[crashPoints[point].stimulus];
  return {
    crash_point: point,
    crash_type: type,
    load,
    mitigation: 'none',
    set_up,
    in_flight_min: load === 'disk' ? 1 : 0,
  };
}

/** The types whose set-ups are compared, with the other ones that they are run under. */
const otherSetUps: readonly (readonly [CrashType, readonly SetUp[]])[] = [
  ['bug', ['defaults']],
  ['exception', ['defaults']],
  ['loop', ['defaults', 'rcu-stall']],
  ['loop-irqoff', ['defaults', 'rcu-stall', 'watchdog-nmi']],
  ['stack-overflow', ['defaults']],
  ['hung-task', ['defaults']],
  ['oom', ['defaults']],
  ['external-nmi', ['defaults']],
];

/** Pairs: every crash point × crash type that is not impossible, set up to be noticed. The axes come first. */
export function pairs(kernel: KernelName): Row[] {
  const all = namesOf(crashPoints).flatMap((point) =>
    namesOf(crashTypes)
      .filter((type) => impossiblePair(point, type, isRealtime(kernel)) === null)
      .map((type) => ({
        kernel,
        scenario: scenario(point, type, 'panic'),
        triggeredBy: 'crashpoint' as const,
      })),
  );
  return [...all.filter(isOnAxis), ...all.filter((row) => !isOnAxis(row))];
}

/** The axes of the matrix: each point with a plain panic, each type at a plain point. */
export function isOnAxis({ scenario: s }: Row): boolean {
  return s.crash_point === 'direct' || s.crash_type === 'panic';
}

/** Types at `direct` under the other set-ups: what is and what is not noticed without them. */
export function detectionRows(kernel: KernelName): Row[] {
  return otherSetUps.flatMap(([type, setUps]) =>
    setUps.map((setUp) => ({
      kernel,
      scenario: scenario('direct', type, setUp),
      triggeredBy: 'crashpoint' as const,
    })),
  );
}

/** What the fallback triggers can run. */
export function fallbackRows(kernel: KernelName): Row[] {
  return namesOf(crashTypes).flatMap((type) => {
    const s = scenario('direct', type, 'panic');
    return triggersOf(s)
      .filter((triggeredBy) => triggeredBy !== 'crashpoint')
      .map((triggeredBy) => ({ kernel, scenario: s, triggeredBy }));
  });
}

/** Why pairs are left out, by point and type. */
export function impossiblePairs(kernel: KernelName): Map<string, string> {
  return new Map(
    namesOf(crashPoints).flatMap((point) =>
      namesOf(crashTypes).flatMap((type) => {
        const reason = impossiblePair(point, type, isRealtime(kernel));
        return reason === null ? [] : [[`${point}/${type}`, reason] as const];
      }),
    ),
  );
}
