/**
 * makedumpfile's flattened format (`-F`): a stream of records (offset, size, data) that rearrange into a dump
 * (makedumpfile.h: makedumpfile_header, makedumpfile_data_header; all integers big-endian). Only the record
 * headers are read to index it; a later record may write over an earlier one.
 */
import { intervalMap, type Piece } from './intervals.ts';
import { type ByteSource, viewOf, windowOf } from './source.ts';

/** MAX_SIZE_MDF_HEADER: the first record stands behind a header of this size. */
const streamHeaderBytes = 4096;
const recordHeaderBytes = 16;
/** More records than any dump has (makedumpfile writes one for about 64 KiB) and no more than fit in memory. */
const maxRecords = 1 << 21;
/** A rearranged dump has next to no holes: one that is far longer than its stream is not one. */
const maxHoles = 64 << 20;

/** A flattened stream, indexed. */
export interface Flattened {
  /** The rearranged dump: holes read as zeros. */
  readonly dump: ByteSource;
  /** The stream's own length, end record included. */
  readonly byteCount: number;
  /** The stream ends without its end record. */
  readonly truncated: boolean;
  readonly fault: string | null;
}

/** Indexes a stream whose first bytes are `makedumpfile`. */
export async function openFlattened(stream: ByteSource): Promise<Flattened> {
  const { pieces, byteCount, truncated, fault } = await index(stream);
  const map = intervalMap(pieces);
  if (map.end > 2 * stream.byteCount + maxHoles) {
    const text = `the flattened records reach to byte ${map.end}, but their stream is far shorter`;
    return {
      dump: { byteCount: 0, read: async () => new Uint8Array(0) },
      byteCount,
      truncated,
      fault: fault ?? text,
    };
  }
  async function read(offset: number, count: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(Math.max(0, Math.min(count, map.end - offset)));
    for (let done = 0; done < bytes.length; ) {
      const span = map.at(offset + done);
      const wanted = Math.min(span.byteCount, bytes.length - done);
      if (span.target !== null) bytes.set(await stream.read(span.target, wanted), done);
      done += wanted;
    }
    return bytes;
  }
  return { dump: { byteCount: map.end, read }, byteCount, truncated, fault };
}

interface Index {
  readonly pieces: Piece[];
  readonly byteCount: number;
  readonly truncated: boolean;
  readonly fault: string | null;
}

async function index(stream: ByteSource): Promise<Index> {
  const window = windowOf(stream, 1 << 18);
  const pieces: Piece[] = [];
  const header = viewOf(await window.load(0, 32));
  if (header.byteLength === 32 && (header.getBigInt64(16) !== 1n || header.getBigInt64(24) !== 1n)) {
    return {
      pieces,
      byteCount: 32,
      truncated: false,
      fault: 'the flattened header has an unknown type or version',
    };
  }
  let at = streamHeaderBytes;
  const cut = (where: string) => ({
    pieces,
    byteCount: Math.min(at, stream.byteCount),
    truncated: true,
    fault: `the flattened stream ends ${where}, without its end record`,
  });
  for (; pieces.length < maxRecords; ) {
    const record = window.peek(at, recordHeaderBytes) ?? (await window.load(at, recordHeaderBytes));
    if (record.length < recordHeaderBytes) return cut(`at byte ${stream.byteCount}`);
    const view = viewOf(record);
    const start = Number(view.getBigInt64(0));
    const byteCount = Number(view.getBigInt64(8));
    if (start === -1 && byteCount === -1) {
      return { pieces, byteCount: at + recordHeaderBytes, truncated: false, fault: null };
    }
    // Behind a stream that was cut, a raw disk goes on with zeros.
    if (start === 0 && byteCount === 0) return cut(`at byte ${at}`);
    if (start < 0 || byteCount <= 0 || start + byteCount > Number.MAX_SAFE_INTEGER) {
      return {
        pieces,
        byteCount: at,
        truncated: false,
        fault: `the flattened record at byte ${at} is no record`,
      };
    }
    at += recordHeaderBytes;
    const there = Math.min(byteCount, stream.byteCount - at);
    if (there > 0) pieces.push({ start, byteCount: there, target: at });
    if (there < byteCount) {
      at = stream.byteCount;
      return cut(`at byte ${stream.byteCount}`);
    }
    at += byteCount;
  }
  return {
    pieces,
    byteCount: at,
    truncated: false,
    fault: `the flattened stream has over ${maxRecords} records`,
  };
}
