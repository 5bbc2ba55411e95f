/**
 * The boot-loop guard: a machine that starts again and again, and not because the agent crashed it, is not crashed any
 * more until its owner has looked. Pure.
 */

/** One start of this machine, as the agent saw it first. */
export interface Start {
  /** The kernel's boot id: names the start whatever the clock says. */
  readonly boot_id: string;
  /** When the agent saw it, in milliseconds since the epoch. */
  readonly at_ms: number;
  /** Whether the agent had crashed the machine, let its watchdog reset it, or ordered the reboot. */
  readonly expected: boolean;
}

/** So many starts in a row that nobody ordered, this close together, are a loop. */
export const loopStarts = 3;
export const loopWithinMs = 30 * 60_000;

/** A day has room for the budget, and for so many starts beside it. */
export const otherStartsPerDay = 6;
const dayMs = 24 * 3600_000;

/** Why this machine is to be left alone, or null. `starts` are all that were seen since the owner last looked, oldest first. */
export function guardOf(starts: readonly Start[], trialsPerDay: number, nowMs: number): string | null {
  const last = starts.slice(-loopStarts);
  const [first] = last;
  const spanMs = nowMs - (first?.at_ms ?? nowMs);
  // A clock that was set back says nothing of how close together they were: three in a row are then enough.
  if (last.length === loopStarts && last.every(({ expected }) => !expected) && spanMs <= loopWithinMs) {
    const minutes = Math.max(1, Math.round(Math.abs(spanMs) / 60_000));
    return `this machine started ${loopStarts} times in a row within ${minutes} min, and the agent had not crashed it`;
  }
  const most = trialsPerDay + otherStartsPerDay;
  const today = starts.filter(({ at_ms }) => Math.min(at_ms, nowMs) > nowMs - dayMs).length;
  return today > most
    ? `this machine started ${today} times within a day; more than ${most} are too many`
    : null;
}
