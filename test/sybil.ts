/**
 * What it costs to have many trusted owners, for whoever has one: asked of the limits of invitations themselves, for an
 * attacker who does everything as early as he may. docs/threat-model.md shows the table.
 */
import { faultOfInviting, type Inviter, invitationLimits } from '../worker/admit/invitation-limits.ts';

const dayMs = 24 * 3600_000;

/** What so many trusted owners cost. */
export interface Cost {
  readonly days: number;
  /** Reports that must be admitted first, of machines of invented owners. A forged one does. */
  readonly reports: number;
}

/**
 * The cost of `wanted` trusted owners, the first of them at this depth of the tree and in the attacker's hands, trusted
 * for long, with a report and without any invitation in the last 90 days. Null where it cannot be had at all.
 */
export function costOf(wanted: number, depth: number): Cost | null {
  const owners: Inviter[] = [{ depth, sinceMs: -invitationLimits.waitMs, reports: 1, invitedAtMs: [] }];
  let reports = 0;
  // Everything becomes possible on some whole day: all limits are whole days.
  for (let day = 0; day <= 3650; day++) {
    for (let i = 0; i < owners.length; i++) {
      const atMs = day * dayMs;
      const isAbleWith = (count: number) =>
        faultOfInviting('', { ...owners[i], reports: count } as Inviter, atMs) === null;
      while (owners.length < wanted) {
        const inviter = owners[i] as Inviter;
        if (!isAbleWith(invitationLimits.reports)) break;
        if (inviter.reports < invitationLimits.reports) {
          reports += invitationLimits.reports;
          owners[i] = { ...inviter, reports: invitationLimits.reports };
          continue;
        }
        owners[i] = { ...inviter, invitedAtMs: [...inviter.invitedAtMs, atMs] };
        owners.push({ depth: inviter.depth + 1, sinceMs: atMs, reports: 0, invitedAtMs: [] });
      }
    }
    if (owners.length >= wanted) return { days: day, reports };
  }
  return null;
}

/** The rows of the table: a depth, then days and reports for 3 and for 20 owners, those the survey's figures turn on. */
export function costTable(): string[] {
  const inWords = (cost: Cost | null) =>
    cost === null ? 'never' : `${cost.days} days, ${cost.reports} reports`;
  const depths = Array.from({ length: invitationLimits.depth + 1 }, (_, depth) => depth);
  return depths.map((depth) => `| ${depth} | ${inWords(costOf(3, depth))} | ${inWords(costOf(20, depth))} |`);
}
