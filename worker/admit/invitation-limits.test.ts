/** The limits of invitations, at their edges. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { faultOfInviting, type Inviter, invitationLimits } from './invitation-limits.ts';

const dayMs = 24 * 3600_000;
const nowMs = Date.parse('2026-11-21T12:00:00.000Z');
const owner = 'ab'.repeat(32);

/** Whom the operator has just trusted, and who has invited nobody. */
const fresh: Inviter = { depth: 0, sinceMs: nowMs, reports: 0, invitedAtMs: [] };
const daysAgo = (...days: number[]) => days.map((ago) => nowMs - ago * dayMs);

describe('an owner', () => {
  it.each<[string, Partial<Inviter>, RegExp | null]>([
    ['whom the operator trusts invites at once', {}, null],
    ['whom the operator trusts invites a second and a third time', { invitedAtMs: daysAgo(0, 0) }, null],
    [
      'has three invitations',
      { invitedAtMs: daysAgo(0, 0, 0) },
      /invited 3 in 90 days; the next may be from 2027-02-19T12/,
    ],
    ['has them within any 90 days', { invitedAtMs: daysAgo(89, 50, 1) }, /from 2026-11-22T12/],
    ['in whatever order they were read', { invitedAtMs: daysAgo(1, 89, 50) }, /from 2026-11-22T12/],
    ['invites again after exactly 90 days', { invitedAtMs: daysAgo(90, 50, 1) }, null],
    ['may have invited many long ago', { invitedAtMs: daysAgo(400, 400, 300, 200, 91, 90) }, null],
    [
      'that had more than the limit once waits for the third last',
      { invitedAtMs: daysAgo(80, 70, 60, 50) },
      /invited 4 in 90 days; the next may be from 2026-12-11T12/,
    ],
    ['invited after a clock that was set back counts too', { invitedAtMs: daysAgo(-5, -5, -5) }, /invited 3/],
    ['that was invited waits', { depth: 1, reports: 1 }, /may invite from 2026-12-05T12:00:00.000Z on/],
    [
      'that was invited waits 14 days',
      { depth: 1, reports: 1, sinceMs: nowMs - 14 * dayMs + 1 },
      /may invite from/,
    ],
    ['that was invited 14 days ago invites', { depth: 1, reports: 1, sinceMs: nowMs - 14 * dayMs }, null],
    ['that was invited has reported before', { depth: 1, sinceMs: nowMs - 99 * dayMs }, /no admitted report/],
    ['at the second depth invites', { depth: 2, reports: 1, sinceMs: nowMs - 99 * dayMs }, null],
    [
      'at the third depth does not',
      { depth: 3, reports: 99, sinceMs: nowMs - 99 * dayMs },
      /is 3 invitations from the operator/,
    ],
  ])('%s', (_, changes, words) => {
    const fault = faultOfInviting(owner, { ...fresh, ...changes }, nowMs);
    if (words === null) return expect(fault).toBeNull();
    expect(fault?.slug).toBe('invitations-used-up');
    expect(fault?.detail).toContain(owner);
    expect(fault?.detail).toMatch(words);
  });

  it('never has more than the limit within any window, however it tries', () => {
    const tries = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 60 });
    fc.assert(
      fc.property(tries, (days) => {
        const invitedAtMs: number[] = [];
        for (const day of days.toSorted((a, b) => a - b))
          if (faultOfInviting(owner, { ...fresh, invitedAtMs }, day * dayMs) === null)
            invitedAtMs.push(day * dayMs);
        return invitedAtMs.every(
          (atMs) =>
            invitedAtMs.filter((other) => other > atMs - invitationLimits.withinMs && other <= atMs).length <=
            invitationLimits.most,
        );
      }),
    );
  });

  it('may invite exactly when it was told', () => {
    const inviters = fc.record({
      depth: fc.integer({ min: 0, max: 2 }),
      sinceMs: fc.integer({ min: nowMs - 30 * dayMs, max: nowMs }),
      reports: fc.constant(1),
      invitedAtMs: fc.array(fc.integer({ min: nowMs - 90 * dayMs, max: nowMs }), { maxLength: 5 }),
    });
    fc.assert(
      fc.property(inviters, (inviter) => {
        let atMs = nowMs;
        // One limit at a time is told: after the first there may be another.
        for (let i = 0; i < 3; i++) {
          const told = /from (\S+) on/.exec(faultOfInviting(owner, inviter, atMs)?.detail ?? '')?.[1];
          if (told === undefined) return true;
          expect(faultOfInviting(owner, inviter, Date.parse(told) - 1)).not.toBeNull();
          atMs = Date.parse(told);
        }
        return faultOfInviting(owner, inviter, atMs) === null;
      }),
    );
  });
});
