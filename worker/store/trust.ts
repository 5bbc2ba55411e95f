/** Trust in owners and holds on what they report, by log index. */
import { and, asc, eq, inArray, isNull } from 'drizzle-orm';
import { holds, trust } from '../../schema/tables.ts';
import type { Label } from '../../schema/vocabulary.ts';
import { type EntryIndex, lastIndex } from './log.ts';
import { type Database, read, type Statement, type Store } from './open.ts';

export type TrustRow = typeof trust.$inferSelect;
export type HoldRow = typeof holds.$inferSelect;

/** The trust that stands in an owner now, or null. */
export async function trustIn(store: Store, owner: string): Promise<TrustRow | null> {
  const rows = await read(store, (db) =>
    db
      .select()
      .from(trust)
      .where(and(eq(trust.owner, owner), isNull(trust.until_index)))
      .orderBy(asc(trust.from_index))
      .limit(1),
  );
  return rows[0] ?? null;
}

/** The statement that ends the trust in an owner who has withdrawn his data. */
export function endTrust(db: Database, owner: string, at: EntryIndex = lastIndex): Statement {
  return db
    .update(trust)
    .set({ until_index: at })
    .where(and(eq(trust.owner, owner), isNull(trust.until_index)));
}

/** What a report, or a machine, is judged by. The keys are the first ones of their chains. */
export interface Judged {
  readonly machine: string;
  readonly owner: string;
  readonly agent_version: string | null;
  readonly scenario_set: string | null;
  /** The entry; null asks for what would be admitted next. */
  readonly log_index: number | null;
}

/** The labels that trust and holds give now to each, in the order of the vocabulary. */
export async function standingLabels(store: Store, judged: readonly Judged[]): Promise<Label[][]> {
  const owners = [...new Set(judged.map(({ owner }) => owner))];
  const trusted = await read(store, (db) =>
    db
      .select()
      .from(trust)
      .where(and(inArray(trust.owner, owners), isNull(trust.until_index))),
  );
  const standing = await read(store, (db) => db.select().from(holds).where(isNull(holds.until_index)));
  return judged.map((one) => labelsBy(one, trusted, standing));
}

/** The labels of one report, or of what a machine would send next. */
export async function labelsNow(store: Store, judged: Judged): Promise<Label[]> {
  const [labels] = await standingLabels(store, [judged]);
  return labels ?? [];
}

function labelsBy(judged: Judged, trusted: readonly TrustRow[], standing: readonly HoldRow[]): Label[] {
  const labels: Label[] = ['enrolled'];
  const given = trusted.find(({ owner }) => owner === judged.owner);
  if (given) labels.push(given.label);
  for (const label of ['quarantined', 'revoked'] as const)
    if (standing.some((hold) => hold.label === label && covers(hold, judged))) labels.push(label);
  return labels;
}

function covers({ subject_kind, subject, since_index }: HoldRow, judged: Judged): boolean {
  return judged[subject_kind] === subject && (judged.log_index === null || since_index <= judged.log_index);
}
