/** Which facts an edition is made of. Shared by every query whose answer belongs to an edition. */
import { and, eq, inArray, lt, or, type SQL, sql } from 'drizzle-orm';
import { facts } from '../../schema/tables.ts';
import { type Mechanism, mechanisms, namesOf } from '../../schema/vocabulary.ts';

/** What of an edition decides which rows it covers. */
export interface Coverage {
  readonly log_size: number;
  readonly cut_off_ms: number;
}

/** A mechanism that keeps only a log never enters a table of captures. */
const dumpMechanisms: readonly Mechanism[] = namesOf(mechanisms).filter(
  (name) => mechanisms[name].captures === 'dump',
);

/**
 * Facts of reports below the log size, and facts of armed notes whose deadline has passed and whose trial has no
 * report below the log size: those stand for `no_reply`.
 */
export function visibleAt({ log_size, cut_off_ms }: Coverage): SQL | undefined {
  const silent = sql`not exists (
    select 1 from facts as later
    where later.nonce = ${facts.nonce} and later.kind = 'report' and later.log_index < ${log_size})`;
  return and(
    lt(facts.log_index, log_size),
    inArray(facts.mechanism, [...dumpMechanisms]),
    or(eq(facts.kind, 'report'), and(lt(facts.report_by_ms, cut_off_ms), silent)),
  );
}
