/**
 * How far trust spreads by invitations. Each limit makes a crowd of invented owners slow and visible: they hang on one
 * tree, which one decision ends.
 */
import type { Fault } from '../refusal.ts';

export const invitationLimits = {
  /** Invitations of one owner within `withinMs`. */
  most: 3,
  withinMs: 90 * 24 * 3600_000,
  /** How long an owner must have been trusted; whom the operator trusts may invite at once. */
  waitMs: 14 * 24 * 3600_000,
  /** Reports that the owner's machines must have had admitted; of whom the operator trusts none is asked. */
  reports: 1,
  /** Invitations between the operator and an owner. */
  depth: 3,
} as const;

/** What is known of who invites. */
export interface Inviter {
  /** 0 where the operator, or the survey, gave the trust. */
  readonly depth: number;
  readonly sinceMs: number;
  readonly reports: number;
  /** When its earlier invitations were admitted. */
  readonly invitedAtMs: readonly number[];
}

/** Why this owner may not invite now, or null. */
export function faultOfInviting(owner: string, inviter: Inviter, nowMs: number): Fault | null {
  const refused = (detail: string): Fault => ({
    slug: 'invitations-used-up',
    detail: `Owner ${owner} ${detail}`,
  });
  const { most, withinMs, waitMs, reports, depth } = invitationLimits;
  if (inviter.depth >= depth)
    return refused(`is ${inviter.depth} invitations from the operator, and invites nobody.`);
  if (inviter.depth > 0 && nowMs < inviter.sinceMs + waitMs) {
    return refused(`may invite from ${new Date(inviter.sinceMs + waitMs).toISOString()} on.`);
  }
  if (inviter.depth > 0 && inviter.reports < reports) {
    return refused(`has no admitted report yet, and invites nobody before.`);
  }
  const recent = inviter.invitedAtMs.filter((atMs) => atMs > nowMs - withinMs).sort((a, b) => a - b);
  const oldest = recent[recent.length - most];
  if (oldest === undefined) return null;
  return refused(
    `invited ${recent.length} in 90 days; the next may be from ${new Date(oldest + withinMs).toISOString()} on.`,
  );
}
