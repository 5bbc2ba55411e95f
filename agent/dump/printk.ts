/**
 * The kernel's log in a dump: the lockless ring buffer of Linux 5.10 and newer, found through vmcoreinfo's own
 * symbols (kernel/printk/printk_ringbuffer.c and .h). Lines come out as `makedumpfile --dump-dmesg` prints them.
 *
 * A crash can stop a writer anywhere, so records that are not finished are passed over. A record that says that
 * it is finished must own its text block and carry the number that its place implies; where one does not, the
 * ring is not consistent.
 */
import type { VirtualMemory } from './paging.ts';
import { viewOf } from './source.ts';
import type { Vmcoreinfo } from './vmcoreinfo.ts';

const idMask = (1n << 62n) - 1n;
const committed = 1n;
const finalized = 2n;
const maxCountBits = 24;
const maxSizeBits = 31;
/** The id that stands before the text of each block. */
const blockHeaderBytes = 8;

/** Offsets of the structures' members, as vmcoreinfo gives them. */
const memberNames = [
  'printk_ringbuffer.desc_ring',
  'printk_ringbuffer.text_data_ring',
  'prb_desc_ring.count_bits',
  'prb_desc_ring.descs',
  'prb_desc_ring.infos',
  'prb_desc_ring.head_id',
  'prb_desc_ring.tail_id',
  'prb_desc.state_var',
  'prb_desc.text_blk_lpos',
  'prb_data_blk_lpos.begin',
  'prb_data_blk_lpos.next',
  'printk_info.seq',
  'printk_info.ts_nsec',
  'printk_info.text_len',
  'prb_data_ring.size_bits',
  'prb_data_ring.data',
  'atomic_long_t.counter',
] as const;
const sizeNames = ['printk_ringbuffer', 'prb_desc', 'printk_info'] as const;

type Member = (typeof memberNames)[number];
type Struct = (typeof sizeNames)[number];

interface Shape {
  offset(member: Member): number;
  size(struct: Struct): number;
}

/** Where the ring's parts lie: descriptors and their infos by id, and the text. */
export interface Ring {
  readonly shape: Shape;
  readonly countBits: number;
  readonly descs: bigint;
  readonly infos: bigint;
  readonly headId: bigint;
  readonly tailId: bigint;
  readonly sizeBits: number;
  readonly text: bigint;
}

/**
 * Reads the log from the oldest record to the newest and hands over each line. Answers whether the symbols led
 * to a ring that is consistent and holds at least one record.
 */
export async function readLog(
  memory: VirtualMemory,
  info: Vmcoreinfo,
  onLine: (line: string) => void,
): Promise<boolean> {
  const ring = await findRing(memory, info);
  if (!ring) return false;
  const span = (ring.headId - ring.tailId) & idMask;
  if (span >= 1n << BigInt(ring.countBits)) return false;
  let finished = 0;
  let consistent = true;
  // What all blocks of a consistent ring hold together cannot be longer than the ring.
  let textLeft = 2 ** ring.sizeBits;
  let origin: bigint | null = null;
  for (let i = 0n; i <= span && textLeft >= 0; i++) {
    const record = await readRecord(memory, ring, (ring.tailId + i) & idMask);
    if (record === null) continue;
    if (record === 'broken' || (origin !== null && record.seq - i !== origin)) {
      consistent = false;
      continue;
    }
    origin = record.seq - i;
    finished++;
    textLeft -= record.text.length;
    if (record.text.length > 0) for (const line of linesOf(record)) onLine(line);
  }
  return consistent && finished > 0 && textLeft >= 0;
}

function shapeOf(info: Vmcoreinfo): Shape | null {
  const offsets = new Map(memberNames.map((name) => [name, info.offset(name)]));
  const sizes = new Map(sizeNames.map((name) => [name, info.size(name)]));
  if ([...offsets.values(), ...sizes.values()].some((n) => n === undefined || n > 4096)) return null;
  return { offset: (member) => offsets.get(member) ?? 0, size: (struct) => sizes.get(struct) ?? 0 };
}

/** Follows the symbols to the ring, or answers null where they lead nowhere. */
export async function findRing(memory: VirtualMemory, info: Vmcoreinfo): Promise<Ring | null> {
  const shape = shapeOf(info);
  const pointerAt = info.symbol('prb');
  if (!shape || pointerAt === undefined) return null;
  const pointer = await memory.read(pointerAt, 8);
  if (typeof pointer === 'string') return null;
  const bytes = await memory.read(viewOf(pointer).getBigUint64(0, true), shape.size('printk_ringbuffer'));
  if (typeof bytes === 'string') return null;
  const view = viewOf(bytes);
  const o = shape.offset;
  const descRing = o('printk_ringbuffer.desc_ring');
  const textRing = o('printk_ringbuffer.text_data_ring');
  const counter = o('atomic_long_t.counter');
  const word = (at: number) => (at + 8 <= bytes.length ? view.getBigUint64(at, true) : 0n);
  const half = (at: number) => (at + 4 <= bytes.length ? view.getUint32(at, true) : 0);
  const countBits = half(descRing + o('prb_desc_ring.count_bits'));
  const sizeBits = half(textRing + o('prb_data_ring.size_bits'));
  if (countBits < 1 || countBits > maxCountBits || sizeBits < 4 || sizeBits > maxSizeBits) return null;
  return {
    shape,
    countBits,
    descs: word(descRing + o('prb_desc_ring.descs')),
    infos: word(descRing + o('prb_desc_ring.infos')),
    headId: word(descRing + o('prb_desc_ring.head_id') + counter) & idMask,
    tailId: word(descRing + o('prb_desc_ring.tail_id') + counter) & idMask,
    sizeBits,
    text: word(textRing + o('prb_data_ring.data')),
  };
}

interface LogRecord {
  readonly seq: bigint;
  readonly nanoseconds: bigint;
  readonly text: Uint8Array;
}

/** A finished record, null where it is not finished, `broken` where it says that it is but cannot be. */
async function readRecord(
  memory: VirtualMemory,
  ring: Ring,
  id: bigint,
): Promise<LogRecord | null | 'broken'> {
  const { offset: o, size } = ring.shape;
  const index = id & ((1n << BigInt(ring.countBits)) - 1n);
  const desc = await memory.read(ring.descs + index * BigInt(size('prb_desc')), size('prb_desc'));
  // A page of descriptors that were never used is all zeros, and makedumpfile leaves such pages out.
  if (desc === 'missing') return null;
  const info = await memory.read(ring.infos + index * BigInt(size('printk_info')), size('printk_info'));
  if (typeof desc === 'string' || typeof info === 'string') return 'broken';
  const lpos = o('prb_desc.text_blk_lpos');
  const last = Math.max(
    o('prb_desc.state_var'),
    lpos + o('prb_data_blk_lpos.begin'),
    lpos + o('prb_data_blk_lpos.next'),
  );
  if (last + 8 > desc.length || Math.max(o('printk_info.seq'), o('printk_info.ts_nsec')) + 8 > info.length) {
    return 'broken';
  }
  const descView = viewOf(desc);
  const state = descView.getBigUint64(o('prb_desc.state_var'), true);
  if ((state & idMask) !== id || (state >> 62n !== committed && state >> 62n !== finalized)) return null;
  const infoView = viewOf(info);
  const begin = descView.getBigUint64(lpos + o('prb_data_blk_lpos.begin'), true);
  const next = descView.getBigUint64(lpos + o('prb_data_blk_lpos.next'), true);
  const text = await readBlock(
    memory,
    ring,
    { id, begin, next },
    infoView.getUint16(o('printk_info.text_len'), true),
  );
  if (text === null) return 'broken';
  return {
    seq: infoView.getBigUint64(o('printk_info.seq'), true),
    nanoseconds: infoView.getBigUint64(o('printk_info.ts_nsec'), true),
    text,
  };
}

/** The text of a block (get_data()), or null where the block is not the record's. */
async function readBlock(
  memory: VirtualMemory,
  ring: Ring,
  { id, begin, next }: { id: bigint; begin: bigint; next: bigint },
  textBytes: number,
): Promise<Uint8Array | null> {
  // LPOS_DATALESS: a record without text has odd positions.
  if ((begin & next & 1n) === 1n) return new Uint8Array(0);
  const bits = BigInt(ring.sizeBits);
  const mask = (1n << bits) - 1n;
  const wraps = ((next - 1n) >> bits) - (begin >> bits);
  if (next <= begin || wraps < 0n || wraps > 1n) return null;
  // A block that would cross the end of the ring lies at its start.
  const at = wraps === 1n ? 0n : begin & mask;
  const blockBytes = Number(((next - 1n) & mask) + 1n - at);
  if (blockBytes < blockHeaderBytes) return null;
  const wanted = Math.min(textBytes, blockBytes - blockHeaderBytes);
  const bytes = await memory.read(ring.text + at, blockHeaderBytes + wanted);
  if (typeof bytes === 'string' || viewOf(bytes).getBigUint64(0, true) !== id) return null;
  return bytes.subarray(blockHeaderBytes);
}

/** `[    1.234567] text`; what follows a line feed is indented; bytes that cannot be printed are `\xNN`. */
function linesOf({ nanoseconds, text }: LogRecord): string[] {
  const seconds = String(nanoseconds / 1_000_000_000n).padStart(5);
  const micros = String((nanoseconds % 1_000_000_000n) / 1000n).padStart(6, '0');
  const prefix = `[${seconds}.${micros}] `;
  const printable = Buffer.from(text)
    .toString('latin1')
    .replace(/[^\x20-\x7e\t\n\v\f\r]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return printable.split('\n').map((line, i) => (i === 0 ? prefix : ' '.repeat(prefix.length)) + line);
}
