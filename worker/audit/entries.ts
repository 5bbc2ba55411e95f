/** Takes the entries of a walk to the judge, in order; what needs no other entry is opened a few entries ahead. */
import { tileWidth } from '../../schema/log/tile.ts';
import { type Contents, lineMaxBytes, type OpenedEntry, openEntry, parseContents } from './contents.ts';
import type { Judge } from './judge.ts';
import type { Place } from './receipts.ts';
import { Incomplete, linesOf, type Source } from './source/source.ts';
import type { Tally } from './tally.ts';
import type { Step, Walk } from './tree/walk.ts';

/** How many entries are opened at a time: signatures are verified by threads beside this one. */
const ahead = 64;

type EarlierRow = Pick<Contents, 'row' | 'row_salt'>;

export interface Entries {
  /** Goes on to `size`. False where the walk had to stop: then that is found. Throws Incomplete. */
  readonly to: (size: number) => Promise<boolean>;
  /** How many entries are in the agreed form and in their tile. */
  readonly wellFormed: () => number;
  /** What lies at the indices that were wanted. */
  readonly places: ReadonlyMap<number, Place>;
}

export interface EntriesInput {
  readonly walk: Walk;
  readonly judge: Judge;
  readonly tally: Tally;
  /** A copy of an earlier run, or null. */
  readonly earlier: Source | null;
  readonly wanted: ReadonlySet<number>;
  readonly progress: (done: number, total: number) => void;
}

export function createEntries({ walk, judge, tally, earlier, wanted, progress }: EntriesInput): Entries {
  const places = new Map<number, Place>();
  let wellFormed = 0;
  let bundle = -1;
  let earlierRows: ReadonlyMap<number, EarlierRow> = new Map();

  async function earlierRowOf(index: number): Promise<EarlierRow | null> {
    if (earlier === null) return null;
    if (bundle !== Math.floor(index / tileWidth)) {
      bundle = Math.floor(index / tileWidth);
      earlierRows = await rowsIn(earlier, bundle);
    }
    return earlierRows.get(index) ?? null;
  }

  async function take(
    opened: OpenedEntry,
    row: EarlierRow | null,
    leaf: string,
    size: number,
  ): Promise<void> {
    const { index } = opened;
    if (opened.entry !== null) wellFormed++;
    if (wanted.has(index)) places.set(index, { leaf, isWithdrawn: opened.row === 'withdrawn' });
    await judge.take(opened, row);
    progress(index + 1, size);
  }

  async function to(size: number): Promise<boolean> {
    const steps = walk.to(size);
    const under: { opened: Promise<OpenedEntry>; row: EarlierRow | null; leaf: string }[] = [];
    for (;;) {
      const { done, value } = await steps.next();
      if (!done)
        under.push({ opened: openStep(value), row: await earlierRowOf(value.index), leaf: value.leaf });
      while (under.length > (done ? 0 : ahead)) {
        const next = under.shift();
        if (next !== undefined) await take(await next.opened, next.row, next.leaf, size);
      }
      if (!done) continue;
      if (value === null) return true;
      tally.find(value.check, value.index, value.expected, value.found);
      return false;
    }
  }

  return { to, wellFormed: () => wellFormed, places };
}

/** Opens an entry of the walk. Never rejects for what a survey may show. */
async function openStep({ index, entry, contents, isForked }: Step): Promise<OpenedEntry> {
  const nothing = { index, entry: null, item: null, row: 'mismatch', envelope: 'mismatch' } as const;
  // Which of the two hashes is the log's is not known before the end of the walk.
  if (isForked) return { ...nothing, flaws: [] };
  const expected = `the contents of entry ${index}`;
  if (contents === null) return { ...nothing, flaws: [{ check: 'rows', expected, found: 'none' }] };
  try {
    const parsed = parseContents(contents);
    if (parsed.log_index !== index) throw new Error(`they are those of entry ${parsed.log_index}`);
    return await openEntry(index, entry, parsed);
  } catch (error) {
    const found = `a line of which ${error instanceof Error ? error.message : error}`;
    return { ...nothing, flaws: [{ check: 'rows', expected, found }] };
  }
}

/** The rows that an earlier copy has of a bundle; none where it has not that bundle. They prove themselves. */
async function rowsIn(earlier: Source, bundle: number): Promise<ReadonlyMap<number, EarlierRow>> {
  const found = new Map<number, EarlierRow>();
  try {
    for await (const line of linesOf(earlier, `/log/rows/${bundle}`, lineMaxBytes)) {
      const { log_index, row, row_salt } = parseContents(line);
      if (row !== null) found.set(log_index, { row, row_salt });
    }
  } catch (error) {
    if (!(error instanceof Incomplete)) return found;
  }
  return found;
}
