/** Revocations by owners. */
import type { SQL } from 'drizzle-orm';
import type { DecisionRow } from '../../schema/log/row.ts';
import { holds } from '../../schema/tables.ts';
import type { Draft } from '../log/draft.ts';
import { lastIndex, type StoredEntry, tryAppend } from './log.ts';
import type { Store } from './open.ts';

/** Revokes a chain of keys from a log index on. Null where `isVoid` holds, or the same request was faster. */
export async function insertRevocation(
  store: Store,
  subject: DecisionRow['subject'],
  sinceIndex: number,
  draft: Draft,
  isVoid: SQL,
): Promise<StoredEntry | null> {
  const { db } = store;
  const held = db.insert(holds).values({
    from_index: lastIndex,
    label: 'revoked',
    subject_kind: subject.kind,
    subject: subject.value,
    since_index: sinceIndex,
    until_index: null,
  });
  return tryAppend(store, draft, [held], isVoid);
}
