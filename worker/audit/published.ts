/** Reads what the survey publishes: manifests of editions, and cells of statistics. */
import * as z from 'zod';
import type { Verifier } from '../../schema/log/note.ts';
import { type Group, groups as groupTable, type KeyedCell } from '../../schema/statistics.ts';
import { namesOf, type Population } from '../../schema/vocabulary.ts';
import { checkpointNote, instant, sha256Hex } from '../../schema/wire.ts';
import { type Head, openHead, Unsigned } from './heads.ts';
import { Incomplete, readText, type Source } from './source/source.ts';
import type { Tally } from './tally.ts';

/** What is read of a manifest. `published_at` is the survey's own word: nothing commits to it. */
const manifest = z.looseObject({
  number: z.int().min(1),
  log_size: z.int().min(0),
  cut_off: instant,
  /** Left out, or null, in editions of before it was kept. */
  statistics_version: z.int().min(1).nullish(),
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
/** A cell, whatever it is grouped by. */
export const cell = z.strictObject({
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
