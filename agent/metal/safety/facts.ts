/** What is known of this machine when it is decided whether it may be crashed. Gathered by `gather.ts`; nothing here does I/O. */
import type { lockdowns } from '../../../schema/profile.ts';
import type { Family } from '../../machine/distribution.ts';
import type { FileSystemFault } from '../../machine/storage-health.ts';
import type { DumpTarget } from '../../machine/target.ts';

export interface SafetyFacts {
  /** Whose kdump tooling the machine has; null: none that the agent knows. */
  readonly family: Family | null;
  /** Whether the owner agreed to the text as this agent shows it. */
  readonly consent: boolean;
  /** The words of the kernel's command line. */
  readonly commandLine: readonly string[];
  readonly nowMs: number;
  /** Null where there is no battery, or nothing that says what feeds the machine. */
  readonly onBattery: boolean | null;
  /** Sessions of users beside the one that this was started from; null: nothing could say. */
  readonly otherSessionCount: number | null;
  /** Arrays that lack a disk or are being rebuilt, in words. */
  readonly brokenArrays: readonly string[];
  readonly fileSystemFaults: readonly FileSystemFault[];
  readonly target: DumpTarget;
  /** Whether a management controller (BMC) is there: some share a network card with the host. */
  readonly hasBmc: boolean;
  readonly lockdown: (typeof lockdowns)[number];
  readonly isCrashKernelLoaded: boolean;
  /** Whether the kernel would write its log into firmware's memory (NVRAM) when it panics: EFI variables or ERST. */
  readonly keepsLogInFirmware: boolean;
  /** `crash_kexec_post_notifiers`: the log is kept first, and the capture kernel started after that. */
  readonly notifiersFirst: boolean;
  /** Of the dump target; null where it cannot be told. */
  readonly freeBytes: number | null;
  /** How large a dump may become, at the most that is likely. */
  readonly dumpBytes: number;
}

/** What earlier trials on this machine have proven. */
export interface SafetyHistory {
  /** A watchdog really reset the machine. */
  readonly watchdogProven: boolean;
}
