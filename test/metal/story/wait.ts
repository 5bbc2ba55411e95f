/** Waiting for a guest that goes on by itself. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { DebianGuest } from '../guest/guest.ts';

/**
 * Looks every few seconds until `look` gives something but null. Throws after `withinMs`, with what was waited for and the
 * last lines of the console; and at once where the guest's emulator has ended.
 */
export async function waitFor<T>(
  guest: DebianGuest,
  what: string,
  withinMs: number,
  look: () => Promise<T | null>,
): Promise<T> {
  let isOver = false;
  guest.ended.then(() => {
    isOver = true;
  });
  for (const until = performance.now() + withinMs; performance.now() < until; await sleep(2000)) {
    const found = await look();
    if (found !== null) return found;
    if (isOver) throw new Error(`the guest is off, and this was waited for: ${what}`);
  }
  const tail = guest.console.slice(-30).map(({ text }) => text);
  throw new Error(`not within ${withinMs / 1000} s: ${what}\n${tail.join('\n')}`);
}
