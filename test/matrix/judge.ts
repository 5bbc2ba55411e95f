/** What a row of the matrix must show, and what it showed. Pure. */
import type { TrialRun } from '../../agent/lab/trial.ts';
import type { FiredRecord } from '../../schema/canary.ts';
import { classify } from '../../schema/classify/classify.ts';
import { crashTypes } from '../../schema/crash-type.ts';
import { contextFaults, contextOf, crashFaults, type Evidence, type Trigger } from '../../schema/evidence.ts';
import type { Result } from '../../schema/vocabulary.ts';
import { isRealtime, type Row, rowId } from './rows.ts';

/** What the dump itself says. */
export interface InDump {
  readonly record: FiredRecord | null;
  /** The crashed kernel's log: a console may show less. */
  readonly log: readonly string[];
}

/** What a row showed, as it is kept. */
export interface Finding {
  readonly id: string;
  readonly row: Row;
  /** The kernel's release. */
  readonly release: string;
  /** `captured`, `not detected`, `survived`, or at which stage it ended. */
  readonly outcome: string;
  readonly result: Result;
  readonly trigger: Trigger | null;
  readonly atCrash: Evidence['at_crash'];
  /** The line by which the kernel noticed. */
  readonly log: string | null;
  readonly seconds: number;
  /** What is not as the catalogue claims; empty where all is. */
  readonly faults: readonly string[];
}

/**
 * What a crash is known to come to on these machines under a set-up. QEMU's software emulation has no performance
 * counters, so that the kernel's own NMI watchdog never runs: only the other processors, or the hardware watchdog,
 * can notice a loop with interrupts off.
 */
export function expectedResult({ scenario: s, triggeredBy }: Row): 'captured' | 'not detected' | 'survived' {
  const { crash_type: type, set_up: setUp } = s;
  if (type === 'loop-irqoff' && (setUp === 'panic' || setUp === 'defaults')) return 'not detected';
  if (setUp !== 'defaults' || triggeredBy !== 'crashpoint') return 'captured';
  if (type === 'loop') return 'not detected';
  return type === 'stack-overflow' ? 'captured' : 'survived';
}

/** The outcome in the words of the table. */
export function outcomeOf(evidence: Evidence, row: Row): { outcome: string; result: Result } {
  const { result, reached } = classify(evidence, row.scenario, 'kdump');
  if (result !== 'failed') return { outcome: result, result };
  return { outcome: reached.proven === 'fired' ? 'not detected' : `ended after ${reached.proven}`, result };
}

/** The dump's own record against the trigger line of the console. */
function recordFaults(record: FiredRecord | null, trigger: Trigger): string[] {
  if (record === null) return ['the dump holds no record of the firing'];
  const { crash_point, crash_type, ...flags } = trigger;
  const told = { ...flags, point: crash_point, type: crash_type };
  return Object.entries(told)
    .filter(([name, value]) => record[name as keyof FiredRecord] !== value)
    .map(
      ([name, value]) =>
        `${name}: ${String(value)} on the console, ${String(record[name as keyof FiredRecord])} in the dump`,
    );
}

function moduleFaults(row: Row, evidence: Evidence, record: FiredRecord | null, captured: boolean): string[] {
  const { trigger, at_crash } = evidence;
  const { crash_type, in_flight_min } = row.scenario;
  if (trigger === null) return ['no trigger line'];
  const faults = contextFaults(trigger, isRealtime(row.kernel));
  if (trigger.in_flight < in_flight_min) faults.push(`${trigger.in_flight} requests in flight`);
  if (at_crash === null) faults.push('nothing said at the crash');
  else faults.push(...crashFaults(crash_type, at_crash));
  if (captured) faults.push(...recordFaults(record, trigger));
  return faults;
}

/** The line that a type's own detector prints, under the set-up that is meant for it. */
function noticed(row: Row, evidence: Evidence, inDump: readonly string[]): string | null {
  const { log } = crashTypes[row.scenario.crash_type];
  const line = [...evidence.crash_log, ...inDump].find((text) => log.test(text));
  return line ?? evidence.channel.saw.find(({ stage }) => stage === 'detected')?.line ?? null;
}

function logFaults(row: Row, log: readonly string[], captured: boolean): string[] {
  const { crash_type: type, set_up: setUp } = row.scenario;
  if (!captured || setUp !== 'panic' || row.triggeredBy !== 'crashpoint') return [];
  const wanted = crashTypes[type].log;
  return log.some((line) => wanted.test(line)) ? [] : [`the log says nothing like ${wanted.source}`];
}

/** Judges one row. */
export function judge(row: Row, release: string, run: TrialRun, { record, log }: InDump): Finding {
  const { evidence } = run;
  const { outcome, result } = outcomeOf(evidence, row);
  const captured = result === 'captured';
  const expected = expectedResult(row);
  const faults = [
    ...(evidence.harness_fault === null ? [] : [evidence.harness_fault]),
    ...(row.triggeredBy === 'crashpoint' ? moduleFaults(row, evidence, record, captured) : []),
    ...logFaults(row, log, captured),
    ...(outcome === expected ? [] : [`${outcome}, not ${expected}`]),
  ];
  return {
    id: rowId(row),
    row,
    release,
    outcome,
    result,
    trigger: evidence.trigger,
    atCrash: evidence.at_crash,
    log: noticed(row, evidence, log),
    seconds: Math.round(evidence.duration_ms / 1000),
    faults,
  };
}

/** `hardirq off`, `task on kworker`: the context that a trigger showed. */
export function contextWords(trigger: Trigger): string {
  return `${contextOf(trigger)}, irqs ${trigger.irqs_off ? 'off' : 'on'}, ${trigger.task}`;
}
