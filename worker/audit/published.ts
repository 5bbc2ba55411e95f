/** What the survey publishes: manifests of editions and cells of statistics, against what the rows give. */
import * as z from 'zod';
import type { Verifier } from '../../schema/log/note.ts';
import { type Group, groups as groupTable, type KeyedCell } from '../../schema/statistics.ts';
import { namesOf, type Population } from '../../schema/vocabulary.ts';
import { checkpointNote, instant, sha256Hex } from '../../schema/wire.ts';
import { statisticsHash } from '../edition/publish.ts';
import { cellsBy } from '../store/cells.ts';
import type { Store } from '../store/open.ts';
import { type Head, openHead, Unsigned } from './heads.ts';
import type { Judge, Tombstone } from './judge.ts';
import { Incomplete, readText, type Source } from './source/source.ts';
import type { Tally } from './tally.ts';

/** What is read of a manifest. `published_at` is the survey's own word: nothing commits to it. */
const manifest = z.looseObject({
  number: z.int().min(1),
  log_size: z.int().min(0),
  cut_off: instant,
  statistics_sha256: sha256Hex,
  checkpoint: checkpointNote.nullable(),
});

export interface Edition {
  readonly manifest: z.infer<typeof manifest>;
  /** Null where it has no checkpoint, or one that the log did not sign: then that is found. */
  readonly head: Head | null;
}

/** Queries that together use every group. */
export const queries: readonly { readonly by: readonly Group[]; readonly population: Population }[] = [
  { by: ['driver'], population: 'lab' },
  { by: ['driver', 'role', 'crash_type'], population: 'lab' },
  { by: ['chipset', 'crash_point', 'kernel_series'], population: 'lab' },
  { by: ['load', 'mitigation', 'set_up'], population: 'lab' },
  { by: ['mechanism'], population: 'lab' },
  { by: ['driver'], population: 'metal' },
];

const count = z.int().min(0);
const share = z.number().nullable();
const names = Object.fromEntries(namesOf(groupTable).map((name) => [name, z.string().optional()]));
const cell = z.strictObject({
  ...names,
  machines: count,
  trials: count,
  captured: count,
  no_reply: count,
  inconclusive: count,
  estimate: share,
  low: share,
  high: share,
});
const answer = z.looseObject({
  edition: z.int().min(1),
  population: z.string(),
  by: z.array(z.string()),
  cells: z.array(cell),
});

interface Table {
  readonly by: readonly Group[];
  readonly population: Population;
  readonly cells: readonly KeyedCell[];
}

/** Statistics of one edition, as they were shown. */
export interface Tables {
  readonly edition: number;
  readonly tables: readonly Table[];
}

/** The longest answer of these that is read. */
const answerMaxBytes = 16 * 1024 * 1024;

/** Attempts to see all tables of one edition, while a new one comes every few seconds. */
const attemptsMax = 5;

async function readJson<T>(source: Source, address: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readText(source, address, answerMaxBytes);
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : null;
    const why = issue ? `${issue.path.join('.') || 'the top level'}: ${issue.message}` : 'it is not JSON';
    throw new Incomplete(`${source.name}${address} is not as agreed: ${why}.`);
  }
}

/** All tables, of one edition. Throws Incomplete. */
export async function readTables(source: Source): Promise<Tables> {
  for (let attempt = 1; ; attempt++) {
    const tables: Table[] = [];
    const editions = new Set<number>();
    for (const { by, population } of queries) {
      const address = `/v1/statistics?by=${by.join(',')}&population=${population}`;
      const read = await readJson(source, address, answer);
      if (read.population !== population || read.by.join() !== by.join())
        throw new Incomplete(`${source.name}${address} is the answer to another query.`);
      editions.add(read.edition);
      tables.push({ by, population, cells: read.cells });
    }
    const [edition] = editions;
    if (editions.size === 1 && edition !== undefined) return { edition, tables };
    if (!source.isLive || attempt >= attemptsMax)
      throw new Incomplete(
        `${source.name} shows statistics of several editions: ${[...editions].join(', ')}.`,
      );
  }
}

/** The manifest of an edition. Throws Incomplete. */
export async function readEdition(
  source: Source,
  number: number,
  key: Verifier,
  tally: Tally,
): Promise<Edition> {
  const address = `/v1/editions/${number}`;
  const read = await readJson(source, address, manifest);
  if (read.number !== number) throw new Incomplete(`${source.name}${address} is edition ${read.number}.`);
  if (read.checkpoint === null) return { manifest: read, head: null };
  try {
    const head = await openHead(`the manifest of edition ${number}`, read.checkpoint, key);
    if (head.checkpoint.size !== read.log_size)
      throw new Unsigned(`It is of ${head.checkpoint.size} entries, and the edition of ${read.log_size}.`);
    return { manifest: read, head };
  } catch (error) {
    const found = error instanceof Error ? error.message : String(error);
    tally.find(
      'editions',
      null,
      `a checkpoint of the log at ${read.log_size} entries in edition ${number}`,
      found,
      [read.checkpoint],
    );
    return { manifest: read, head: null };
  }
}

/** What a judge knows of the rows that an edition is made of. */
type Known = Pick<Judge, 'tombstones' | 'brokenAt'>;

/**
 * How many of the entries below a log size were withdrawn by later ones: the edition had their rows, and nobody else
 * has them any more.
 */
export function goneSince(tombstones: readonly Tombstone[], logSize: number): number {
  const later = tombstones.filter(({ index }) => index >= logSize);
  return later.reduce((sum, { covered }) => sum + covered.filter((at) => at < logSize).length, 0);
}

/** Why an edition cannot be rebuilt, or null. */
function obstacle(
  { manifest: { log_size, checkpoint } }: Edition,
  known: Known,
): 'unkept' | 'withdrawn' | 'broken' | null {
  const brokenAt = known.brokenAt();
  if (brokenAt !== null && brokenAt < log_size) return 'broken';
  if (checkpoint === null) return 'unkept';
  return goneSince(known.tombstones, log_size) > 0 ? 'withdrawn' : null;
}

/** Rebuilds an edition and compares its hash. */
export async function judgeEdition(
  edition: Edition,
  known: Known,
  store: Store,
  tally: Tally,
): Promise<void> {
  const { number, log_size, cut_off, statistics_sha256 } = edition.manifest;
  const why = obstacle(edition, known);
  if (why === 'broken') return;
  if (why !== null) {
    tally.count('editions', why);
    tally.note(
      why === 'unkept'
        ? `Edition ${number} is of before the log had a tree: not rebuildable.`
        : `Edition ${number}, of ${log_size} entries, is not rebuildable: ${goneSince(known.tombstones, log_size)} withdrawn.`,
    );
    return;
  }
  const rebuilt = await statisticsHash(store, { log_size, cut_off_ms: Date.parse(cut_off) });
  if (rebuilt === statistics_sha256) tally.count('editions', 'rebuilt');
  else
    tally.find(
      'editions',
      null,
      `statistics_sha256 ${rebuilt} in edition ${number}, by the rows below ${log_size} and the cut-off ${cut_off}`,
      statistics_sha256,
    );
}

/** Rebuilds tables cell by cell. */
export async function judgeTables(
  { tables }: Tables,
  edition: Edition,
  known: Known,
  store: Store,
  tally: Tally,
): Promise<void> {
  const why = obstacle(edition, known);
  if (why === 'broken') return;
  if (why !== null) {
    tally.count('statistics', why, tables.length);
    return;
  }
  const { log_size, cut_off, number } = edition.manifest;
  const coverage = { log_size, cut_off_ms: Date.parse(cut_off) };
  for (const { by, population, cells } of tables) {
    // Every cell of real machines is suppressed until owners can be vouched for.
    const expected = population === 'lab' ? await cellsBy(store, coverage, population, by, {}) : [];
    compareCells(`by ${by.join(', ')} of ${population} in edition ${number}`, by, expected, cells, tally);
  }
}

/** Compares two lists of cells by the values of their groups. */
export function compareCells(
  what: string,
  by: readonly Group[],
  expected: readonly KeyedCell[],
  found: readonly KeyedCell[],
  tally: Tally,
): void {
  const keyOf = (one: KeyedCell) => JSON.stringify(by.map((name) => one[name]));
  const textOf = (one: KeyedCell) => JSON.stringify(cell.parse(one));
  const wanted = new Map(expected.map((one) => [keyOf(one), textOf(one)]));
  const seen = new Set<string>();
  for (const one of found) {
    const key = keyOf(one);
    const text = textOf(one);
    if (seen.has(key)) tally.find('statistics', null, `each cell ${what} once`, `${text} again`);
    else if (wanted.get(key) === text) tally.count('statistics', 'rebuilt');
    else tally.find('statistics', null, wanted.get(key) ?? `no such cell ${what}`, `${text} ${what}`);
    seen.add(key);
  }
  for (const [key, text] of wanted)
    if (!seen.has(key)) tally.find('statistics', null, `${text} ${what}`, 'no such cell');
  if (found.length === 0 && expected.length === 0) tally.count('statistics', 'rebuilt');
}
