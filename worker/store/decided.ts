/** The entries that decided something about keys and data, as they are listed. */
import { and, desc, eq, inArray, isNotNull, lt } from 'drizzle-orm';
import { type DecidedEntry, decidedEntry } from '../../schema/answer/decisions.ts';
import { logEntry } from '../../schema/log/entry.ts';
import { envelopes, logEntries } from '../../schema/tables.ts';
import { read, type Store } from './open.ts';

/** At most `count` of them below a log index, newest first. `ownKey` is the log's: what it signs follows by rule. */
export async function decidedBelow(
  store: Store,
  logIndex: number,
  count: number,
  ownKey: string,
): Promise<DecidedEntry[]> {
  const found = await read(store, (db) =>
    db
      .select({
        log_index: logEntries.log_index,
        kind: logEntries.kind,
        entry: logEntries.entry,
        row: logEntries.row,
        key: envelopes.key,
      })
      .from(logEntries)
      .leftJoin(envelopes, eq(envelopes.hash, logEntries.envelope_hash))
      .where(
        and(
          lt(logEntries.log_index, logIndex),
          inArray(logEntries.kind, ['decision', 'invite', 'revoke', 'withdraw']),
          isNotNull(logEntries.row),
        ),
      )
      .orderBy(desc(logEntries.log_index))
      .limit(count),
  );
  return found.map(({ log_index, kind, entry, row, key }) =>
    decidedEntry.parse({
      log_index,
      admitted_at: logEntry.parse(JSON.parse(entry)).admitted_at,
      kind,
      ...(kind === 'decision' ? { by: key === ownKey ? 'rule' : 'operator' } : {}),
      row: JSON.parse(row ?? 'null'),
    }),
  );
}
