/**
 * The 2nd bitmap of a kdump-compressed dump: one bit for each page frame, set where the dump holds the page. The
 * descriptor of a page is found by counting the set bits before it. Memory: one number for each 64 KiB.
 */
import type { ByteSource } from './source.ts';

const chunkBytes = 1 << 16;
const bitsOf = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let rest = byte; rest > 0; rest &= rest - 1) count++;
  return count;
});

/** Counts and places of the set bits. */
export interface BitmapIndex {
  /** How many bits are set. */
  readonly count: number;
  /** How many bits are set before this one, or null where it is not set itself. */
  rankOf(bit: number): Promise<number | null>;
}

function countBits(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) count += bitsOf[byte] ?? 0;
  return count;
}

/** Counts the bits of a bitmap that lies at `at`; the bits from `bitCount` on do not count. */
export async function indexBitmap(source: ByteSource, at: number, bitCount: number): Promise<BitmapIndex> {
  const chunkBits = chunkBytes * 8;
  const before: number[] = [];
  let held: { chunk: number; bytes: Uint8Array } | null = null;
  async function load(chunk: number): Promise<Uint8Array> {
    if (held?.chunk === chunk) return held.bytes;
    const bits = Math.min(chunkBits, bitCount - chunk * chunkBits);
    const bytes = new Uint8Array(await source.read(at + chunk * chunkBytes, Math.ceil(bits / 8)));
    const last = bytes.length - 1;
    if (bits % 8 !== 0 && last === bits >> 3) bytes[last] = (bytes[last] ?? 0) & ((1 << (bits % 8)) - 1);
    held = { chunk, bytes };
    return bytes;
  }
  let count = 0;
  for (let chunk = 0; chunk * chunkBits < bitCount; chunk++) {
    before.push(count);
    count += countBits(await load(chunk));
  }
  return {
    count,
    async rankOf(bit) {
      if (!(bit >= 0 && bit < bitCount)) return null;
      const chunk = Math.floor(bit / chunkBits);
      const bytes = await load(chunk);
      const at = (bit % chunkBits) >> 3;
      const byte = bytes[at] ?? 0;
      if ((byte & (1 << (bit % 8))) === 0) return null;
      const inByte = bitsOf[byte & ((1 << (bit % 8)) - 1)] ?? 0;
      return (before[chunk] ?? 0) + countBits(bytes.subarray(0, at)) + inByte;
    },
  };
}
