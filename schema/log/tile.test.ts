/** The names and widths that C2SP tlog-tiles gives as examples, and tiles against the tree that they cut up. */
import fc from 'fast-check';
import { describe, expect, it, test, vi } from 'vitest';
import { concat, sha256, utf8 } from '../bytes.ts';
import {
  decodeBundle,
  encodeBundle,
  hashAtFromTiles,
  maxEntryBytes,
  parseTilePath,
  type TileLevel,
  tilePath,
  tileSizeAt,
  tilesOf,
} from './tile.ts';
import { consistencyProof, inclusionProof, leafHash, rootAt, rootOf } from './tree.ts';

const tile = fc.record({
  level: fc.oneof(fc.nat(63), fc.constant<TileLevel>('entries')),
  index: fc.oneof(fc.nat(3000), fc.maxSafeNat()),
  width: fc.integer({ min: 1, max: 256 }),
});

describe('the name of a tile', () => {
  it.each<[TileLevel, number, number, string]>([
    [0, 1234067, 256, 'tile/0/x001/x234/067'],
    [0, 0, 256, 'tile/0/000'],
    [63, 999, 255, 'tile/63/999.p/255'],
    [1, 1000, 1, 'tile/1/x001/000.p/1'],
    ['entries', 42, 256, 'tile/entries/042'],
    ['entries', 1000000, 7, 'tile/entries/x001/x000/000.p/7'],
    [0, 2 ** 53 - 1, 256, 'tile/0/x009/x007/x199/x254/x740/991'],
  ])('level %s, index %i, width %i: %s', (level, index, width, path) => {
    expect(tilePath(level, index, width)).toBe(path);
    expect(parseTilePath(path)).toEqual({ level, index, width });
  });

  it('is read back', () => {
    fc.assert(
      fc.property(tile, (tile) => {
        expect(parseTilePath(tilePath(tile.level, tile.index, tile.width))).toEqual(tile);
      }),
    );
  });

  it.each([
    '',
    'tile/0/0',
    'tile/0/0000',
    'tile/0/x000/001',
    'tile/0/001/002',
    'tile/0/x001/x002',
    'tile/00/001',
    'tile/01/001',
    'tile/64/001',
    'tile/-1/001',
    'tile/0/001.p/0',
    'tile/0/001.p/01',
    'tile/0/001.p/256',
    'tile/0/001.p/',
    'tile/0/001.p/1/',
    '/tile/0/001',
    'tile/0/001\n',
    'tile/entries/1',
    'tile/data/001',
    'tile/0/x009/x007/x199/x254/x740/992',
    'tile/0/x001/x009/x007/x199/x254/x740/991',
  ])('is not %j', (path) => {
    expect(parseTilePath(path)).toBeNull();
  });

  it('is one for each tile, whatever is asked for', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0159x/.p') });
    const path = fc.oneof(
      fc.string(),
      digits.map((rest) => `tile/0/${rest}`),
      digits.map((rest) => `tile/${rest}`),
    );
    fc.assert(
      fc.property(path, (path) => {
        const tile = parseTilePath(path);
        if (tile) expect(tilePath(tile.level, tile.index, tile.width)).toBe(path);
      }),
      { numRuns: 2000 },
    );
  });

  it.each<[TileLevel, number, number]>([
    [-1, 0, 1],
    [64, 0, 1],
    [0.5, 0, 1],
    [0, -1, 1],
    [0, 2 ** 53, 1],
    [0, 0, 0],
    [0, 0, 257],
  ])('is refused for level %s, index %i and width %i', (level, index, width) => {
    expect(() => tilePath(level, index, width)).toThrow(RangeError);
  });
});

describe('the tiles of a tree', () => {
  it('of 70,000 entries are those of the specification', () => {
    const tiles = tilesOf(70_000);
    expect(tiles).toHaveLength(273 + 1 + 1 + 1 + 1);
    expect(tiles.filter(({ level, width }) => level === 0 && width === 256)).toHaveLength(273);
    expect(tiles.filter(({ level, width }) => level !== 0 || width !== 256)).toEqual([
      { level: 0, index: 273, width: 112 },
      { level: 1, index: 0, width: 256 },
      { level: 1, index: 1, width: 17 },
      { level: 2, index: 0, width: 1 },
    ]);
  });

  it.each([
    [0, []],
    [1, [{ level: 0, index: 0, width: 1 }]],
    [
      256,
      [
        { level: 0, index: 0, width: 256 },
        { level: 1, index: 0, width: 1 },
      ],
    ],
  ])('of %i entries', (size, tiles) => {
    expect(tilesOf(size)).toEqual(tiles);
  });

  it('have the widths of the specification, none where there is no tile', () => {
    const size = fc.oneof(fc.nat(200_000), fc.maxSafeNat());
    fc.assert(
      fc.property(size, fc.nat(8), (size, level) => {
        const hashes = BigInt(size) / 256n ** BigInt(level);
        const last = Number(hashes / 256n);
        expect(tileSizeAt(level, last, size)).toBe(Number(hashes % 256n));
        if (last > 0) expect(tileSizeAt(level, last - 1, size)).toBe(256);
        expect(tileSizeAt(level, last + 1, size)).toBe(0);
      }),
    );
    expect(tileSizeAt('entries', 273, 70_000)).toBe(112);
  });

  it('since an earlier size are those that grew', () => {
    fc.assert(
      fc.property(fc.nat(70_000), fc.nat(1000), (since, more) => {
        const before = new Set(tilesOf(since).map((t) => JSON.stringify(t)));
        const grown = tilesOf(since + more).filter((t) => !before.has(JSON.stringify(t)));
        expect(tilesOf(since + more, since)).toEqual(grown);
      }),
      { numRuns: 50 },
    );
  });
});

describe('hashes from tiles', () => {
  const count = 1100;
  const leaves = Promise.all(Array.from({ length: count }, (_, i) => leafHash(utf8(`entry ${i}`))));

  /** The bytes of a tile, by the specification's formula. */
  async function readTile(level: number, index: number, width: number): Promise<Uint8Array> {
    const span = 256 ** level;
    const starts = Array.from({ length: width }, (_, i) => (index * 256 + i) * span);
    const all = await leaves;
    return concat(...(await Promise.all(starts.map((start) => rootOf(all.slice(start, start + span))))));
  }

  it('are those of the leaves, and each tile is read once', async () => {
    const all = await leaves;
    const direct = (level: number, index: number) =>
      rootOf(all.slice(index * 2 ** level, (index + 1) * 2 ** level));
    const sizes = fc
      .integer({ min: 1, max: count })
      .chain((size) => fc.tuple(fc.constant(size), fc.nat(size - 1)));
    await fc.assert(
      fc.asyncProperty(sizes, async ([size, index]) => {
        const read = vi.fn(readTile);
        const hashAt = hashAtFromTiles(size, read);
        expect(await rootAt(size, hashAt)).toEqual(await rootOf(all.slice(0, size)));
        expect(await inclusionProof(index, size, hashAt)).toEqual(await inclusionProof(index, size, direct));
        expect(await consistencyProof(index, size, hashAt)).toEqual(
          await consistencyProof(index, size, direct),
        );
        const calls = read.mock.calls.map((call) => call.join('/'));
        expect(new Set(calls).size).toBe(calls.length);
        const there = tilesOf(size).map(({ level, index, width }) => [level, index, width].join('/'));
        expect(there).toEqual(expect.arrayContaining(calls));
      }),
      { numRuns: 40 },
    );
  });

  it('need the whole tile', async () => {
    const hashAt = hashAtFromTiles(5, async (level, index, width) =>
      (await readTile(level, index, width)).subarray(1),
    );
    await expect(rootAt(5, hashAt)).rejects.toThrow('tile/0/000.p/5 has 159 bytes, not 160.');
  });

  it('are asked for again after a failure', async () => {
    let failures = 1;
    const hashAt = hashAtFromTiles(5, async (level, index, width) => {
      if (failures-- > 0) throw new Error('no network');
      return readTile(level, index, width);
    });
    await expect(rootAt(5, hashAt)).rejects.toThrow('no network');
    expect(await rootAt(5, hashAt)).toEqual(await rootOf((await leaves).slice(0, 5)));
  });

  it.each([
    [0, 300],
    [8, 1],
    [9, 0],
    [-1, 0],
    [0.5, 0],
    [0, -1],
  ])('are not there on level %d at index %d of 300 entries', async (level, index) => {
    await expect(hashAtFromTiles(300, readTile)(level, index)).rejects.toThrow(RangeError);
  });
});

describe('a bundle of entries', () => {
  it('is read back', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 256 }), (entries) => {
        expect(decodeBundle(encodeBundle(entries))).toEqual(entries);
      }),
      { numRuns: 50 },
    );
    const longest = [new Uint8Array(maxEntryBytes).fill(1), new Uint8Array(0)];
    expect(decodeBundle(encodeBundle(longest))).toEqual(longest);
  });

  it('has each length in big-endian order', () => {
    const bundle = encodeBundle([new Uint8Array(258).fill(9), Uint8Array.of(7)]);
    expect([...bundle.subarray(0, 3), ...bundle.subarray(260)]).toEqual([1, 2, 9, 0, 1, 7]);
  });

  it('has no room for a longer entry or another one', () => {
    expect(() => encodeBundle([new Uint8Array(maxEntryBytes + 1)])).toThrow('Entry 0 has 65536 bytes');
    expect(() => encodeBundle(Array.from({ length: 257 }, () => new Uint8Array(1)))).toThrow('257 entries');
  });

  test.each([
    ['ends inside the length of entry 0', Uint8Array.of(0)],
    ['ends inside entry 1: 1 of its 2 bytes are there', Uint8Array.of(0, 0, 0, 2, 9)],
    ['goes on after 256 entries', new Uint8Array(514)],
  ])('%s', (message, bytes) => {
    expect(() => decodeBundle(bytes)).toThrow(message);
  });

  it('is what encodes to the same bytes, or is refused in words', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.array(fc.nat(3)).map((a) => Uint8Array.from(a)),
    );
    fc.assert(
      fc.property(bytes, (bytes) => {
        let entries: Uint8Array[];
        try {
          entries = decodeBundle(bytes);
        } catch (error) {
          expect(String(error)).toMatch(/^Error: The bundle /);
          return;
        }
        expect(encodeBundle(entries)).toEqual(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('stands apart from the bytes that it came from', async () => {
    const bytes = encodeBundle([utf8('entry 0')]);
    const [entry = new Uint8Array(0)] = decodeBundle(bytes);
    const before = await sha256(new Uint8Array(entry));
    bytes.fill(0);
    expect(await sha256(new Uint8Array(entry))).toEqual(before);
  });
});
