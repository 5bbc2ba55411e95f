/**
 * LZO1X decompression (the stream is described in the kernel's Documentation/staging/lzo.rst). LZO carries no
 * checksum: data that was changed can decode to a page of the right length.
 */

/** The decoded bytes, exactly `byteCount` of them, or null where the data is not a whole stream of that length. */
export function decodeLzo(data: Uint8Array, byteCount: number): Uint8Array | null {
  const out = new Uint8Array(byteCount);
  let from = 0;
  let to = 0;
  /** How many literals the last instruction copied; 4 stands for four and more. */
  let state = 0;

  /** The next byte; past the end 256, which no bound check lets through. */
  const next = () => data[from++] ?? 256;
  function literals(count: number): boolean {
    if (from + count > data.length || to + count > byteCount) return false;
    for (let i = 0; i < count; i++) out[to++] = data[from++] ?? 0;
    return true;
  }
  function match(distance: number, count: number): boolean {
    if (distance > to || to + count > byteCount) return false;
    for (let i = 0; i < count; i++, to++) out[to] = out[to - distance] ?? 0;
    return true;
  }
  /** A length that is 0 in the instruction goes on in the bytes behind it. */
  function long(length: number, most: number): number {
    if (length !== 0) return length;
    let sum = most;
    while (data[from] === 0 && sum <= byteCount) {
      sum += 255;
      from++;
    }
    return sum + next();
  }

  const first = data[0] ?? 0;
  if (first > 17) {
    from = 1;
    if (!literals(first - 17)) return null;
    state = Math.min(4, first - 17);
  }
  while (from < data.length) {
    const code = next();
    if (code < 16 && state === 0) {
      if (!literals(long(code, 15) + 3)) return null;
      state = 4;
      continue;
    }
    let distance: number;
    let count: number;
    let trailing = code;
    if (code >= 64) {
      distance = (next() << 3) + ((code >> 2) & 7) + 1;
      count = (code >> 5) + 1;
    } else if (code >= 16) {
      count = (code >= 32 ? long(code & 31, 31) : long(code & 7, 7)) + 2;
      trailing = next();
      distance = (next() << 6) + (trailing >> 2);
      if (code >= 32) distance += 1;
      else {
        distance += (code & 8) << 11;
        if (distance === 0) return from === data.length && to === byteCount ? out : null;
        distance += 0x4000;
      }
    } else {
      distance = (next() << 2) + (code >> 2) + (state === 4 ? 2049 : 1);
      count = state === 4 ? 3 : 2;
    }
    state = trailing & 3;
    if (from > data.length || !match(distance, count) || !literals(state)) return null;
  }
  return null;
}
