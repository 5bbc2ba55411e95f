/** What follows from a decision, as statements of the batch that appends its entry. */
import { and, eq, inArray, isNull, sql } from 'drizzle-orm';
import type { DecisionRow } from '../../schema/log/row.ts';
import { holds, owners, trust } from '../../schema/tables.ts';
import type { Draft } from '../log/draft.ts';
import { hold } from './holds.ts';
import { cameSince, type EntryIndex, lastIndex, type StoredEntry, tryAppend } from './log.ts';
import { type Database, read, type Statement, type Store } from './open.ts';

/**
 * An owner and all whom it has invited, directly or not, by who vouched for each of them last. Also through those whose
 * trust has ended: who withdraws his data must not cut off from the root whom he has invited.
 */
function treeOf(owner: string) {
  return sql`(with recursive tree(owner) as (
    select ${owner} union select given.owner from trust as given join tree on given.invited_by = tree.owner
    where not exists (select 1 from trust as later
      where later.owner = given.owner and later.from_index > given.from_index)) select owner from tree)`;
}

/** Whether the trust in an owner stands, or in anybody whom it has invited, directly or not. */
export async function isTreeTrusted(store: Store, owner: string): Promise<boolean> {
  const rows = await read(store, (db) =>
    db
      .select({ owner: trust.owner })
      .from(trust)
      .where(and(inArray(trust.owner, treeOf(owner)), isNull(trust.until_index)))
      .limit(1),
  );
  return rows.length > 0;
}

/**
 * The statements that make a decision take effect from its entry on: the one that the same batch has just appended,
 * or one of a known index.
 */
export function consequencesOf(
  db: Database,
  { action, subject, from_index }: DecisionRow,
  nowMs: number,
  at: EntryIndex = lastIndex,
): Statement[] {
  const { kind, value } = subject;
  const held = (label: 'quarantined' | 'revoked', sinceIndex: number) =>
    hold(db, label, subject, sinceIndex, at);
  switch (action) {
    case 'reference':
    case 'vouch':
      return [
        db
          .update(trust)
          .set({ until_index: at })
          .where(and(eq(trust.owner, value), isNull(trust.until_index))),
        db.insert(trust).values({
          from_index: at,
          owner: value,
          label: action === 'vouch' ? 'vouched' : 'reference',
          invited_by: null,
          depth: 0,
          ordinal: null,
          since_ms: nowMs,
          until_index: null,
        }),
      ];
    case 'distrust':
      return [
        db
          .update(trust)
          .set({ until_index: at })
          .where(and(inArray(trust.owner, treeOf(value)), isNull(trust.until_index))),
      ];
    case 'quarantine':
      return [held('quarantined', 0)];
    case 'release':
      return [
        db
          .update(holds)
          .set({ until_index: at })
          .where(
            and(
              eq(holds.label, 'quarantined'),
              eq(holds.subject_kind, kind),
              eq(holds.subject, value),
              isNull(holds.until_index),
            ),
          ),
      ];
    case 'revoke':
      return [held('revoked', from_index ?? 0)];
  }
}

/** Whether a quarantine of the subject stands. */
export async function isQuarantined(
  store: Store,
  { subject }: Pick<DecisionRow, 'subject'>,
): Promise<boolean> {
  const rows = await read(store, (db) =>
    db
      .select({ from_index: holds.from_index })
      .from(holds)
      .where(
        and(
          eq(holds.label, 'quarantined'),
          eq(holds.subject_kind, subject.kind),
          eq(holds.subject, subject.value),
          isNull(holds.until_index),
        ),
      )
      .limit(1),
  );
  return rows.length > 0;
}

/** Whether an owner, by the first key of its chain, has withdrawn from `size` on. */
function leftSince(size: number, root: string) {
  return sql`exists (select 1 from ${owners} where ${owners.root} = ${root} and ${owners.withdrawn_index} >= ${size})`;
}

/**
 * Appends a decision with what follows from it. Null where it came after others that it was not judged by: from `size`,
 * the log's before that, on. Nothing was stored.
 */
export function insertDecision(
  store: Store,
  row: DecisionRow,
  draft: Draft,
  nowMs: number,
  size: number,
): Promise<StoredEntry | null> {
  const others = cameSince(size, ['decision', 'invite']);
  const isVoid =
    row.subject.kind === 'owner' ? sql`${others} or ${leftSince(size, row.subject.value)}` : others;
  return tryAppend(store, draft, consequencesOf(store.db, row, nowMs), isVoid);
}
