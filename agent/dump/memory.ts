/** Reads of physical memory, the same for every format of a dump. */

/** Why memory cannot be read: the dump does not hold it, or holds it in a form that cannot be decoded. */
export type Unreadable = 'missing' | 'undecodable';

/** The physical memory that a dump holds. A read is whole or not at all. */
export interface PhysicalMemory {
  read(phys: bigint, byteCount: number): Promise<Uint8Array | Unreadable>;
}

const cachedPages = 512;
const maxRead = 1 << 24;

/** Physical memory over a function that reads single pages; keeps the pages that were read last. */
export function pagedMemory(
  pageBytes: number,
  readPage: (pfn: number) => Promise<Uint8Array | Unreadable>,
): PhysicalMemory {
  const cache = new Map<number, Uint8Array | Unreadable>();
  async function page(pfn: number): Promise<Uint8Array | Unreadable> {
    const known = cache.get(pfn);
    if (known) return known;
    const fresh = await readPage(pfn);
    const oldest = cache.size >= cachedPages ? cache.keys().next().value : undefined;
    if (oldest !== undefined) cache.delete(oldest);
    cache.set(pfn, fresh);
    return fresh;
  }
  return {
    async read(phys, byteCount) {
      if (phys < 0n || phys + BigInt(byteCount) > Number.MAX_SAFE_INTEGER || !(byteCount <= maxRead))
        return 'missing';
      const bytes = new Uint8Array(byteCount);
      for (let done = 0, at = Number(phys); done < byteCount; ) {
        const from = at % pageBytes;
        const whole = await page(Math.floor(at / pageBytes));
        if (typeof whole === 'string') return whole;
        const piece = whole.subarray(from, from + byteCount - done);
        bytes.set(piece, done);
        done += piece.length;
        at += piece.length;
      }
      return bytes;
    },
  };
}
