/** The page encodings of kdump-compressed dumps (makedumpfile's diskdump_mod.h, DUMP_DH_COMPRESSED_*). */
import * as zlib from 'node:zlib';
import { decodeLzo } from './lzo.ts';
import { decodeSnappy } from './snappy.ts';

/** The flags of a page descriptor that name its encoding. */
const codecs = { 0: 'none', 1: 'zlib', 2: 'LZO', 4: 'snappy', 32: 'zstd' } as const;
export type Codec = (typeof codecs)[keyof typeof codecs];

/** The encoding that a descriptor's flags name, or null where they name none. */
export function codecOf(flags: number): Codec | null {
  return (codecs as Readonly<Record<number, Codec>>)[flags] ?? null;
}

/** Whether this runtime can decode it: Node knows zstd from 22.15 on. */
export function canDecode(codec: Codec): boolean {
  return codec !== 'zstd' || 'zstdDecompressSync' in zlib;
}

/** A whole page, or null where the data is not one. `canDecode(codec)` must hold. */
export function decodePage(codec: Codec, data: Uint8Array, pageBytes: number): Uint8Array | null {
  switch (codec) {
    case 'none':
      return data.length === pageBytes ? data : null;
    case 'LZO':
      return decodeLzo(data, pageBytes);
    case 'snappy':
      return decodeSnappy(data, pageBytes);
    case 'zlib':
      return throughZlib(zlib.inflateSync, data, pageBytes);
    case 'zstd':
      return throughZlib(zlib.zstdDecompressSync, data, pageBytes);
  }
}

function throughZlib(
  decode: typeof zlib.inflateSync | typeof zlib.zstdDecompressSync,
  data: Uint8Array,
  pageBytes: number,
): Uint8Array | null {
  try {
    const page = decode(data, { chunkSize: pageBytes, maxOutputLength: pageBytes });
    return page.length === pageBytes ? page : null;
  } catch {
    return null;
  }
}
