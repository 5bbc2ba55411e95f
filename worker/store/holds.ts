/** What is held back: quarantines, and revocations by owners or operators. */
import type { SQL } from 'drizzle-orm';
import type { DecisionRow } from '../../schema/log/row.ts';
import { holds } from '../../schema/tables.ts';
import type { Draft } from '../log/draft.ts';
import { type EntryIndex, lastIndex, type StoredEntry, tryAppend } from './log.ts';
import type { Database, Statement, Store } from './open.ts';

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

/** Revokes a chain of keys from a log index on. Null where `isVoid` holds, or the same request was faster. */
export async function insertRevocation(
  store: Store,
  subject: DecisionRow['subject'],
  sinceIndex: number,
  draft: Draft,
  isVoid: SQL,
): Promise<StoredEntry | null> {
  return tryAppend(store, draft, [hold(store.db, 'revoked', subject, sinceIndex)], isVoid);
}
