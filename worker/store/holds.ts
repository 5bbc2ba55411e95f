/** What is held back: quarantines, and revocations by owners or operators. */
import { and, eq, inArray, isNull, or, type SQL, sql } from 'drizzle-orm';
import type { DecisionRow } from '../../schema/log/row.ts';
import { holds } from '../../schema/tables.ts';
import type { Draft } from '../log/draft.ts';
import { type EntryIndex, lastIndex, type StoredEntry, tryAppend } from './log.ts';
import type { Database, Statement, Store } from './open.ts';
import type { HoldRow } from './trust.ts';

/** The statement that holds a subject back from its entry on, for what was reported from `sinceIndex` on. */
export function hold(
  db: Database,
  label: 'quarantined' | 'revoked',
  subject: DecisionRow['subject'],
  sinceIndex: number,
  at: EntryIndex = lastIndex,
): Statement {
  return db.insert(holds).values({
    from_index: at,
    label,
    subject_kind: subject.kind,
    subject: subject.value,
    since_index: sinceIndex,
    until_index: null,
  });
}

/** Whether one of some subjects is held back by one of some labels. */
export function isHeld(
  labels: readonly HoldRow['label'][],
  subjects: readonly DecisionRow['subject'][],
): SQL {
  const any = subjects.map(({ kind, value }) => and(eq(holds.subject_kind, kind), eq(holds.subject, value)));
  return sql`exists (select 1 from ${holds}
    where ${and(inArray(holds.label, [...labels]), isNull(holds.until_index), or(...any))})`;
}

/** Revokes a chain of keys from a log index on. Null where the same request was faster: nothing was stored. */
export function insertRevocation(
  store: Store,
  subject: DecisionRow['subject'],
  sinceIndex: number,
  draft: Draft,
): Promise<StoredEntry | null> {
  return tryAppend(store, draft, [hold(store.db, 'revoked', subject, sinceIndex)]);
}
