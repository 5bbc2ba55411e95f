/** Which facts an edition is made of. Shared by every query whose answer belongs to an edition. */
import { aliasedTable, and, eq, inArray, lt, or, type SQL, sql } from 'drizzle-orm';
import { facts, holds, trust } from '../../schema/tables.ts';
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

const later = aliasedTable(facts, 'later');

/** What a hold asks of a fact. */
type HeldBy = 'log_index' | 'machine' | 'owner' | 'agent_version' | 'scenario_set';

/** The owners whose trials count: those who are trusted by the entries below the log size. */
function trustedAt(logSize: number): SQL {
  return sql`${facts.owner} in (select ${trust.owner} from ${trust}
    where ${trust.from_index} < ${logSize} and (${trust.until_index} is null or ${trust.until_index} >= ${logSize}))`;
}

/** Whether an owner is the survey's own by the entries below the log size. */
export function isReferenceAt(logSize: number, owner: SQL): SQL {
  return sql`${owner} in (select ${trust.owner} from ${trust} where ${trust.label} = 'reference'
    and ${trust.from_index} < ${logSize} and (${trust.until_index} is null or ${trust.until_index} >= ${logSize}))`;
}

/** Facts that no quarantine and no revocation covers, by the entries below the log size. */
function notHeldAt(logSize: number, facts: Pick<typeof later, HeldBy>): SQL {
  return sql`not exists (select 1 from ${holds}
    where ${holds.from_index} < ${logSize} and (${holds.until_index} is null or ${holds.until_index} >= ${logSize})
      and ${holds.since_index} <= ${facts.log_index}
      and ((${holds.subject_kind} = 'machine' and ${holds.subject} = ${facts.machine})
        or (${holds.subject_kind} = 'owner' and ${holds.subject} = ${facts.owner})
        or (${holds.subject_kind} = 'agent_version' and ${holds.subject} = ${facts.agent_version})
        or (${holds.subject_kind} = 'scenario_set' and ${holds.subject} = ${facts.scenario_set})))`;
}

/**
 * Facts below the log size of trials that count: of trusted owners, not held back, no controls. A trial stands as its
 * newest report says; without one, as `no_reply` once the deadline of its armed note has passed. An amendment that is
 * held back takes nothing from the first report: whoever has stolen a key could unsay with it what was said before.
 */
export function visibleAt({ log_size, cut_off_ms }: Coverage): SQL | undefined {
  const replaced = sql`exists (
    select 1 from facts as later
    where ${later.nonce} = ${facts.nonce} and ${later.kind} = 'report' and ${later.log_index} < ${log_size}
      and (${facts.kind} = 'armed'
        or (${later.log_index} > ${facts.log_index} and ${notHeldAt(log_size, later)})))`;
  return and(
    lt(facts.log_index, log_size),
    eq(facts.control, false),
    inArray(facts.mechanism, [...dumpMechanisms]),
    or(eq(facts.kind, 'report'), lt(facts.report_by_ms, cut_off_ms)),
    sql`not ${replaced}`,
    trustedAt(log_size),
    notHeldAt(log_size, facts),
  );
}
