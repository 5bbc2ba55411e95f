/**
 * The proof of a watchdog: a real reset by it, seen from the next start. Only then are scenarios run from which nothing
 * else brings the machine back. Pure, but for keeping the file.
 */
import * as z from 'zod';
import { writeDurably } from '../durable.ts';
import { type MetalPaths, readState } from './state.ts';

const watchdogProof = z.strictObject({
  version: z.literal(1),
  /** `interrupted`: the system was shut down, or the agent ended, while it waited for the reset. */
  state: z.enum(['trying', 'proven', 'failed', 'interrupted']),
  /** The boot in which it was started and left alone. */
  boot_id: z.string().max(60),
  at_ms: z.int(),
  /** The name in /sys/class/watchdog, and what it says it is. */
  device: z.string().max(40),
  identity: z.string().max(100),
  timeout_ms: z.int().min(1000),
  /** How it was judged, in words; null while it is tried. */
  why: z.string().max(300).nullable(),
});
export type WatchdogProof = z.infer<typeof watchdogProof>;

/** What the machine says after it, of the device that was tried. */
export interface AfterAttempt {
  readonly bootId: string;
  readonly nowMs: number;
  /** How long this kernel has been up, by a clock that never jumps. */
  readonly uptimeMs: number;
  /** `bootstatus` of the device: null where it cannot be read. */
  readonly bootStatus: number | null;
}

/** WDIOF_CARDRESET of include/uapi/linux/watchdog.h: the card reset the CPU. */
export const cardReset = 0x20;

/** A reset may be this much later than the timeout says: hardware counts in ticks of its own, and firmware takes its time. */
const slackMs = 5 * 60_000;

/** What an attempt has come to. Gives it unchanged while it may still succeed. */
export function judgeAttempt(attempt: WatchdogProof, after: AfterAttempt): WatchdogProof {
  if (attempt.state !== 'trying') return attempt;
  const judged = (state: WatchdogProof['state'], why: string): WatchdogProof => ({ ...attempt, state, why });
  const seconds = Math.round(attempt.timeout_ms / 1000);
  if (after.bootId === attempt.boot_id) {
    const overdue = after.nowMs - attempt.at_ms > attempt.timeout_ms + slackMs;
    return overdue ? judged('failed', `it did not reset the machine within ${seconds} s and more`) : attempt;
  }
  if (after.bootStatus !== null && (after.bootStatus & cardReset) !== 0)
    return judged('proven', 'it reset the machine, and says so itself');
  const startedAfterMs = after.nowMs - after.uptimeMs - attempt.at_ms;
  // Not every driver can say that it did it (iTCO_wdt never does); then the time must fit.
  if (startedAfterMs >= attempt.timeout_ms / 2 && startedAfterMs <= 2 * attempt.timeout_ms + slackMs)
    return judged(
      'proven',
      `the machine came back ${Math.round(startedAfterMs / 1000)} s after it was left alone`,
    );
  return judged(
    'interrupted',
    `the machine started ${Math.round(startedAfterMs / 1000)} s after it was left alone: that was not its timeout of ${seconds} s`,
  );
}

/** The proof of this machine, or null. Throws Advice where the file is damaged. */
export function readProof({ watchdog }: Pick<MetalPaths, 'watchdog'>): Promise<WatchdogProof | null> {
  return readState(watchdog, watchdogProof, [`rm ${watchdog}`]);
}

/** Keeps it durably. The directory must be there. */
export function writeProof({ watchdog }: Pick<MetalPaths, 'watchdog'>, proof: WatchdogProof): Promise<void> {
  return writeDurably(watchdog, `${JSON.stringify(watchdogProof.parse(proof))}\n`);
}
