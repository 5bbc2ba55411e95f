/**
 * The log as static files (C2SP tlog-tiles): tiles of 256 hashes, eight levels of the tree high, and bundles of 256
 * entries. Their names, their widths, and proofs computed from them.
 */
import { type HashAt, hashBytes, nodeHash } from './tree.ts';

/** Hashes in a full tile, and entries in a full bundle. */
export const tileWidth = 256;

/** Levels of the tree that one tile spans. */
const tileHeight = 8;

/** The longest entry that a bundle's 16-bit length can carry. */
export const maxEntryBytes = 0xffff;

/** A tile's level, 0 to 63, or the bundles of entries, which lie under level 0 and have its indices and widths. */
export type TileLevel = number | 'entries';

export interface Tile {
  readonly level: TileLevel;
  readonly index: number;
  /** 1 to 256; less than 256 is a partial tile. */
  readonly width: number;
}

function isTile({ level, index, width }: Tile): boolean {
  const levelFits = level === 'entries' || (Number.isInteger(level) && level >= 0 && level <= 63);
  const widthFits = Number.isInteger(width) && width >= 1 && width <= tileWidth;
  return levelFits && widthFits && Number.isSafeInteger(index) && index >= 0;
}

/** The name of a tile below the log's prefix, as `tile/0/x001/x234/067.p/5`. Throws a RangeError for what is no tile. */
export function tilePath(level: TileLevel, index: number, width: number): string {
  if (!isTile({ level, index, width })) {
    throw new RangeError(`There is no tile of level ${level}, index ${index} and width ${width}.`);
  }
  let name = String(index % 1000).padStart(3, '0');
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    name = `x${String(rest % 1000).padStart(3, '0')}/${name}`;
  }
  return `tile/${level}/${name}${width === tileWidth ? '' : `.p/${width}`}`;
}

const tilePattern = /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5})(\d{3})(?:\.p\/(\d{1,3}))?$/;

/** The tile of a name, or null: one tile has one name. */
export function parseTilePath(path: string): Tile | null {
  const match = tilePattern.exec(path);
  if (!match) return null;
  const [, level = '', upper = '', lowest = '', width] = match;
  const tile: Tile = {
    level: level === 'entries' ? level : Number(level),
    index: Number(upper.replaceAll(/[x/]/g, '') + lowest),
    width: width === undefined ? tileWidth : Number(width),
  };
  return isTile(tile) && tilePath(tile.level, tile.index, tile.width) === path ? tile : null;
}

/** How many hashes (or entries) the tile has in a tree of this size: 0 where there is none, 256 where it is full. */
export function tileSizeAt(level: TileLevel, index: number, size: number): number {
  // Division by a power of two only changes the exponent: exact for every safe integer.
  const hashes = Math.floor(size / tileWidth ** (level === 'entries' ? 0 : level));
  return Math.max(0, Math.min(tileWidth, hashes - index * tileWidth));
}

/**
 * The tiles of hashes of a tree of this size, partial ones included, level by level from the left; with `since`, only
 * those that a tree of that size does not have or has narrower. Level 0 also names the bundles of entries.
 */
export function tilesOf(size: number, since = 0): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; tileSizeAt(level, 0, size) > 0; level++) {
    const unchanged = Math.floor(Math.floor(since / tileWidth ** level) / tileWidth);
    for (let index = unchanged; tileSizeAt(level, index, size) > 0; index++) {
      const width = tileSizeAt(level, index, size);
      if (width > tileSizeAt(level, index, since)) tiles.push({ level, index, width });
    }
  }
  return tiles;
}

/**
 * The hashes of a tree of this size, read from its tiles as they are needed: each tile once, each inner hash once,
 * both kept as long as the result. A tile of the wrong length is refused with an Error; that its hashes are the log's
 * shows only when a root or a proof made of them is checked.
 */
export function hashAtFromTiles(
  size: number,
  readTile: (level: number, index: number, width: number) => Promise<Uint8Array>,
): HashAt {
  const tiles = new Map<string, Promise<Uint8Array>>();
  const inner = new Map<string, Promise<Uint8Array>>();

  function tileAt(level: number, index: number): Promise<Uint8Array> {
    const width = tileSizeAt(level, index, size);
    const path = tilePath(level, index, width);
    return once(tiles, path, async () => {
      const tile = await readTile(level, index, width);
      if (tile.length === width * hashBytes) return tile;
      throw new Error(`${path} has ${tile.length} bytes, not ${width * hashBytes}.`);
    });
  }

  async function hashAt(level: number, index: number): Promise<Uint8Array> {
    const fits = Number.isInteger(level) && level >= 0 && Number.isSafeInteger(index) && index >= 0;
    if (!fits || (index + 1) * 2 ** level > size) {
      throw new RangeError(`A tree of ${size} entries has no complete subtree ${index} on level ${level}.`);
    }
    if (level % tileHeight === 0) {
      const tile = await tileAt(level / tileHeight, Math.floor(index / tileWidth));
      const at = (index % tileWidth) * hashBytes;
      return tile.subarray(at, at + hashBytes);
    }
    return once(inner, `${level}/${index}`, async () => {
      const below = [hashAt(level - 1, 2 * index), hashAt(level - 1, 2 * index + 1)] as const;
      const [left, right] = await Promise.all(below);
      return nodeHash(left, right);
    });
  }

  return hashAt;
}

/** The value of a key, made by the first who asks. A failure is not kept, so the next who asks tries again. */
function once<T>(known: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const present = known.get(key);
  if (present) return present;
  const value = make();
  known.set(key, value);
  value.catch(() => known.delete(key));
  return value;
}

/**
 * A bundle of up to 256 entries, each after its length as a big-endian 16-bit integer. Throws a RangeError for more
 * entries and for an entry of more than 65,535 bytes.
 */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  if (entries.length > tileWidth) throw new RangeError(`A bundle has no room for ${entries.length} entries.`);
  const bundle = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0));
  let at = 0;
  for (const [i, entry] of entries.entries()) {
    if (entry.length > maxEntryBytes) {
      throw new RangeError(`Entry ${i} has ${entry.length} bytes; a bundle carries up to ${maxEntryBytes}.`);
    }
    new DataView(bundle.buffer).setUint16(at, entry.length);
    bundle.set(entry, at + 2);
    at += 2 + entry.length;
  }
  return bundle;
}

/** The entries of a bundle. Throws an Error that says where the bytes stop being one. */
export function decodeBundle(bytes: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; ) {
    const entry = entries.length;
    if (entry === tileWidth) throw new Error(`The bundle goes on after ${tileWidth} entries.`);
    if (at + 2 > bytes.length) throw new Error(`The bundle ends inside the length of entry ${entry}.`);
    const length = view.getUint16(at);
    if (at + 2 + length > bytes.length) {
      const there = bytes.length - at - 2;
      throw new Error(`The bundle ends inside entry ${entry}: ${there} of its ${length} bytes are there.`);
    }
    entries.push(bytes.slice(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return entries;
}
