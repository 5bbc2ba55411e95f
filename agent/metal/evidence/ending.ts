/** How a machine came up again: what its watchdogs, its firmware and the clock say of the last start. Pure. */
import type { ResetReason, WatchdogStatus } from '../../../schema/after-reboot.ts';
import type { Evidence } from '../../../schema/evidence.ts';
import type { SystemTree } from '../../machine/tree.ts';

/** WDIOF_CARDRESET (include/uapi/linux/watchdog.h). */
const cardReset = 0x20;

/** Drivers that set `bootstatus` after a reset by the watchdog. Of all others a zero says nothing (iTCO_wdt: always zero). */
const reporting = /^(?:i6300ESB timer|SP5100 TCO timer|wdat_wdt)$/;

/** What the watchdogs say of the last start. */
export function watchdogStatusOf(tree: SystemTree): WatchdogStatus {
  const dogs = tree.list('/sys/class/watchdog').map((name) => {
    const at = `/sys/class/watchdog/${name}`;
    const text = tree.read(`${at}/bootstatus`)?.trim() ?? '';
    return {
      bits: /^\d{1,10}$/.test(text) ? Number(text) : null,
      reports: reporting.test(tree.read(`${at}/identity`)?.trim() ?? ''),
    };
  });
  if (dogs.some(({ bits }) => bits !== null && (bits & cardReset) !== 0)) return 'reset';
  return dogs.some(({ bits, reports }) => bits !== null && reports) ? 'clear' : 'not-reported';
}

/**
 * What the kernel prints of an AMD processor's reset register (arch/x86/kernel/cpu/amd.c, `s5_reset_reason_txt`, Linux
 * 6.16 and newer), by the words that tell the reasons apart; the first that fits.
 */
const reasonWords: readonly (readonly [RegExp, ResetReason])[] = [
  [/watchdog timer expired/, 'watchdog'],
  [/therm/i, 'thermal'],
  [/power button/, 'power-button'],
  [/reset pin|shutdown pin/, 'reset-pin'],
  [/remote ASF/, 'remote'],
  [/CPU shutdown event/, 'cpu-shutdown'],
  [/sync flood|parity error|handshake|failed to boot/, 'error'],
  [/software|CF9|PCI reset/i, 'software'],
  [/power/i, 'power'],
];

/**
 * Why the machine was reset, as the lines of the present kernel's log say it. Null where they do not, or name several
 * reasons: the register keeps some of earlier resets.
 */
export function resetReasonIn(kernelLog: readonly string[]): ResetReason | null {
  const reasons = new Set<ResetReason>();
  for (const line of kernelLog) {
    const said = /Previous system reset reason \[0x[\da-f]+\]: (.*)$/.exec(line)?.[1];
    const reason = said === undefined ? undefined : reasonWords.find(([words]) => words.test(said));
    if (reason) reasons.add(reason[1]);
  }
  const [only = null, ...more] = reasons;
  return more.length === 0 ? only : null;
}

/** When the present kernel started, in milliseconds since the epoch; null where /proc/stat does not say it. */
export function startedMsOf(tree: SystemTree): number | null {
  const seconds = /^btime (\d{1,12})$/m.exec(tree.read('/proc/stat') ?? '')?.[1];
  return seconds === undefined ? null : Number(seconds) * 1000;
}

export interface Traces {
  readonly status: WatchdogStatus;
  readonly reason: ResetReason | null;
  /** The capture environment came to its own end: the dump is finished, or it said that it reboots. */
  readonly captureEnded: boolean;
  /** Null where no watchdog was left running. */
  readonly watchdogTimeoutMs: number | null;
  /** From the arming to the present kernel's start; null or negative where clocks do not tell. */
  readonly downMs: number | null;
}

/**
 * How the run ended. A finished capture is followed by its own reboot, unless the watchdog came first: that is excluded
 * where a watchdog that reports says so, where none ran, or where its time was not over.
 */
export function exitOf(t: Traces): Extract<Evidence['exit'], 'watchdog' | 'reboot' | 'restart'> {
  if (t.status === 'reset' || t.reason === 'watchdog') return 'watchdog';
  if (!t.captureEnded) return 'restart';
  const tooEarly = t.downMs !== null && t.downMs >= 0 && t.downMs < (t.watchdogTimeoutMs ?? 0);
  return t.status === 'clear' || t.watchdogTimeoutMs === null || tooEarly ? 'reboot' : 'restart';
}
