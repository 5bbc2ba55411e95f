/**
 * Virtual addresses of an x86_64 kernel in a dump of its physical memory. The root of the page tables is a
 * kernel symbol, reached through the kernel text mapping and phys_base; all else through the tables themselves
 * (Intel SDM volume 3, 4.5; arch/x86/include/asm/page_64_types.h, Documentation/arch/x86/x86_64/mm.rst).
 */
import type { PhysicalMemory, Unreadable } from './memory.ts';
import { viewOf } from './source.ts';
import type { Vmcoreinfo } from './vmcoreinfo.ts';

/** __START_KERNEL_map */
const textMap = 0xffffffff80000000n;
const all = (1n << 64n) - 1n;
const frameMask = 0x000ffffffffff000n;
const present = 1n;
const large = 1n << 7n;
const pageBytes = 4096;
const cachedPages = 4096;

/** Reads by virtual address. `missing` also where nothing is mapped. */
export interface VirtualMemory {
  read(virt: bigint, byteCount: number): Promise<Uint8Array | Unreadable>;
}

/** The kernel's virtual memory, or null where vmcoreinfo does not name the root of its page tables. */
export function kernelMemory(physical: PhysicalMemory, info: Vmcoreinfo): VirtualMemory | null {
  const root = info.symbol('init_top_pgt') ?? info.symbol('init_level4_pgt') ?? info.symbol('swapper_pg_dir');
  const physBase = info.number('phys_base');
  if (root === undefined || physBase === undefined || root < textMap) return null;
  const rootPhys = root - textMap + physBase;
  const levels = info.number('pgtable_l5_enabled') === 1n ? 5 : 4;
  const mask = frameMask & ~(info.number('sme_mask') ?? 0n);
  const known = new Map<bigint, bigint | null>();

  async function walk(page: bigint): Promise<bigint | null> {
    const signed = BigInt.asIntN(12 + 9 * levels, page);
    if ((signed & all) !== page) return null;
    let table = rootPhys;
    for (let shift = 12n + 9n * BigInt(levels - 1); shift >= 12n; shift -= 9n) {
      const bytes = await physical.read(table + ((page >> shift) & 511n) * 8n, 8);
      if (typeof bytes === 'string') return null;
      const entry = viewOf(bytes).getBigUint64(0, true);
      if ((entry & present) === 0n) return null;
      if (shift === 12n || ((entry & large) !== 0n && shift <= 30n)) {
        const within = (1n << shift) - 1n;
        return (entry & mask & ~within) | (page & within);
      }
      table = entry & mask;
    }
    return null;
  }

  return {
    async read(virt, byteCount) {
      const bytes = new Uint8Array(byteCount);
      for (let done = 0; done < byteCount; ) {
        const at = virt + BigInt(done);
        const within = Number(at & BigInt(pageBytes - 1));
        const page = at - BigInt(within);
        let phys = known.get(page);
        if (phys === undefined) {
          phys = await walk(page);
          if (known.size >= cachedPages) known.clear();
          known.set(page, phys);
        }
        if (phys === null) return 'missing';
        const wanted = Math.min(pageBytes - within, byteCount - done);
        const piece = await physical.read(phys + BigInt(within), wanted);
        if (typeof piece === 'string') return piece;
        bytes.set(piece, done);
        done += wanted;
      }
      return bytes;
    },
  };
}
