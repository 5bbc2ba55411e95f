/**
 * Snappy decompression, the raw format without framing (google/snappy, format_description.txt). It carries no
 * checksum: data that was changed can decode to a page of the right length.
 */

/** The decoded bytes, exactly `byteCount` of them, or null where the data is not a whole stream of that length. */
export function decodeSnappy(data: Uint8Array, byteCount: number): Uint8Array | null {
  const out = new Uint8Array(byteCount);
  let from = 0;
  let to = 0;
  function little(bytes: number): number {
    let value = 0;
    for (let i = 0; i < bytes; i++) value += (data[from++] ?? 0) * 2 ** (8 * i);
    return value;
  }

  let promised = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = data[from++];
    if (byte === undefined || shift > 28) return null;
    promised += (byte & 127) * 2 ** shift;
    if (byte < 128) break;
  }
  if (promised !== byteCount) return null;

  while (from < data.length) {
    const tag = data[from++] ?? 0;
    const kind = tag & 3;
    let count = (tag >> 2) + 1;
    if (kind === 0) {
      if (count > 60) count = little(count - 60) + 1;
      if (from + count > data.length || to + count > byteCount) return null;
      out.set(data.subarray(from, from + count), to);
      from += count;
      to += count;
      continue;
    }
    if (kind === 1) count = ((tag >> 2) & 7) + 4;
    const distance = kind === 1 ? ((tag >> 5) << 8) + little(1) : little(kind === 2 ? 2 : 4);
    if (from > data.length || distance === 0 || distance > to || to + count > byteCount) return null;
    for (let i = 0; i < count; i++, to++) out[to] = out[to - distance] ?? 0;
  }
  return to === byteCount ? out : null;
}
