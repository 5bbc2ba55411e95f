/**
 * Where the bytes of a dump come from, and how the readers look at them: never all at once, never past the end.
 * Only a source does I/O, so only a source rejects.
 */

/** Bytes that can be read at random. `read` answers fewer bytes than asked only at the end. */
export interface ByteSource {
  readonly byteCount: number;
  read(offset: number, byteCount: number): Promise<Uint8Array>;
}

/** Bytes that are in memory already. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    byteCount: bytes.length,
    read: async (offset, byteCount) => bytes.subarray(offset, offset + byteCount),
  };
}

/** A look at a source through one buffer. */
export interface Window {
  /** The bytes, if the buffer has them all: a view that lasts until the next `load`. */
  peek(offset: number, byteCount: number): Uint8Array | null;
  /** The bytes, read if need be; fewer than asked only at the end of the source. */
  load(offset: number, byteCount: number): Promise<Uint8Array>;
}

/** How far ahead of a buffer a read still counts as going forward. */
const near = 1 << 20;
const smallBytes = 1 << 14;

/**
 * A window that reads `ahead` bytes at a time while the reads go forward, and little where they jump: bad
 * offsets must not make it read the whole source again and again.
 */
export function windowOf(source: ByteSource, ahead: number): Window {
  let start = 0;
  let buffer: Uint8Array = new Uint8Array(0);
  function peek(offset: number, byteCount: number): Uint8Array | null {
    const from = offset - start;
    return from >= 0 && from + byteCount <= buffer.length ? buffer.subarray(from, from + byteCount) : null;
  }
  async function load(offset: number, byteCount: number): Promise<Uint8Array> {
    const there = peek(offset, byteCount);
    if (there) return there;
    const forward = offset >= start && offset <= start + buffer.length + near;
    const wanted = Math.max(byteCount, forward ? ahead : smallBytes);
    const from = Math.min(offset, source.byteCount);
    buffer = await source.read(from, Math.min(wanted, source.byteCount - from));
    start = from;
    return buffer.subarray(0, Math.min(byteCount, buffer.length));
  }
  return { peek, load };
}

/** A view of bytes for reading numbers. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A little-endian u64 as a number: exact below 2^53, Infinity above, so that it is past every end. */
export function u64(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  return high > 0x1fffff ? Number.POSITIVE_INFINITY : high * 0x1_0000_0000 + view.getUint32(at, true);
}

/** The text up to the first NUL, one character for each byte. */
export function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('latin1');
}
