/**
 * Evidence: what was seen of a trial, without any judgement. `classify` turns it into an outcome, on the agent
 * and again on the server.
 */
import * as z from 'zod';
import { type AfterReboot, afterReboot } from './after-reboot.ts';
import { type Context, contextsOf, crashPoints, type TaskKind, taskKinds } from './crash-point.ts';
import { type AtCrash, type CrashType, crashTypes } from './crash-type.ts';
import { namesOf, stages } from './vocabulary.ts';

const stage = z.enum(namesOf(stages));
const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
/** A line of a kernel log: printable, cut to a length that no line of interest exceeds. */
const logLine = z.string().max(400);

/** The context flags of the trigger line. */
export const trigger = z.strictObject({
  crash_point: z.enum(namesOf(crashPoints)),
  crash_type: z.enum(namesOf(crashTypes)),
  in_nmi: z.boolean(),
  in_hardirq: z.boolean(),
  in_softirq: z.boolean(),
  irqs_off: z.boolean(),
  preempt: count,
  /** Whose task was running; in an interrupt, the interrupted one. */
  task: z.enum(namesOf(taskKinds)),
  cpu: count,
  /** Requests in flight on the chosen device, or -1 where it keeps no count. */
  in_flight: z.int().min(-1).max(1_000_000),
});
export type Trigger = z.infer<typeof trigger>;

/** What the module read back of its own set-up just before the fatal act. */
export const atCrash = z.strictObject({ irqs_off: z.boolean(), preempt: count, lock_held: z.boolean() });
export type AtCrashSeen = z.infer<typeof atCrash>;

/** What the verifier found in a dump; `judgeDump` makes the verdict of it. */
export const dumpFinding = z.strictObject({
  format: z.enum([
    'kdump-compressed',
    'flattened',
    'elf',
    'diskdump',
    'lkcd',
    'netdump',
    'mkdump',
    'empty',
    'unknown',
  ]),
  /** In words: where and how the reading ended, when it did not end well. */
  fault: z.string().max(300).nullable(),
  byte_count: count,
  /** The file ends before what its headers promise. */
  truncated: z.boolean(),
  /** makedumpfile's own flag (`status & 8` of a kdump header, `e_flags & 1` of ELF). */
  incomplete_flag: z.boolean(),
  /** Pages that the dump's own bitmap or program headers promise; how many have data; how many could not be decoded. */
  pages: z.strictObject({ promised: count, present: count, undecodable: count }),
  /** The two records at their planted addresses. `changed`: it is of this trial, but its fill is not what was planted. */
  armed: z.enum(['present', 'absent', 'other-trial', 'changed', 'missing']),
  fired: z.enum(['present', 'unfired', 'absent', 'other-trial', 'changed', 'missing']),
  /** Canary pages sampled. `missing` are not in the dump, `changed` are, with other contents. */
  canaries: z.strictObject({ planted: count, good: count, changed: count, missing: count }),
  kernel_release: z.string().max(100).nullable(),
  /** Whether vmcoreinfo's own symbols led to the log buffer, and how many lines it holds. */
  vmcoreinfo: z.enum(['resolved', 'unresolved', 'absent']),
  log_lines: count.nullable(),
});
export type DumpFinding = z.infer<typeof dumpFinding>;

/** One stage that was seen, with the line that showed it. `at_ms` counts from the arming. */
export const sighting = z.strictObject({ stage, at_ms: z.int(), line: logLine });
export type Sighting = z.infer<typeof sighting>;

const seen = {
  /** `could_see` is what the channel would have shown: other stages stay unknown. */
  could_see: z.array(stage).max(16),
  saw: z.array(sighting).max(32),
} as const;

const evidenceFields = {
  trigger: trigger.nullable(),
  at_crash: atCrash.nullable(),
  /** Where the system went on after the trigger should have stopped it: what was expected, and what would have changed it. */
  survived: logLine.nullable(),
  dump: dumpFinding.nullable(),
  watchdog: z.strictObject({ present: z.boolean(), fired: z.boolean(), timeout_ms: count }),
  /** What the harness could not do, in words, where it is to blame. */
  harness_fault: z.string().max(300).nullable(),
  /** Lines of the crashing kernel's log, from the trigger on, and of the capture kernel's, where they say what went wrong. */
  crash_log: z.array(logLine).max(60),
  capture_log: z.array(logLine).max(120),
  duration_ms: count,
} as const;

/** Evidence as reports of 1.0 and 1.1 carry it: of machines that somebody watched. */
export const watchedEvidence = z.strictObject({
  /** Where stages were watched. */
  channel: z.strictObject({ name: z.enum(['serial', 'none']), ...seen }),
  /** How the run of the machine ended. `timeout`: the harness had to end it. */
  exit: z.enum(['power-off', 'reboot', 'watchdog', 'timeout', 'lost']),
  ...evidenceFields,
});
export type WatchedEvidence = z.infer<typeof watchedEvidence>;

/**
 * Where stages were watched. `ramoops`, `disk`: beacons of the capture environment, kept in memory that survives a
 * reset, or on a disk that is not under test. `kernel-log`: the log of a kernel that went on.
 */
export const channels = ['serial', 'none', 'ramoops', 'disk', 'kernel-log'] as const;

/**
 * How the run of the machine ended. `timeout`: the harness had to end it. `lost`: not known, nor how far it ran.
 * `restart`: it came up again, by what is not known. `went-on`: it never went down.
 */
export const exits = ['power-off', 'reboot', 'watchdog', 'timeout', 'lost', 'restart', 'went-on'] as const;

/** Evidence as reports of 1.2 carry it. */
export const evidence = z.strictObject({
  channel: z.strictObject({ name: z.enum(channels), ...seen }),
  exit: z.enum(exits),
  ...evidenceFields,
  /** What a real machine found once it was up again; null where it did not go down, and where somebody watched. */
  after_reboot: afterReboot.nullable(),
});

/** Evidence of any version. That of 1.0 and 1.1 has no `after_reboot`. */
export type Evidence = Omit<z.infer<typeof evidence>, 'after_reboot'> & {
  readonly after_reboot?: AfterReboot | null;
};

/** The innermost context that a trigger's flags show: an interrupt may have come over another one. */
export function contextOf(t: Pick<Trigger, 'in_nmi' | 'in_hardirq' | 'in_softirq'>): Context {
  if (t.in_nmi) return 'nmi';
  if (t.in_hardirq) return 'hardirq';
  return t.in_softirq ? 'softirq' : 'task';
}

/** In what a trigger differs from what its crash point claims: the context, interrupts, the task. Empty where it agrees. */
export function contextFaults(t: Trigger, realtime = false): string[] {
  const { irqsOff, tasks } = crashPoints[t.crash_point] as {
    readonly irqsOff: boolean | null;
    readonly tasks?: readonly TaskKind[];
  };
  const claimed = contextsOf(t.crash_point, realtime);
  const faults: string[] = [];
  if (!claimed.includes(contextOf(t))) faults.push(`${contextOf(t)} context, not ${claimed.join(' or ')}`);
  if (irqsOff !== null && irqsOff !== t.irqs_off) faults.push(`interrupts ${t.irqs_off ? 'off' : 'on'}`);
  if (tasks && !tasks.includes(t.task)) faults.push(`task ${t.task}, not ${tasks.join(' or ')}`);
  return faults;
}

/** In what the moment of the crash differs from what the crash type states. Empty where it agrees. */
export function crashFaults(type: CrashType, seen: AtCrashSeen): string[] {
  const { irqsOff, preemptOff, lockHeld } = crashTypes[type].atCrash as AtCrash;
  const faults: string[] = [];
  if (irqsOff && !seen.irqs_off) faults.push('interrupts on');
  if (preemptOff && seen.preempt === 0) faults.push('preemption on');
  if (preemptOff && !irqsOff && seen.irqs_off) faults.push('interrupts off');
  if (lockHeld && !seen.lock_held) faults.push('the lock is not held');
  return faults;
}
