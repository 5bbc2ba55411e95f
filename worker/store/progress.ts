/** How far the lab has come: its reports by result, as they stand at this moment. */
import { and, eq, sql } from 'drizzle-orm';
import type { CampaignProgress } from '../../schema/answer/status.ts';
import { reports, tickets } from '../../schema/tables.ts';
import type { Result } from '../../schema/vocabulary.ts';
import { read, type Store } from './open.ts';

/** Reports by outcome. */
export type Progress = Omit<CampaignProgress, 'planned'>;

/** Counts the reports of the lab, or only those on some tickets. Controls are no part of what was planned. */
export async function labProgress(store: Store, nonces: readonly string[] | null): Promise<Progress> {
  const ofCampaign =
    nonces === null
      ? undefined
      : sql`${reports.nonce} in (select value from json_each(${JSON.stringify(nonces)}))`;
  const result = sql<Result>`json_extract(${reports.outcome}, '$.result')`;
  const rows = await read(store, (db) =>
    db
      .select({ result, count: sql<number>`count(*)` })
      .from(reports)
      .innerJoin(tickets, eq(tickets.nonce, reports.nonce))
      .where(
        and(eq(tickets.population, 'lab'), eq(tickets.control, false), eq(reports.ordinal, 0), ofCampaign),
      )
      .groupBy(result),
  );
  const count = (wanted: (result: Result) => boolean) =>
    rows.reduce((sum, row) => (wanted(row.result) ? sum + row.count : sum), 0);
  const captured = count((result) => result === 'captured');
  const inconclusive = count((result) => result === 'inconclusive');
  const done = count(() => true);
  return { done, captured, failed: done - captured - inconclusive, inconclusive };
}
