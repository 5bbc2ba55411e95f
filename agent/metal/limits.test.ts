import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextCrashMs, spentOf } from './budget.ts';
import { guardOf, type Start } from './guard.ts';
import { type AfterAttempt, cardReset, judgeAttempt, type WatchdogProof } from './proof.ts';

const nowMs = Date.parse('2026-11-24T12:00:00Z');
const minuteMs = 60_000;
const dayMs = 24 * 3600_000;

describe('the daily budget', () => {
  it.each<[string, number[], number]>([
    ['nothing was crashed', [], 0],
    ['some of it is left', [-1, -2, -3], 0],
    ['it is spent: until the oldest is a day old', [-1, -2, -3, -20], 4],
    ['older ones do not count', [-1, -2, -3, -25, -30], 0],
    ['the clock was set back: crashes of the future count as of now', [5, 6, 7, 8], 24],
  ])('where %s', (_, hours, waitHours) => {
    const crashes = hours.map((h) => nowMs + h * 3600_000);
    expect(nextCrashMs(crashes, 4, nowMs) - nowMs).toBe(waitHours * 3600_000);
  });

  it('never lets more crashes happen within a day than it says, whatever the order', () => {
    const anyCrashes = fc.array(fc.integer({ min: -3 * dayMs, max: dayMs }), { maxLength: 20 });
    fc.assert(
      fc.property(anyCrashes, fc.integer({ min: 1, max: 8 }), (offsets, perDay) => {
        const crashes = offsets.map((o) => nowMs + o);
        const at = nextCrashMs(crashes, perDay, nowMs);
        expect(at).toBeGreaterThanOrEqual(nowMs);
        expect(at).toBeLessThanOrEqual(nowMs + dayMs);
        expect(at === nowMs).toBe(spentOf(crashes, nowMs) < perDay);
        const past = crashes.map((c) => Math.min(c, nowMs));
        expect(past.filter((c) => c > at - dayMs).length).toBeLessThan(perDay);
      }),
    );
  });
});

describe('the boot-loop guard', () => {
  const starts = (...list: (readonly [minutes: number, expected: boolean])[]): Start[] =>
    list.map(([minutes, expected], i) => ({ boot_id: `b${i}`, at_ms: nowMs + minutes * minuteMs, expected }));

  it.each<[string, Start[], boolean]>([
    ['three in a row that nobody ordered', starts([-20, false], [-10, false], [0, false]), true],
    ['of which one is a crash of the agent', starts([-20, false], [-10, true], [0, false]), false],
    ['spread over hours', starts([-200, false], [-100, false], [0, false]), false],
    ['with a clock that was set back', starts([900, false], [910, false], [0, false]), true],
    ['two', starts([-10, false], [0, false]), false],
    [
      'crashes of the agent, as many as the budget allows',
      starts(...Array.from({ length: 10 }, (_, i) => [-60 * i, true] as const)),
      false,
    ],
    [
      'more starts in a day than the budget explains',
      starts(...Array.from({ length: 11 }, (_, i) => [-60 * i, true] as const)),
      true,
    ],
  ])('%s', (_, list, stops) => {
    const why = guardOf(list, 4, nowMs);
    expect(why !== null).toBe(stops);
    if (stops) expect(why).toMatch(/^this machine started \d+ times/);
  });
});

describe("a watchdog's proof", () => {
  const attempt: WatchdogProof = {
    version: 1,
    state: 'trying',
    boot_id: 'before',
    at_ms: nowMs,
    device: 'watchdog0',
    identity: 'i6300ESB timer',
    timeout_ms: minuteMs,
    why: null,
  };
  const seenAt = (
    bootId: string,
    seconds: number,
    uptimeSeconds: number,
    bootStatus: number | null,
  ): AfterAttempt => ({
    bootId,
    nowMs: nowMs + seconds * 1000,
    uptimeMs: uptimeSeconds * 1000,
    bootStatus,
  });

  it.each<[string, AfterAttempt, WatchdogProof['state']]>([
    ['it is still to come', seenAt('before', 30, 9000, 0), 'trying'],
    ['the machine was not reset', seenAt('before', 900, 9000, 0), 'failed'],
    ['it says that it did it', seenAt('later', 100, 20, cardReset), 'proven'],
    ['it cannot say it, and the time fits', seenAt('later', 100, 20, 0), 'proven'],
    ['it cannot be asked, and the time fits', seenAt('later', 100, 20, null), 'proven'],
    ['the machine was started anew too early', seenAt('later', 25, 20, 0), 'interrupted'],
    ['the machine came back much too late', seenAt('later', 9000, 20, 0), 'interrupted'],
    ['the clock was set back meanwhile', seenAt('later', -9000, 20, 0), 'interrupted'],
  ])('where %s', (_, seen, state) => {
    expect(judgeAttempt(attempt, seen).state).toBe(state);
  });

  it('is judged once', () => {
    const failed = { ...attempt, state: 'failed', why: 'it did not' } as const;
    expect(judgeAttempt(failed, seenAt('later', 100, 20, cardReset))).toBe(failed);
  });
});
