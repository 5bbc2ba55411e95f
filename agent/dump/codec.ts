/** The page encodings of kdump-compressed dumps (makedumpfile's diskdump_mod.h, DUMP_DH_COMPRESSED_*). */
import { inflateSync } from 'node:zlib';
import { decodeLzo } from './lzo.ts';
import { decodeSnappy } from './snappy.ts';
import { decodeZstd } from './zstd.ts';

/** The flags of a page descriptor that name its encoding. */
const codecs = { 0: 'none', 1: 'zlib', 2: 'LZO', 4: 'snappy', 32: 'zstd' } as const;
export type Codec = (typeof codecs)[keyof typeof codecs];

/** The encoding that a descriptor's flags name, or null where they name none. */
export function codecOf(flags: number): Codec | null {
  return (codecs as Readonly<Record<number, Codec>>)[flags] ?? null;
}

/** A whole page, or null where the data is not one. */
export function decodePage(codec: Codec, data: Uint8Array, pageBytes: number): Uint8Array | null {
  switch (codec) {
    case 'none':
      return data.length === pageBytes ? data : null;
    case 'LZO':
      return decodeLzo(data, pageBytes);
    case 'snappy':
      return decodeSnappy(data, pageBytes);
    case 'zlib':
      return decodeZlib(data, pageBytes);
    case 'zstd':
      return decodeZstd(data, pageBytes);
  }
}

function decodeZlib(data: Uint8Array, pageBytes: number): Uint8Array | null {
  try {
    const page = inflateSync(data, { chunkSize: pageBytes, maxOutputLength: pageBytes });
    return page.length === pageBytes ? page : null;
  } catch {
    return null;
  }
}
