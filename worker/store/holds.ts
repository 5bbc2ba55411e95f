/** Revocations by owners. */
import type { DecisionRow } from '../../schema/log/row.ts';
import { holds } from '../../schema/tables.ts';
import type { Draft } from '../log/draft.ts';
import { lastIndex, type StoredEntry, tryAppend } from './log.ts';
import type { Store } from './open.ts';

/** Revokes a chain of keys from a log index on. Null where the same request was faster: nothing was stored. */
export async function insertRevocation(
  store: Store,
  subject: DecisionRow['subject'],
  sinceIndex: number,
  draft: Draft,
): Promise<StoredEntry | null> {
  const { db } = store;
  return tryAppend(store, draft, [
    db.insert(holds).values({
      from_index: lastIndex,
      label: 'revoked',
      subject_kind: subject.kind,
      subject: subject.value,
      since_index: sinceIndex,
      until_index: null,
    }),
  ]);
}
