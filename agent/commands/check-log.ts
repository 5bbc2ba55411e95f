/** Whether a survey's log keeps what it promised: every receipt that is kept, against its newest checkpoint. */
import { join } from 'node:path';
import { openPromise } from '../link/admitted.ts';
import { keptReceipts } from '../link/receipts.ts';
import { type Standing, standingOf, standings, treeOf } from '../link/standing.ts';
import { dataDir } from '../paths.ts';
import type { SurveyLink } from './survey-api.ts';

export interface LogCheck {
  /** Entries under the newest checkpoint. */
  readonly size: number;
  readonly counts: Readonly<Record<Standing, number>>;
  /** The receipts whose promises are not kept, by file. */
  readonly faults: readonly {
    readonly file: string;
    readonly standing: Standing;
    readonly log_index: number;
    readonly merge_by: string;
  }[];
  /** Receipts with another log's promise, or with none: of another survey, or of an older agent. */
  readonly others: number;
}

/** The checks. Throws a LogFault where the log contradicts itself, and what the API throws. */
export async function checkLog({ api, log, memory }: SurveyLink, nowMs: number): Promise<LogCheck> {
  const key = await log.ready();
  const seen = await log.observe(await api.checkpoint());
  const hashAt = treeOf(seen, api.tile);
  const counts = Object.fromEntries(Object.keys(standings).map((name) => [name, 0])) as Record<
    Standing,
    number
  >;
  const faults: LogCheck['faults'][number][] = [];
  let others = 0;
  for (const { file, promise } of await keptReceipts(join(dataDir(), 'outbox'), memory.dir)) {
    const opened = promise && (await openPromise(promise, key));
    if (opened === null || 'fault' in opened) {
      others++;
      continue;
    }
    const standing = await standingOf(opened.promise, seen, hashAt, nowMs);
    counts[standing]++;
    const { log_index, merge_by } = opened.promise;
    if (standing === 'broken') {
      await log.fail('broken-promise', `The receipt ${file} is of entry ${log_index}.`, {
        'promise.json': JSON.stringify(promise),
        'shown.checkpoint': seen.note,
      });
    }
    if (standing === 'overdue' || standing === 'unproven')
      faults.push({ file, standing, log_index, merge_by });
  }
  return { size: seen.size, counts, faults, others };
}
