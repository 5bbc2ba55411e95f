/** Revocations by owners. */
import type { DecisionRow } from '../../schema/log/row.ts';
import { holds } from '../../schema/tables.ts';
import type { Draft } from '../log/draft.ts';
import { append, appendedEntry, lastIndex, type StoredEntry } from './log.ts';
import { type Store, write } from './open.ts';

/** Revokes a chain of keys from a log index on. */
export async function insertRevocation(
  store: Store,
  subject: DecisionRow['subject'],
  sinceIndex: number,
  draft: Draft,
): Promise<StoredEntry> {
  const { db } = store;
  const results = await write(store, [
    ...append(db, draft),
    db.insert(holds).values({
      from_index: lastIndex,
      label: 'revoked',
      subject_kind: subject.kind,
      subject: subject.value,
      since_index: sinceIndex,
      until_index: null,
    }),
  ]);
  return appendedEntry(results, draft);
}
