/**
 * The append-only log. An index is computed in the statement that takes it, inside the batch that uses it, so
 * indices have no gaps: a batch that fails takes none. While the log is halted, every batch that appends fails.
 */
import { and, asc, eq, gte, inArray, lt, type SQL, sql } from 'drizzle-orm';
import { envelopes, logEntries, machines, owners, sequencer } from '../../schema/tables.ts';
import type { EntryKind } from '../../schema/vocabulary.ts';
import type { Draft, SignedRequest } from '../log/draft.ts';
import { type Database, isConflict, read, type Statement, type Store, write } from './open.ts';

/** An entry whose contents are there. */
export interface StoredEntry {
  readonly log_index: number;
  readonly entry: string;
  readonly leaf_hash: string;
  readonly row: string;
  readonly row_salt: string;
  readonly envelope_salt: string | null;
}

const never = sql`false`;

/** A column that may not be null: where the log is halted it becomes so, and the batch fails with all that is in it. */
function unlessHalted(text: string) {
  return sql<string>`case when (select ${sequencer.halted} from ${sequencer}) is null then ${text} end`;
}

/**
 * The same where the data of a machine, or of its owner, was withdrawn while a request was under way. A chain is
 * withdrawn with all its keys; the current one is found by an index.
 */
function unlessWithdrawn({ kind, machine, owner }: Draft) {
  if (machine === null && owner === null) return kind;
  return sql<
    Draft['kind']
  >`case when not exists (select 1 from ${machines} where ${machines.root} = ${machine}
      and ${machines.successor} is null and ${machines.withdrawn_index} is not null)
    and not exists (select 1 from ${owners} where ${owners.root} = ${owner}
      and ${owners.successor} is null and ${owners.withdrawn_index} is not null) then ${kind} end`;
}

/** Whether the key that signed was replaced or withdrawn meanwhile: then it begins nothing, and ends what it began. */
function isOver({ kind, key }: SignedRequest): SQL {
  if (kind === 'armed' || kind === 'report') return never;
  return sql`exists (select 1 from ${machines} where ${machines.machine} = ${key}
      and (${machines.successor} is not null or ${machines.withdrawn_index} is not null))
    or exists (select 1 from ${owners} where ${owners.owner} = ${key}
      and (${owners.successor} is not null or ${owners.withdrawn_index} is not null))`;
}

/** Whether a signed request has its entry already. Of all requests, only those for tickets have several. */
function isAnswered({ kind, hash }: SignedRequest): SQL {
  if (kind === 'tickets') return never;
  return sql`exists (select 1 from ${logEntries} where ${logEntries.envelope_hash} = ${hash})`;
}

/** The same where the request may no longer make an entry, or where the judgment on it is void. */
function unlessVoid({ leaf_hash, request }: Draft, isVoid: SQL) {
  const isSpent = request === null ? never : sql`${isAnswered(request)} or ${isOver(request)}`;
  return sql<string>`case when not (${isVoid} or ${isSpent}) then ${leaf_hash} end`;
}

/**
 * Whether entries of these kinds came in from an index on. What is judged by none of them must not ask this: strangers
 * who make many would keep others waiting.
 */
export function cameSince(size: number, kinds: readonly EntryKind[], further?: SQL): SQL {
  const wanted = and(gte(logEntries.log_index, size), inArray(logEntries.kind, [...kinds]), further);
  return sql`exists (select 1 from ${logEntries} where ${wanted})`;
}

/**
 * The statements that append an entry, the entry's first. What follows in the same batch, before the next append,
 * refers to its index as `lastIndex`. Where `isVoid` holds the whole batch fails, as one that conflicts.
 */
export function append(db: Database, draft: Draft, isVoid: SQL = never): [Statement, ...Statement[]] {
  const { request, ...entry } = draft;
  const appended = db
    .insert(logEntries)
    .values({
      ...entry,
      log_index: sql`(select coalesce(max(${logEntries.log_index}) + 1, 0) from ${logEntries})`,
      kind: unlessWithdrawn(draft),
      entry: unlessHalted(entry.entry),
      leaf_hash: unlessVoid(draft, isVoid),
      envelope_hash: request?.hash ?? null,
    })
    .returning({ log_index: logEntries.log_index });
  if (request === null) return [appended];
  const kept = db
    .insert(envelopes)
    .values({
      hash: request.hash,
      kind: request.kind,
      key: request.key,
      payload: Buffer.from(request.payload),
      signature: Buffer.from(request.signature),
    })
    .onConflictDoNothing();
  return [appended, kept];
}

/** The entry that the first statement of a batch, an `append`'s, has appended. */
export function appendedEntry(results: readonly unknown[], draft: Draft): StoredEntry {
  const [rows] = results as readonly [readonly { log_index: number }[]];
  const index = rows[0]?.log_index;
  if (index === undefined) throw new Error('the first statement of the batch appended nothing');
  const { entry, leaf_hash, row, row_salt, envelope_salt } = draft;
  return { log_index: index, entry, leaf_hash, row, row_salt, envelope_salt };
}

/**
 * Appends an entry with what follows from it, all or nothing. Null where another request was faster: the same one, or
 * one that took what this one wanted, or one that made void what this one was judged by.
 */
export async function tryAppend(
  store: Store,
  draft: Draft,
  consequences: readonly Statement[],
  isVoid?: SQL,
): Promise<StoredEntry | null> {
  try {
    return appendedEntry(await write(store, [...append(store.db, draft, isVoid), ...consequences]), draft);
  } catch (error) {
    if (isConflict(error)) return null;
    throw error;
  }
}

/** The index of the entry that the same batch has just appended. */
export const lastIndex = sql<number>`(select max(${logEntries.log_index}) from ${logEntries})`;

/** The index of an entry: a known one, or that of the entry that the same batch has just appended. */
export type EntryIndex = number | typeof lastIndex;

/** How many entries the log has. */
export async function logSize(store: Store): Promise<number> {
  const rows = await read(store, (db) =>
    db.select({ size: sql<number>`coalesce(max(${logEntries.log_index}) + 1, 0)` }).from(logEntries),
  );
  return rows[0]?.size ?? 0;
}

/** The entry at an index. Null where there is none, or where its contents were withdrawn. */
export async function storedEntry(store: Store, logIndex: number): Promise<StoredEntry | null> {
  const rows = await read(store, (db) =>
    db
      .select({
        log_index: logEntries.log_index,
        entry: logEntries.entry,
        leaf_hash: logEntries.leaf_hash,
        row: logEntries.row,
        row_salt: logEntries.row_salt,
        envelope_salt: logEntries.envelope_salt,
      })
      .from(logEntries)
      .where(eq(logEntries.log_index, logIndex)),
  );
  const found = rows[0];
  if (found === undefined || found.row === null || found.row_salt === null) return null;
  return { ...found, row: found.row, row_salt: found.row_salt };
}

/** The entry that a signed request made, or null: the same request again is answered from it. */
export async function entryOfRequest(store: Store, hash: string): Promise<StoredEntry | null> {
  const rows = await read(store, (db) =>
    db
      .select({ log_index: logEntries.log_index })
      .from(logEntries)
      .where(eq(logEntries.envelope_hash, hash))
      .limit(1),
  );
  return rows[0] ? storedEntry(store, rows[0].log_index) : null;
}

/** Whether an entry was there whose contents were withdrawn. */
export async function isWithdrawn(store: Store, logIndex: number): Promise<boolean> {
  const rows = await read(store, (db) =>
    db.select({ row: logEntries.row }).from(logEntries).where(eq(logEntries.log_index, logIndex)),
  );
  return rows[0] !== undefined && rows[0].row === null;
}

/** What is published of each entry in [from, until), in order: its text, and what opens it unless it was withdrawn. */
export function entriesBetween(store: Store, from: number, until: number) {
  return read(store, (db) =>
    db
      .select({ entry: logEntries, envelope: envelopes })
      .from(logEntries)
      .leftJoin(envelopes, eq(envelopes.hash, logEntries.envelope_hash))
      .where(and(gte(logEntries.log_index, from), lt(logEntries.log_index, until)))
      .orderBy(asc(logEntries.log_index)),
  );
}

/** The texts of the entries in [from, until), in order. */
export async function entryTexts(store: Store, from: number, until: number): Promise<string[]> {
  const rows = await read(store, (db) =>
    db
      .select({ entry: logEntries.entry })
      .from(logEntries)
      .where(and(gte(logEntries.log_index, from), lt(logEntries.log_index, until)))
      .orderBy(asc(logEntries.log_index)),
  );
  return rows.map(({ entry }) => entry);
}
