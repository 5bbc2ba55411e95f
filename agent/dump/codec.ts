/**
 * The page encodings of kdump-compressed dumps (makedumpfile's diskdump_mod.h, DUMP_DH_COMPRESSED_*). LZO and
 * snappy are known by name only.
 */
import * as zlib from 'node:zlib';

/** The flags of a page descriptor that name its encoding. */
export const codecs = { 0: 'none', 1: 'zlib', 2: 'LZO', 4: 'snappy', 32: 'zstd' } as const;
export type Codec = (typeof codecs)[keyof typeof codecs];

/** The encoding that a descriptor's flags name, or null where they name none. */
export function codecOf(flags: number): Codec | null {
  return (codecs as Readonly<Record<number, Codec>>)[flags] ?? null;
}

/** Whether this program can decode it. */
export function canDecode(codec: Codec): boolean {
  return codec === 'none' || codec === 'zlib' || (codec === 'zstd' && 'zstdDecompressSync' in zlib);
}

/** A whole page, or null where the data is not one. `canDecode(codec)` must hold. */
export function decodePage(codec: Codec, data: Uint8Array, pageBytes: number): Uint8Array | null {
  if (codec === 'none') return data.length === pageBytes ? data : null;
  const decode = codec === 'zlib' ? zlib.inflateSync : zlib.zstdDecompressSync;
  try {
    const page = decode(data, { chunkSize: pageBytes, maxOutputLength: pageBytes });
    return page.length === pageBytes ? page : null;
  } catch {
    return null;
  }
}
