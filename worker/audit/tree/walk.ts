/**
 * Walks the entries of a log in order: bundles of 256 with the hashes and the contents beside them, the next ones on
 * their way while one is looked at. On the way it computes the tree. Memory holds a bundle's entries and one line of
 * contents at a time.
 */
import { sameBytes, toHex } from '../../../schema/bytes.ts';
import { decodeBundle, tilePath, tileSizeAt, tileWidth } from '../../../schema/log/tile.ts';
import { emptyRoot, hashBytes, leafHash, rootOf } from '../../../schema/log/tree.ts';
import { lineMaxBytes } from '../contents.ts';
import { linesOf, readBytes, type Source } from '../source/source.ts';
import { appended, emptyFrontier, type Frontier, rootOfFrontier } from './frontier.ts';

/** The longest entry that is read: those of this log have about 330 bytes. */
const entryMaxBytes = 2048;

/** An entry of the walk, before anything of it was looked at. */
export interface Step {
  readonly index: number;
  readonly entry: Uint8Array<ArrayBuffer>;
  /** In hexadecimal. */
  readonly leaf: string;
  /** The tile has another hash for it: one of the two is not the log's. */
  readonly isForked: boolean;
  /** A line of `/log/rows/N`; null where there is none. */
  readonly contents: string | null;
}

/** Why a walk could not go on: after this nothing can be put in its place. */
export interface Stop {
  readonly check: 'entries' | 'tiles' | 'rows';
  readonly index: number;
  readonly expected: string;
  readonly found: string;
}

export interface Walk {
  /** How many entries were walked. */
  readonly size: () => number;
  /** Goes on to `size`. Gives each entry; ends early with a Stop. */
  readonly to: (size: number) => AsyncGenerator<Step, Stop | null>;
  /** The root over the entries, and over the hashes in the tiles. */
  readonly roots: () => Promise<{ readonly entries: Uint8Array; readonly tiles: Uint8Array }>;
  /** Roots at the sizes that were wanted, as far as they were walked. */
  readonly rootAt: (size: number) => Uint8Array | undefined;
  /** The entries whose hash is another than the one in the tile, the first ones, with both hashes. */
  readonly forks: readonly { readonly index: number; readonly entry: string; readonly tile: string }[];
  /** Complete subtrees of 256, 256², … leaves, level by level. */
  readonly nodes: readonly (readonly Uint8Array[])[];
}

/** How many forks are kept. */
const keptForks = 20;

interface Bundle {
  readonly start: number;
  readonly width: number;
  readonly entries: Uint8Array<ArrayBuffer>;
  readonly tile: Uint8Array<ArrayBuffer>;
  readonly lines: AsyncGenerator<string>;
}

async function bundleAt(source: Source, index: number, size: number): Promise<Bundle> {
  const width = tileSizeAt('entries', index, size);
  const [entries, tile] = await Promise.all([
    readBytes(source, `/log/${tilePath('entries', index, width)}`, width * (2 + entryMaxBytes)),
    readBytes(source, `/log/${tilePath(0, index, width)}`, width * hashBytes),
  ]);
  const lines = linesOf(source, `/log/rows/${index}`, lineMaxBytes);
  return { start: index * tileWidth, width, entries, tile, lines };
}

/** A walk from the first entry on; `wanted` are sizes at which roots are kept. */
export function createWalk(source: Source, wanted: ReadonlySet<number>): Walk {
  let entries: Frontier = emptyFrontier;
  /** The same as `entries` until a tile has another hash. */
  let tiles: Frontier = emptyFrontier;
  const roots = new Map<number, Uint8Array>();
  const forks: { index: number; entry: string; tile: string }[] = [];
  const nodes: Uint8Array[][] = [];
  let open: Uint8Array[] = [];

  async function keepRoot(): Promise<void> {
    if (wanted.has(entries.size)) roots.set(entries.size, await rootOfFrontier(entries));
  }

  async function take(index: number, leaf: Uint8Array, hash: Uint8Array): Promise<void> {
    const isSame = sameBytes(leaf, hash);
    const isOne = tiles === entries;
    entries = await appended(entries, leaf);
    tiles = isOne && isSame ? entries : await appended(tiles, hash);
    if (!isSame && forks.length < keptForks) forks.push({ index, entry: toHex(leaf), tile: toHex(hash) });
    open.push(leaf);
    for (let level = 0, full = open; full.length === tileWidth; level++) {
      const above = nodes[level] ?? [];
      nodes[level] = above;
      above.push(await rootOf(full));
      if (level === 0) open = [];
      full = above.length % tileWidth === 0 ? above.slice(-tileWidth) : [];
    }
    await keepRoot();
  }

  async function* stepsOf(bundle: Bundle): AsyncGenerator<Step, Stop | null> {
    const { start, width, tile, lines } = bundle;
    const from = entries.size;
    const read = entriesOf(bundle);
    if ('check' in read) return withMissing(read, bundle);
    if (tile.length !== width * hashBytes) {
      const expected = `${width} hashes in the tile that begins at ${start}`;
      return { check: 'tiles', index: start, expected, found: `${tile.length} bytes` };
    }
    let line = 0;
    for await (const contents of lines) {
      const index = start + line++;
      if (line > tileWidth) return tooMany(start);
      const entry = read.entries[index - start];
      // A survey that has grown meanwhile shows contents of entries beyond the checkpoint.
      if (index < from || entry === undefined) continue;
      yield* step(index, entry, contents);
    }
    for (let index = Math.max(from, start + line); index < start + width; index++) {
      const entry = read.entries[index - start];
      if (entry !== undefined) yield* step(index, entry, null);
    }
    return null;

    async function* step(index: number, entry: Uint8Array<ArrayBuffer>, contents: string | null) {
      const leaf = await leafHash(entry);
      const at = (index - start) * hashBytes;
      const hash = tile.subarray(at, at + hashBytes);
      await take(index, leaf, hash);
      yield { index, entry, leaf: toHex(leaf), isForked: !sameBytes(leaf, hash), contents };
    }
  }

  async function* to(size: number): AsyncGenerator<Step, Stop | null> {
    if (entries.size === 0 && wanted.has(0)) roots.set(0, await emptyRoot());
    const last = Math.ceil(size / tileWidth);
    let next: Promise<Bundle> | null = null;
    for (let index = Math.floor(entries.size / tileWidth); index < last; index++) {
      const bundle: Bundle = await (next ?? bundleAt(source, index, size));
      next = index + 1 < last ? bundleAt(source, index + 1, size) : null;
      // Its failure is thrown where it is waited for.
      next?.catch(() => undefined);
      const stop = yield* stepsOf(bundle);
      if (stop !== null) return stop;
    }
    return null;
  }

  return {
    size: () => entries.size,
    to,
    roots: async () => ({ entries: await rootOfFrontier(entries), tiles: await rootOfFrontier(tiles) }),
    rootAt: (size) => roots.get(size),
    forks,
    nodes,
  };
}

function entriesOf({ start, width, entries }: Bundle): { entries: Uint8Array<ArrayBuffer>[] } | Stop {
  const expected = `${width} entries in the bundle that begins at ${start}`;
  try {
    const list = decodeBundle(entries).map((entry) => new Uint8Array(entry));
    if (list.length === width) return { entries: list };
    return { check: 'entries', index: start, expected, found: `${list.length}` };
  } catch (error) {
    return {
      check: 'entries',
      index: start,
      expected,
      found: error instanceof Error ? error.message : 'nonsense',
    };
  }
}

/** The same stop at the first entry that has no contents, either: those are the ones that are missing. */
async function withMissing(stop: Stop, { start, width, lines }: Bundle): Promise<Stop> {
  const there = new Set<number>();
  for await (const line of lines) {
    const index = /^\{"log_index":(\d{1,15}),/.exec(line)?.[1];
    if (index !== undefined) there.add(Number(index));
    if (there.size > tileWidth) break;
  }
  const missing = Array.from({ length: width }, (_, i) => start + i).filter((index) => !there.has(index));
  const [index] = missing;
  if (index === undefined || missing.length === width) return stop;
  return {
    ...stop,
    index,
    found: `${stop.found}; the contents lack entry ${missing.slice(0, 5).join(', ')}`,
  };
}

function tooMany(start: number): Stop {
  const expected = `contents of at most ${tileWidth} entries from ${start} on`;
  return { check: 'rows', index: start, expected, found: 'more' };
}
