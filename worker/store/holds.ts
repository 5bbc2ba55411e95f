/** What is held back: quarantines, and revocations by owners or operators. */
import type { DecisionRow } from '../../schema/log/row.ts';
import { holds } from '../../schema/tables.ts';
import type { Draft } from '../log/draft.ts';
import { append, appendedEntry, type EntryIndex, lastIndex, type StoredEntry } from './log.ts';
import { type Database, type Statement, type Store, write } from './open.ts';

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

/** Revokes a chain of keys from a log index on. */
export async function insertRevocation(
  store: Store,
  subject: DecisionRow['subject'],
  sinceIndex: number,
  draft: Draft,
): Promise<StoredEntry> {
  const { db } = store;
  const results = await write(store, [...append(db, draft), hold(db, 'revoked', subject, sinceIndex)]);
  return appendedEntry(results, draft);
}
