/**
 * Bytes that nobody meant well: no dump makes the verifier throw or run away, and none is verified whose memory
 * is not what the crashed kernel left.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Listing } from '../../schema/canary.ts';
import { judgeDump } from '../../schema/classify/judge.ts';
import { dumpFinding } from '../../schema/evidence.ts';
import { forgery, kdump, listing as whole } from '../../test/fixtures/dumps/fixture.ts';
import {
  flatEnd,
  flatHeader,
  flatRecord,
  flatten,
  fromKdump,
  pageOf,
  toElf,
} from '../../test/fixtures/dumps/forge.ts';
import { bytesSource } from './source.ts';
import { verifyDump } from './verify.ts';

/** The same dump with fewer canaries to look at, which is quicker. */
const listing: Listing = { ...whole, canaries: whole.canaries.filter((c) => c.byteCount < 4096) };
const seeded = { seed: 20060719, numRuns: 80 };
const slowest = 3000;

const containers = { kdump, 'flattened kdump': flatten(kdump), elf: toElf(forgery) };

async function reasonOf(bytes: Uint8Array, planted = listing): Promise<string> {
  const started = performance.now();
  const finding = dumpFinding.parse(await verifyDump(bytesSource(bytes), planted));
  expect(performance.now() - started).toBeLessThan(slowest);
  return judgeDump(finding).reason;
}

test.each(Object.entries(containers))('%s: cut anywhere it is never verified', async (_, bytes) => {
  expect(await reasonOf(bytes)).toBe('verified');
  const points = fc.oneof(
    fc.nat(bytes.length - 1),
    fc.nat(20_000),
    fc.nat(200).map((n) => bytes.length - 1 - n),
  );
  const cut = fc.asyncProperty(points, async (n) => {
    expect(await reasonOf(bytes.subarray(0, n))).not.toBe('verified');
  });
  await fc.assert(cut, seeded);
});

test.each([
  [0, 'empty'],
  [100, 'truncated'],
  [4096, 'truncated'],
  [9000, 'truncated'],
  [-30_000, 'truncated'],
  [-1, 'truncated'],
])('kdump cut at %i: %s', async (at, expected) => {
  expect(await reasonOf(kdump.subarray(0, at))).toBe(expected);
});

test('cut on a raw disk, where zeros follow, it is never verified', async () => {
  const cut = fc.asyncProperty(
    fc.constantFrom(kdump, containers['flattened kdump']),
    fc.double({ min: 0, max: 1, noNaN: true }),
    async (bytes, part) => {
      const zeroed = Buffer.from(bytes).fill(0, Math.min(bytes.length - 8, Math.floor(part * bytes.length)));
      expect(await reasonOf(zeroed)).not.toBe('verified');
    },
  );
  await fc.assert(cut, seeded);
});

/** Where the page data begins. */
const dataAt = 4 * 4096 + 4096 * kdump.readUInt32LE(436) + 24 * forgery.pages.size;

function expectSameMemory(bytes: Buffer): void {
  const { pages } = fromKdump(bytes);
  const changed = [...forgery.pages].filter(([pfn, stored]) => {
    const there = pages.get(pfn);
    return !there || !Buffer.from(pageOf(there)).equals(pageOf(stored));
  });
  expect(changed).toStrictEqual([]);
}

test('a flipped bit in the page data is seen, unless it decodes to the same memory', async () => {
  const places = fc.tuple(fc.integer({ min: dataAt, max: kdump.length - 1 }), fc.nat(7));
  const flip = fc.asyncProperty(places, async ([at, bit]) => {
    const bytes = Buffer.from(kdump);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
    if ((await reasonOf(bytes, whole)) === 'verified') expectSameMemory(bytes);
  });
  await fc.assert(flip, seeded);
});

const edgeBytes = fc.constantFrom(0, 1, 0x7f, 0x80, 0xff);

test('changed headers and tables: verified only with the same memory', async () => {
  const patches = fc.array(
    fc.record({
      at: fc.oneof(
        fc.nat(dataAt - 1),
        fc.integer({ min: 400, max: 470 }),
        fc.integer({ min: 4096, max: 4200 }),
      ),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }).chain((b) =>
        fc.oneof(
          fc.constant(b),
          edgeBytes.map((e) => b.fill(e)),
        ),
      ),
    }),
    { minLength: 1, maxLength: 3 },
  );
  const change = fc.asyncProperty(patches, async (list) => {
    const bytes = Buffer.from(kdump);
    for (const { at, bytes: patch } of list) bytes.set(patch, at);
    if ((await reasonOf(bytes)) === 'verified') expectSameMemory(bytes);
  });
  await fc.assert(change, { ...seeded, numRuns: 200 });
});

test('a changed ELF header never throws', async () => {
  const elf = containers.elf;
  const change = fc.asyncProperty(
    fc.nat(700),
    fc.uint8Array({ minLength: 1, maxLength: 8 }),
    async (at, patch) => {
      const bytes = Buffer.from(elf);
      bytes.set(patch, at);
      await reasonOf(bytes);
    },
  );
  await fc.assert(change, seeded);
});

test('random bytes behind a magic never throw', async () => {
  const heads = fc.constantFrom(
    '',
    'KDUMP   \x06\0\0\0',
    'makedumpfile\0\0\0\0',
    '\x7fELF\x02\x01\x01',
    'DISKDUMP',
  );
  const noise = fc.asyncProperty(
    heads,
    fc.uint8Array({ minLength: 1, maxLength: 9000 }),
    async (head, rest) => {
      expect(await reasonOf(Buffer.concat([Buffer.from(head, 'latin1'), rest]))).not.toBe('verified');
    },
  );
  await fc.assert(noise, seeded);
});

function patched(at: number, value: bigint): Buffer {
  const bytes = Buffer.from(kdump);
  bytes.writeBigUInt64LE(value, at);
  return bytes;
}

const most = 2n ** 64n - 1n;
const descriptor = dataAt - 24 * forgery.pages.size;

test.each([
  ['more page frames than any machine', patched(4096 + 96, most), 'malformed'],
  ['page frames of an exabyte', patched(4096 + 96, 2n ** 48n), 'malformed'],
  ['vmcoreinfo at the end of all files', patched(4096 + 32, 2n ** 63n), 'truncated'],
  ['vmcoreinfo without end', patched(4096 + 40, most), 'truncated'],
  ['a page at the end of all files', patched(descriptor, 2n ** 63n), 'truncated'],
  ['a page in the header', patched(descriptor, 0n), 'malformed'],
  ['a page in its own descriptor', patched(descriptor, BigInt(descriptor)), 'malformed'],
  ['a bitmap of 2^32 blocks', Buffer.from(kdump).fill(0xff, 436, 440), 'malformed'],
  ['a block of no bytes', Buffer.from(kdump).fill(0, 428, 432), 'malformed'],
  ['a part of a split dump', Buffer.from(kdump).fill(1, 4096 + 12, 4096 + 13), 'malformed'],
  ['a header of a later version', Buffer.from(kdump).fill(99, 8, 9), 'malformed'],
])('%s', async (_, bytes, expected) => {
  expect(await reasonOf(bytes)).toBe(expected);
});

test('descriptors that all name the same data are not decoded for ever', async () => {
  const bytes = Buffer.from(kdump);
  const last = descriptor + 24 * (forgery.pages.size - 1);
  for (let at = descriptor; at < last; at += 24) bytes.copy(bytes, at, last, last + 24);
  expect(await reasonOf(bytes)).not.toBe('verified');
});

test.each([
  ['a record far away', [flatRecord(2 ** 52, Buffer.from('x')), flatEnd]],
  ['a record before the start', [flatRecord(-2, Buffer.from('x')), flatEnd]],
  ['an empty record', [flatRecord(5, Buffer.alloc(0)), flatEnd]],
])('flattened: %s', async (_, records) => {
  expect(await reasonOf(Buffer.concat([flatHeader(), ...records]))).toBe('malformed');
});
