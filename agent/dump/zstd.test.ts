/** The decoder for older Nodes gives what Node's own gives, and no harm comes of anything else. */
import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { recoded } from '../../test/fixtures/dumps/fixture.ts';
import { fromKdump } from '../../test/fixtures/dumps/forge.ts';
import { decodeZstd, portableZstd } from './zstd.ts';

const pageBytes = 4096;
const packed = [...fromKdump(recoded('zstd')).pages.values()].filter(({ flags }) => flags === 32);

it('every page of a dump is what Node makes of it', () => {
  expect(packed.length).toBeGreaterThan(100);
  for (const { data } of packed) {
    const page = portableZstd(data, pageBytes);
    expect(page).not.toBeNull();
    expect(Buffer.from(page ?? []).equals(Buffer.from(decodeZstd(data, pageBytes) ?? []))).toBe(true);
  }
});

it('so is any page that was packed', () => {
  const page = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((bytes) => Buffer.alloc(pageBytes, bytes));
  const same = fc.property(page, fc.integer({ min: -5, max: 19 }), (original, level) => {
    const data = zstdCompressSync(original, { params: { 100: level } });
    expect(Buffer.from(portableZstd(data, pageBytes) ?? []).equals(original)).toBe(true);
    expect(portableZstd(data, pageBytes - 1)).toBeNull();
    expect(portableZstd(data, pageBytes + 1)).toBeNull();
  });
  fc.assert(same, { seed: 5, numRuns: 200 });
});

it('cut, lengthened, changed or random data never throws and never gives another length', () => {
  const change = fc.property(
    fc.constantFrom(...packed),
    fc.nat(pageBytes),
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom('cut', 'lengthen', 'change', 'random'),
    ({ data }, at, noise, how) => {
      const place = at % data.length;
      const bytes = Buffer.from(how === 'lengthen' ? Buffer.concat([data, Buffer.from('x')]) : data);
      if (how === 'change') bytes.set(noise.subarray(0, data.length - place), place);
      const input = how === 'cut' ? bytes.subarray(0, place) : how === 'random' ? noise : bytes;
      const page = portableZstd(input, pageBytes);
      if (how === 'cut' || how === 'lengthen') expect(page).toBeNull();
      else expect(page === null || page.length === pageBytes).toBe(true);
    },
  );
  fc.assert(change, { seed: 7, numRuns: 2000 });
});

/** A frame without a content size, with this window descriptor, of these blocks. */
const frame = (window: number, ...blocks: readonly (readonly number[])[]) =>
  Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0, window, ...blocks.flat()]);
/** A run of so many equal bytes: type 1. */
const run = (count: number, isLast: boolean) => {
  const header = (count << 3) | 2 | (isLast ? 1 : 0);
  return [header & 0xff, (header >> 8) & 0xff, header >> 16, 7];
};

it('a page that is one run is read', () => {
  expect(portableZstd(frame(0x10, run(pageBytes, true)), pageBytes)).toEqual(
    new Uint8Array(pageBytes).fill(7),
  );
});

it.each([
  ['a window of 2 GiB', frame(0xa8, run(pageBytes, true))],
  [
    'a second frame behind the first',
    Buffer.concat([frame(0x10, run(pageBytes, true)), frame(0xf8, run(1, true))]),
  ],
  [
    'runs that become more than a page',
    frame(0x10, ...Array.from({ length: 9 }, () => run(1000, false)), run(1, true)),
  ],
  ['no last block', frame(0x10, run(pageBytes, false))],
  [
    'a content of 16 EiB',
    Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, ...new Array(8).fill(255), ...run(1, true)]),
  ],
  ['nothing', new Uint8Array()],
])('%s is no page', (_, data) => {
  expect(portableZstd(data, pageBytes)).toBeNull();
});
