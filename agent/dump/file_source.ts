/** A file, or a stretch of a raw disk image, as a ByteSource. Rejects for I/O errors only. */
import { type FileHandle, open } from 'node:fs/promises';
import type { ByteSource } from './source.ts';

/** A ByteSource that holds a file open until it is closed. */
export interface FileSource extends ByteSource {
  close(): Promise<void>;
}

/**
 * Opens `path` for reading from `offset` on. Without `byteCount` it reaches to the end of the file; a block
 * device has no length of its own in `stat`, so it needs one.
 */
export async function fileSource(
  path: string,
  { offset = 0, byteCount }: { offset?: number; byteCount?: number } = {},
): Promise<FileSource> {
  const handle = await open(path, 'r');
  return handleSource(handle, offset, byteCount ?? (await handle.stat()).size - offset);
}

/** The same of a file that is open already. Closing the source closes the file. */
export function handleSource(handle: FileHandle, offset: number, byteCount: number): FileSource {
  const available = Math.max(0, byteCount || 0);
  return {
    byteCount: available,
    async read(at, count) {
      const wanted = Math.max(0, Math.min(count, available - at));
      const bytes = new Uint8Array(wanted);
      let got = 0;
      while (got < wanted) {
        const { bytesRead } = await handle.read(bytes, got, wanted - got, offset + at + got);
        if (bytesRead === 0) break;
        got += bytesRead;
      }
      return bytes.subarray(0, got);
    },
    close: () => handle.close(),
  };
}
