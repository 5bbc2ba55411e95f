/** Invitations: who vouched for whom, and how often. */
import { and, eq, isNull, sql } from 'drizzle-orm';
import { reports, tickets, trust } from '../../schema/tables.ts';
import type { Inviter } from '../admit/invitation-limits.ts';
import type { Draft } from '../log/draft.ts';
import { isHeld } from './holds.ts';
import { type EntryIndex, lastIndex, type StoredEntry, tryAppend } from './log.ts';
import { type Database, read, type Statement, type Store } from './open.ts';
import type { TrustRow } from './trust.ts';

/** When the earlier invitations of an owner were admitted. */
export async function invitedAtMs(store: Store, owner: string): Promise<number[]> {
  const invited = await read(store, (db) =>
    db.select({ at: trust.since_ms }).from(trust).where(eq(trust.invited_by, owner)),
  );
  return invited.map(({ at }) => at);
}

/** What the limits ask of an owner whose trust stands. */
export async function inviterOf(store: Store, given: TrustRow): Promise<Inviter> {
  const { owner, depth, since_ms } = given;
  const counted = await read(store, (db) =>
    db
      .select({ count: sql<number>`count(*)` })
      .from(reports)
      .innerJoin(tickets, eq(tickets.nonce, reports.nonce))
      .where(eq(tickets.owner, owner)),
  );
  return {
    depth,
    sinceMs: since_ms,
    reports: counted[0]?.count ?? 0,
    invitedAtMs: await invitedAtMs(store, owner),
  };
}

/** The statement by which an owner whose trust stands vouches for another one. */
export function vouchFor(
  db: Database,
  given: Pick<TrustRow, 'owner' | 'depth'>,
  invited: string,
  ordinal: number,
  nowMs: number,
  at: EntryIndex = lastIndex,
): Statement {
  return db.insert(trust).values({
    from_index: at,
    owner: invited,
    label: 'vouched',
    invited_by: given.owner,
    depth: given.depth + 1,
    ordinal,
    since_ms: nowMs,
    until_index: null,
  });
}

/**
 * Vouches for an owner. Null where that is no longer to be judged as it was: the inviter has invited somebody else, is
 * held back or trusted no longer, or somebody trusts the invited one. Nothing was stored.
 */
export function insertInvitation(
  store: Store,
  given: TrustRow,
  invited: string,
  ordinal: number,
  draft: Draft,
  nowMs: number,
): Promise<StoredEntry | null> {
  const stands = and(eq(trust.from_index, given.from_index), isNull(trust.until_index));
  const isTrusted = and(eq(trust.owner, invited), isNull(trust.until_index));
  const inviter = { kind: 'owner', value: given.owner } as const;
  const isVoid = sql`not exists (select 1 from ${trust} where ${stands})
    or exists (select 1 from ${trust} where ${isTrusted}) or ${isHeld(['quarantined', 'revoked'], [inviter])}`;
  return tryAppend(store, draft, [vouchFor(store.db, given, invited, ordinal, nowMs)], isVoid);
}
