/** The rows of the fact table that one trial makes, as statements of the batch that admits it. */
import { facts } from '../../schema/tables.ts';
import { type EntryIndex, lastIndex } from './log.ts';
import type { Database, Statement } from './open.ts';

/** A fact, before its batch gives it an index. */
export type Fact = Omit<typeof facts.$inferInsert, 'log_index'>;

/** SQLite binds at most 32,766 values in one statement. */
const rowsPerStatement = 500;

/** The statements that insert facts under the entry that the same batch has just appended, or under a known index. */
export function insertFacts(
  db: Database,
  rows: readonly Fact[],
  logIndex: EntryIndex = lastIndex,
): Statement[] {
  const statements: Statement[] = [];
  for (let i = 0; i < rows.length; i += rowsPerStatement) {
    const chunk = rows.slice(i, i + rowsPerStatement);
    statements.push(db.insert(facts).values(chunk.map((row) => ({ ...row, log_index: logIndex }))));
  }
  return statements;
}
