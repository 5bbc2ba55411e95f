/** Zstandard frames (RFC 8878): by Node, which knows them from 22.15 on; else by a decoder in JavaScript. */
import * as zlib from 'node:zlib';
import { Decompress } from 'fzstd';

/** A page, or null where the data is not one. Never throws. */
export type ZstdDecoder = (data: Uint8Array, pageBytes: number) => Uint8Array | null;

/** Node's own, which is the faster. */
const native: ZstdDecoder = (data, pageBytes) => {
  try {
    const page = zlib.zstdDecompressSync(data, { chunkSize: pageBytes, maxOutputLength: pageBytes });
    return page.length === pageBytes ? page : null;
  } catch {
    return null;
  }
};

/** What RFC 8878 (3.1.1.1.2) asks of every decoder; a page needs far less. */
const windowMaxBytes = 8 << 20;

/** The bytes of a single frame's header, or null where the data does not begin with one whose window is bearable. */
function headerBytes(data: Uint8Array): number | null {
  const [a, b, c, d, descriptor = 0, window = 0] = data;
  if (a !== 0x28 || b !== 0xb5 || c !== 0x2f || d !== 0xfd) return null;
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  if (isSingleSegment) {
    // The window is then the content. Its size in 4 or 8 bytes is more than a page's in the last ones.
    const size = data.subarray(5 + dictionaryBytes, 5 + dictionaryBytes + contentSizeBytes);
    return size.subarray(3).some((byte) => byte !== 0) ? null : 5 + dictionaryBytes + contentSizeBytes;
  }
  const base = 2 ** (10 + (window >> 3));
  return base + (base / 8) * (window & 7) > windowMaxBytes ? null : 6 + dictionaryBytes + contentSizeBytes;
}

/** Whether the data is one frame and nothing else, by the sizes of its blocks. */
function isOneFrame(data: Uint8Array): boolean {
  let at = headerBytes(data);
  for (let isLast = false; at !== null && !isLast; ) {
    const [low, middle, high] = data.subarray(at, at + 3);
    if (low === undefined || middle === undefined || high === undefined) return false;
    const header = low | (middle << 8) | (high << 16);
    isLast = (header & 1) !== 0;
    // A run is one byte, however long it becomes.
    at += 3 + (((header >> 1) & 3) === 1 ? 1 : header >> 3);
  }
  const hasChecksum = ((data[4] ?? 0) & 4) !== 0;
  return at !== null && at + (hasChecksum ? 4 : 0) === data.length;
}

/** In JavaScript. The checksum of a frame is not checked. */
export const portableZstd: ZstdDecoder = (data, pageBytes) => {
  if (!isOneFrame(data)) return null;
  const page = new Uint8Array(pageBytes);
  let filled = 0;
  try {
    const decoder = new Decompress((chunk) => {
      page.set(chunk, filled);
      filled += chunk.length;
    });
    decoder.push(data, true);
    return filled === pageBytes ? page : null;
  } catch {
    return null;
  }
};

/** The better of what this runtime has. */
export const decodeZstd: ZstdDecoder = 'zstdDecompressSync' in zlib ? native : portableZstd;
