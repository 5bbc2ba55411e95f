/** A flattened stream rearranges into the bytes that were written last at each place. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { flatEnd, flatHeader, flatRecord } from '../../test/fixtures/dumps/forge.ts';
import { openFlattened } from './flattened.ts';
import { bytesSource } from './source.ts';

const record = fc.record({ offset: fc.nat(300), data: fc.uint8Array({ minLength: 1, maxLength: 80 }) });

test('it equals writing the records one after the other', async () => {
  const property = fc.asyncProperty(
    fc.array(record, { minLength: 1, maxLength: 30 }),
    fc.nat(400),
    fc.nat(400),
    async (records, from, byteCount) => {
      const end = Math.max(...records.map((r) => r.offset + r.data.length));
      const expected = Buffer.alloc(end);
      for (const { offset, data } of records) expected.set(data, offset);
      const stream = Buffer.concat([
        flatHeader(),
        ...records.map((r) => flatRecord(r.offset, r.data)),
        flatEnd,
      ]);
      const flat = await openFlattened(bytesSource(stream));
      expect(flat).toMatchObject({ fault: null, truncated: false, byteCount: stream.length });
      expect(flat.dump.byteCount).toBe(end);
      expect(Buffer.from(await flat.dump.read(0, end))).toStrictEqual(expected);
      const part = await flat.dump.read(from, byteCount);
      expect(Buffer.from(part)).toStrictEqual(expected.subarray(from, from + byteCount));
    },
  );
  await fc.assert(property, { seed: 1, numRuns: 300 });
});

test('without its end record it is cut, and what came is still there', async () => {
  const stream = Buffer.concat([
    flatHeader(),
    flatRecord(0, Buffer.from('all')),
    flatRecord(3, Buffer.from('half')),
  ]);
  const flat = await openFlattened(bytesSource(stream.subarray(0, stream.length - 2)));
  expect(flat).toMatchObject({ truncated: true, byteCount: stream.length - 2 });
  expect(Buffer.from(await flat.dump.read(0, 100)).toString()).toBe('allha');
});

test('zeros instead of a record are the rest of a disk', async () => {
  const stream = Buffer.concat([flatHeader(), flatRecord(0, Buffer.from('all'))]);
  const flat = await openFlattened(bytesSource(Buffer.concat([stream, Buffer.alloc(9000)])));
  expect(flat).toMatchObject({ truncated: true, byteCount: stream.length });
});

test('another version of the stream is not read', async () => {
  const flat = await openFlattened(bytesSource(Buffer.concat([flatHeader().fill(2, 31, 32), flatEnd])));
  expect(flat.fault).toContain('version');
});
