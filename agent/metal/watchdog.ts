/**
 * The hardware watchdog of a trial: it brings a machine back that hangs, in the crashed kernel or in the capture
 * kernel. It is started right before the arming and not fed any more. Hardware goes on counting through kexec (the
 * i6300esb does, unless the capture kernel has its driver and something feeds it), so its time must be longer than the
 * capture takes; drivers that stop it as they are loaded there leave the capture kernel without it.
 */
import type { SystemTree } from '../machine/tree.ts';
import type { System } from './system.ts';

export interface Watchdog {
  /** The name in /sys/class/watchdog, and in /dev. */
  readonly name: string;
  readonly identity: string;
  /** Seconds; null where the driver does not say. */
  readonly timeoutS: number | null;
  readonly maxTimeoutS: number | null;
  /** It cannot be stopped once it runs. */
  readonly noWayOut: boolean;
}

function numberIn(tree: SystemTree, path: string): number | null {
  const text = tree.read(path)?.trim() ?? '';
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}

/** A watchdog that is only software: a kernel that hangs with interrupts off takes it along. */
const softwareOnly = /software watchdog/i;

/** The hardware watchdogs of a system, as sysfs lists them. */
export function watchdogsOf(tree: SystemTree): Watchdog[] {
  return tree
    .list('/sys/class/watchdog')
    .filter((name) => /^watchdog\d+$/.test(name))
    .map((name) => {
      const at = `/sys/class/watchdog/${name}`;
      return {
        name,
        identity: (tree.read(`${at}/identity`) ?? 'unknown').slice(0, 100),
        timeoutS: numberIn(tree, `${at}/timeout`),
        maxTimeoutS: numberIn(tree, `${at}/max_timeout`),
        noWayOut: numberIn(tree, `${at}/nowayout`) === 1,
      };
    })
    .filter(({ identity }) => !softwareOnly.test(identity));
}

/** `bootstatus` of a watchdog (WDIOF_* flags), or null where it cannot be read. */
export function bootStatusOf(tree: SystemTree, name: string): number | null {
  return numberIn(tree, `/sys/class/watchdog/${name}/bootstatus`);
}

/** As long as a capture may take where nothing is known of how long it does. */
export const unknownCaptureMs = 600_000;
const leastMs = 180_000;

/** The timeout for a trial, in milliseconds: three times the longest capture that was seen, and a minute. */
export function timeoutForTrialMs(capturesMs: readonly number[]): number {
  if (capturesMs.length === 0) return unknownCaptureMs;
  return Math.max(leastMs, 3 * Math.max(...capturesMs) + 60_000);
}

/** So long a watchdog waits that is tried: a person must be able to see what happens. */
export const proofTimeoutMs = 60_000;

/**
 * Sets the timeout of a watchdog, and gives what it is then, in milliseconds; null where the driver does not take one
 * of at least `leastWantedMs`. util-linux' wdctl does the ioctl that a file cannot do.
 */
export async function setTimeoutOf(
  { tree, programs }: Pick<System, 'tree' | 'programs'>,
  dog: Watchdog,
  wantedMs: number,
  leastWantedMs = wantedMs,
): Promise<number | null> {
  const wantedS = Math.ceil(Math.min(wantedMs / 1000, dog.maxTimeoutS || Number.POSITIVE_INFINITY));
  // Whoever opens one that cannot be stopped has started it: its timeout stays what it is.
  if (dog.noWayOut)
    return dog.timeoutS !== null && 1000 * dog.timeoutS >= leastWantedMs ? 1000 * dog.timeoutS : null;
  const set = await programs('wdctl', ['-s', String(wantedS), `/dev/${dog.name}`]);
  const after = watchdogsOf(tree).find(({ name }) => name === dog.name);
  const gotMs = 1000 * (after?.timeoutS ?? (set.code === 0 ? wantedS : 0));
  return gotMs >= leastWantedMs && gotMs > 0 ? gotMs : null;
}
