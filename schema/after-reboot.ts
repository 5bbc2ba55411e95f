/**
 * What a real machine finds of a trial once it is up again. Nobody watched it: all that is known is what the capture
 * environment, the firmware and the hardware left behind. Facts only; `classify` says what follows from them.
 */
import * as z from 'zod';
import { envelope } from './envelope.ts';
import { namesOf } from './vocabulary.ts';

/** Whose tools wrote the directory of dumps, which decides what its names mean. */
export const dumpLayouts = {
  debian: 'kdump-tools: /var/crash/STAMP/{dump.STAMP,dmesg.STAMP,dump-incomplete}',
  fedora: 'kdump-utils: /var/crash/HOST-DATE/{vmcore,vmcore-incomplete,vmcore-dmesg.txt,kexec-dmesg.log}',
  suse: 'kdump: /var/crash/DATE/{vmcore,dmesg,README.txt}',
} as const;
export type DumpLayout = keyof typeof dumpLayouts;

/** What lies in the directory of dumps that was not there when the trial was armed. */
export const dumpStates = {
  none: 'it was read, and nothing has come since',
  incomplete: 'a dump that the tool itself marks as unfinished, or a directory without one',
  complete: "a dump under the name that the tool gives to a finished one: no more than the tool's own word",
  elsewhere: 'this machine sends its dumps to another one',
  unreadable: 'it could not be read: nothing is known',
} as const;
export type DumpState = keyof typeof dumpStates;

/** What the hardware watchdogs say of the last start (`bootstatus`, WDIOF_CARDRESET). */
export const watchdogStatuses = {
  reset: 'a watchdog says that it reset the machine',
  clear: 'a watchdog that is known to report resets says that there was none',
  'not-reported': 'there is none that reports',
} as const;
export type WatchdogStatus = keyof typeof watchdogStatuses;

/** Why the machine was reset, where its firmware or processor keeps that and the kernel prints it. */
export const resetReasons = {
  watchdog: 'a hardware watchdog expired',
  software: 'software asked for it',
  'cpu-shutdown': 'the processor shut down: a triple fault',
  'reset-pin': 'a reset button or pin',
  'power-button': 'the power button was held',
  power: 'the power went away',
  thermal: 'it was too hot',
  remote: 'a remote management command',
  error: 'a hardware error',
} as const;
export type ResetReason = keyof typeof resetReasons;

export const afterReboot = z.strictObject({
  /** Null where no layout was recognized. */
  layout: z.enum(namesOf(dumpLayouts)).nullable(),
  dump_state: z.enum(namesOf(dumpStates)),
  watchdog_status: z.enum(namesOf(watchdogStatuses)),
  /** Null where nothing says it. */
  reset_reason: z.enum(namesOf(resetReasons)).nullable(),
  /** Records that pstore holds and did not hold when the trial was armed. */
  pstore_records: z.int().min(0).max(10_000),
  /** Whether the capture kernel's own log was kept beside the dump. */
  capture_log_found: z.boolean(),
  /**
   * Of a dump that lies elsewhere: what the verifier there found, signed by the key of the receiving side. Its
   * payload is a `findingBody` whose `dump` is the evidence's. Null where there is none; then nobody vouches for it.
   */
  receiver: envelope.nullable(),
});
export type AfterReboot = z.infer<typeof afterReboot>;
