/**
 * From what a guest's channels showed to evidence. Pure: a recorded run gives the same evidence again. Only the
 * dump's finding is added from outside.
 */

import { tellingLine } from '../../schema/classify/symptom.ts';
import type { AtCrashSeen, DumpFinding, Evidence, Sighting, Trigger } from '../../schema/evidence.ts';
import { firedLines } from '../../schema/log-canary.ts';
import type { TriggeredBy } from '../../schema/scenario.ts';
import { mechanisms, type Stage } from '../../schema/vocabulary.ts';
import { ofTrial, parseAtCrash, parseTrigger } from '../trial/module-lines.ts';

/** One line that a channel showed, in the order of arrival. Times count from the guest's start. */
export interface Observation {
  readonly channel: 'console' | 'beacon' | 'event';
  readonly text: string;
  readonly atMs: number;
}

/** How the run ended, as far as the harness knows. */
export interface Ending {
  readonly atMs: number;
  /** The harness killed the guest because its own deadline had passed. */
  readonly overdue: boolean;
  /** QEMU ended in another way than by the guest's own power-off or reset. */
  readonly broken: string | null;
}

/**
 * Lines by which the first kernel says that it ends: the panic line, and the headers of faults, which may reach the
 * capture kernel without one (kernel/panic.c, arch/x86/kernel/dumpstack.c, arch/x86/mm/fault.c). The reports of a
 * lockup or a stall are only warnings: where they are set up to stop the kernel, the panic line follows.
 */
const detectedPattern =
  /Kernel panic|BUG: (kernel NULL|unable to handle)|Oops: |kernel BUG at|general protection fault|double fault|stack guard page/;

const handedOverPattern = /Linux version \d/;

/** A log line without what does not belong in a report: control characters, excess length. */
function clean(line: string): string {
  return line
    .replaceAll(/[^\x20-\x7e]/g, ' ')
    .trimEnd()
    .slice(0, 400);
}

/** Where no line says what went wrong, so many of the last ones say how far it got. */
const quietLines = 20;

/** The lines from shortly before the one that says what went wrong; where none does, the last ones. At most `most`. */
export function excerpt(lines: readonly string[], most: number): string[] {
  const telling = tellingLine(lines);
  const from = telling === null ? lines.length - Math.min(most, quietLines) : telling - 3;
  const start = Math.max(0, from);
  return lines.slice(start, start + most).map(clean);
}

interface Beacon {
  readonly word: string;
  readonly rest: string;
  readonly atMs: number;
}

/** The guest's beacons: lines `ds WORD …`. */
export function beaconsIn(observations: readonly Observation[]): Beacon[] {
  return observations.flatMap(({ channel, text, atMs }) => {
    const match = channel === 'beacon' ? /^ds (\S+) ?(.*)$/.exec(text) : null;
    return match ? [{ word: match[1] ?? '', rest: match[2] ?? '', atMs }] : [];
  });
}

const beaconStages: readonly string[] = ['capture_booted', 'target_ready', 'dump_written'] satisfies Stage[];

/**
 * The evidence of one run. `nonce` is the trial's: a trigger line with another one is not of this trial. `logged` are
 * lines of the log in the dump: what is printed in an NMI, or with the console's lock held, reaches no console before
 * the capture kernel does.
 */
export function assembleEvidence(
  nonce: string,
  observations: readonly Observation[],
  ending: Ending,
  dump: DumpFinding | null,
  watchdogMs: number,
  triggeredBy: TriggeredBy = 'crashpoint',
  logged: readonly string[] = [],
): Evidence {
  const beacons = beaconsIn(observations);
  const armedAt = beacons.find(({ word }) => word === 'armed');
  const zero = armedAt?.atMs ?? 0;
  const saw: Sighting[] = [];
  const see = (stage: Stage, atMs: number, line: string) => {
    if (!saw.some((s) => s.stage === stage)) saw.push({ stage, at_ms: atMs - zero, line: clean(line) });
  };
  if (armedAt) see('armed', armedAt.atMs, `armed ${armedAt.rest}`);

  let trigger: Trigger | null = null;
  let crashing: AtCrashSeen | null = null;
  let fired = false;
  const crashLog: string[] = [];
  const captureLog: string[] = [];
  let handedOver = false;
  for (const { text, atMs } of observations.filter(({ channel }) => channel === 'console')) {
    const found: ReturnType<typeof parseTrigger> = fired ? null : parseTrigger(text);
    const set: ReturnType<typeof parseAtCrash> = fired && crashing === null ? parseAtCrash(text) : null;
    if (found?.nonce === nonce) {
      const { nonce: _, ...flags }: Trigger & { nonce: string } = found;
      trigger = flags;
      fired = true;
      see('fired', atMs, text);
    } else if (
      triggeredBy !== 'crashpoint' &&
      !fired &&
      armedAt &&
      atMs >= zero &&
      firedLines[triggeredBy].test(text)
    ) {
      fired = true;
      see('fired', atMs, text);
    } else if (set?.nonce === nonce) {
      const { nonce: _, ...rest }: AtCrashSeen & { nonce: string } = set;
      crashing = rest;
    } else if (fired && !handedOver && handedOverPattern.test(text)) {
      handedOver = true;
      see('handed_over', atMs, text);
    } else if (fired && !handedOver && detectedPattern.test(text)) see('detected', atMs, text);
    if (handedOver) captureLog.push(text);
    else if (fired) crashLog.push(text);
  }
  for (const { word, rest, atMs } of beacons) {
    if (beaconStages.includes(word)) see(word as Stage, atMs, `${word} ${rest}`.trim());
  }
  const survived = beacons.find(({ word }) => word === 'survived');
  const faults = beacons.filter(({ word }) => word === 'fault');
  const inCapture = beacons.findIndex(({ word }) => word === 'capture_booted');
  const captureFaults = faults.filter((f) => inCapture >= 0 && beacons.indexOf(f) > inCapture);
  const firstFault = faults.find((f) => !captureFaults.includes(f));
  const reset = observations.some(({ channel, text }) => channel === 'event' && text === 'WATCHDOG');
  const failure =
    firstFault?.rest ?? ending.broken ?? (armedAt ? null : 'the guest ended before it was armed');
  return {
    channel: { name: 'serial', could_see: [...mechanisms.kdump.stages], saw },
    trigger: trigger ?? ofTrial(logged, parseTrigger, nonce),
    at_crash: crashing ?? ofTrial(logged, parseAtCrash, nonce),
    survived: survived === undefined ? null : clean(survived.rest),
    dump,
    watchdog: { present: true, fired: reset, timeout_ms: watchdogMs },
    exit: ending.broken ? 'lost' : ending.overdue ? 'timeout' : reset ? 'watchdog' : 'reboot',
    harness_fault: failure === null ? null : clean(failure).slice(0, 300),
    crash_log: crashLog.slice(0, 60).map(clean),
    capture_log: [...captureFaults.slice(0, 20).map(({ rest }) => clean(rest)), ...excerpt(captureLog, 100)],
    duration_ms: Math.max(0, Math.round(ending.atMs)),
  };
}

/** What the guest reads back of its own kernel as it arms: no capture kernel is loaded. */
const notArmedPattern = /(^| )kexec_crash_loaded=0( |$)/;

/**
 * The evidence of a control trial. It says that the mechanism was disabled only if the guest said so as it armed, and
 * the report carries that line; where it did not, the harness is to blame, and the trial proves nothing.
 */
export function controlEvidence(e: Evidence): Evidence {
  const armed = e.channel.saw.find(({ stage }) => stage === 'armed');
  if (e.harness_fault !== null || armed === undefined || notArmedPattern.test(armed.line)) return e;
  const said = `a control trial, and the guest did not say that no capture kernel is loaded: ${armed.line}`;
  return { ...e, harness_fault: said.slice(0, 300) };
}
