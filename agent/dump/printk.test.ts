/** The log's ring buffer in states that no small real log shows: wrapped, unfinished, broken. */
import { expect, test } from 'vitest';
import type { VirtualMemory } from './paging.ts';
import { readLog } from './printk.ts';
import { parseVmcoreinfo } from './vmcoreinfo.ts';

const text = `
SYMBOL(prb)=1000
SIZE(printk_ringbuffer)=88
OFFSET(printk_ringbuffer.desc_ring)=0
OFFSET(printk_ringbuffer.text_data_ring)=48
OFFSET(prb_desc_ring.count_bits)=0
OFFSET(prb_desc_ring.descs)=8
OFFSET(prb_desc_ring.infos)=16
OFFSET(prb_desc_ring.head_id)=24
OFFSET(prb_desc_ring.tail_id)=32
SIZE(prb_desc)=24
OFFSET(prb_desc.state_var)=0
OFFSET(prb_desc.text_blk_lpos)=8
OFFSET(prb_data_blk_lpos.begin)=0
OFFSET(prb_data_blk_lpos.next)=8
SIZE(printk_info)=88
OFFSET(printk_info.seq)=0
OFFSET(printk_info.ts_nsec)=8
OFFSET(printk_info.text_len)=16
OFFSET(prb_data_ring.size_bits)=0
OFFSET(prb_data_ring.data)=8
OFFSET(atomic_long_t.counter)=0
`;
const info = parseVmcoreinfo(Buffer.from(text));
const [descs, infos, data] = [0x2000, 0x3000, 0x4000];
/** DESC0_ID of a ring of 8: the ids of a young ring are just below 2^62. */
const firstId = 2n ** 62n - 9n;

interface Entry {
  readonly text: string;
  readonly state?: bigint;
  readonly begin?: bigint;
  readonly next?: bigint;
  readonly seq?: bigint;
  readonly blockId?: bigint;
}

/** A ring of 8 records and 128 bytes of text, its blocks one after the other from `lpos` on. */
function ring(entries: readonly Entry[], lpos = 0n): Buffer {
  const bytes = Buffer.alloc(0x5000);
  bytes.writeBigUInt64LE(0x1100n, 0x1000);
  bytes.writeUInt32LE(3, 0x1100);
  bytes.writeBigUInt64LE(BigInt(descs), 0x1108);
  bytes.writeBigUInt64LE(BigInt(infos), 0x1110);
  bytes.writeBigUInt64LE(firstId + BigInt(entries.length - 1), 0x1118);
  bytes.writeBigUInt64LE(firstId, 0x1120);
  bytes.writeUInt32LE(7, 0x1130);
  bytes.writeBigUInt64LE(BigInt(data), 0x1138);
  let begin = lpos;
  for (const [i, entry] of entries.entries()) {
    const id = firstId + BigInt(i);
    const index = Number(id % 8n);
    const size = BigInt(8 + 8 * Math.ceil(entry.text.length / 8));
    let at = begin % 128n;
    let next = begin + size;
    if (at + size > 128n) {
      at = 0n;
      next = (begin / 128n + 1n) * 128n + size;
    }
    bytes.writeBigUInt64LE(((entry.state ?? 2n) << 62n) | id, descs + 24 * index);
    bytes.writeBigUInt64LE(entry.begin ?? begin, descs + 24 * index + 8);
    bytes.writeBigUInt64LE(entry.next ?? next, descs + 24 * index + 16);
    bytes.writeBigUInt64LE(entry.seq ?? BigInt(i + 100), infos + 88 * index);
    bytes.writeBigUInt64LE(BigInt(i) * 1_500_000_000n, infos + 88 * index + 8);
    bytes.writeUInt16LE(entry.text.length, infos + 88 * index + 16);
    bytes.writeBigUInt64LE(entry.blockId ?? id, data + Number(at));
    bytes.write(entry.text, data + Number(at) + 8, 'latin1');
    begin = next;
  }
  return bytes;
}

async function read(bytes: Buffer) {
  const memory: VirtualMemory = {
    async read(virt, byteCount) {
      const at = Number(virt);
      return at + byteCount <= bytes.length ? bytes.subarray(at, at + byteCount) : 'missing';
    },
  };
  const lines: string[] = [];
  return { resolved: await readLog(memory, info, (line) => lines.push(line)), lines };
}

test('a block that would cross the end of the ring lies at its start', async () => {
  expect(
    await read(ring([{ text: 'one' }, { text: 'two is longer' }, { text: 'three' }], 256n + 100n)),
  ).toStrictEqual({
    resolved: true,
    lines: ['[    0.000000] one', '[    1.500000] two is longer', '[    3.000000] three'],
  });
});

test('lines in one record are indented, bytes that cannot be printed are spelt out', async () => {
  expect((await read(ring([{ text: 'a\nb' }, { text: 'tab\t\x1b[0m\xe9' }]))).lines).toStrictEqual([
    '[    0.000000] a',
    '               b',
    '[    1.500000] tab\t\\x1b[0m\\xe9',
  ]);
});

test.each([
  ['reserved', { text: 'x', state: 0n }],
  ['reusable', { text: 'x', state: 3n }],
  ['without text', { text: '', begin: 1n, next: 1n }],
])('a record that is %s is passed over', async (_, entry) => {
  expect(await read(ring([{ text: 'one' }, entry, { text: 'two', state: 1n }]))).toStrictEqual({
    resolved: true,
    lines: ['[    0.000000] one', '[    3.000000] two'],
  });
});

test.each([
  ['another block', { text: 'x', blockId: 5n }],
  ['a block that ends before it begins', { text: 'x', begin: 64n, next: 32n }],
  ['a block longer than the ring', { text: 'x', begin: 0n, next: 2n ** 40n }],
  ['a number out of turn', { text: 'x', seq: 7n }],
])('a finished record with %s makes the ring inconsistent, and the rest is still read', async (_, entry) => {
  expect(await read(ring([{ text: 'one' }, entry, { text: 'two' }]))).toStrictEqual({
    resolved: false,
    lines: ['[    0.000000] one', '[    3.000000] two'],
  });
});

test('a ring of nothing finished is no log', async () => {
  expect((await read(ring([{ text: 'x', state: 0n }]))).resolved).toBe(false);
});

test.each([
  ['more records than it has room for', (b: Buffer) => b.writeBigUInt64LE(firstId + 8n, 0x1118)],
  ['a size that no kernel has', (b: Buffer) => b.writeUInt32LE(60, 0x1100)],
  ['no text of a size that fits', (b: Buffer) => b.writeUInt32LE(0, 0x1130)],
  ['a pointer into nothing', (b: Buffer) => b.writeBigUInt64LE(2n ** 63n, 0x1000)],
  ['descriptors in nothing', (b: Buffer) => b.writeBigUInt64LE(2n ** 63n, 0x1108)],
])('a ring with %s is no log', async (_, spoil) => {
  const bytes = ring([{ text: 'one' }]);
  spoil(bytes);
  expect(await read(bytes)).toStrictEqual({ resolved: false, lines: [] });
});
