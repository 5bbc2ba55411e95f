/**
 * The kdump-compressed format: a header, a sub header, two bitmaps of page frames, a table of page descriptors,
 * page data (makedumpfile's diskdump_mod.h and IMPLEMENTATION). Numbers are those of a 64-bit little-endian
 * machine. Nothing that a header says is allocated or looped over before it is held against the dump's length.
 */
import { type BitmapIndex, indexBitmap } from './bitmap.ts';
import { type Codec, codecOf, decodePage } from './codec.ts';
import { type Dump, maxVmcoreinfoBytes, type PageCheck, unreadableDump } from './dump.ts';
import { pagedMemory, type Unreadable } from './memory.ts';
import { type ByteSource, textOf, u64, viewOf, windowOf } from './source.ts';

const headerBytes = 464;
const subHeaderBytes = 104;
const descriptorBytes = 24;
const descriptorsAtOnce = 8192;
/** The newest header version that is known. */
const newestVersion = 6;
/** 64 TiB of 4 KiB pages: more than any machine with this format has. */
const maxPages = 2 ** 34;
/** DUMP_DH_COMPRESSED_INCOMPLETE */
const incomplete = 8;

/** Where the parts of a dump lie. */
interface Layout {
  readonly pageBytes: number;
  readonly bitmapAt: number;
  readonly bitmapBytes: number;
  readonly descriptorsAt: number;
  readonly maxPfn: number;
  readonly status: number;
  readonly release: string;
  readonly vmcoreinfo: Stretch;
  /** The first byte behind what the sub header names. */
  readonly namedEnd: number;
}

interface Stretch {
  readonly at: number;
  readonly byteCount: number;
}

/** Reads the headers of a dump whose first bytes are `KDUMP   `. */
export async function openKdump(source: ByteSource): Promise<Dump> {
  const layout = await readLayout(source);
  if (typeof layout === 'string') {
    const truncated = layout === headerCut;
    return unreadableDump('kdump-compressed', source.byteCount, { fault: layout, truncated });
  }
  if (layout.descriptorsAt > source.byteCount) {
    const fault = `the bitmaps end at byte ${layout.descriptorsAt}, the dump at byte ${source.byteCount}`;
    return unreadableDump('kdump-compressed', source.byteCount, { fault, truncated: true });
  }
  const bitmap = await indexBitmap(source, layout.bitmapAt + layout.bitmapBytes / 2, layout.maxPfn);
  const { vmcoreinfo, namedEnd } = layout;
  const tooMuch = vmcoreinfo.byteCount > maxVmcoreinfoBytes;
  const cut = namedEnd > source.byteCount;
  const readable =
    vmcoreinfo.byteCount > 0 && !tooMuch && vmcoreinfo.at + vmcoreinfo.byteCount <= source.byteCount;
  return {
    format: 'kdump-compressed',
    fault: tooMuch ? 'vmcoreinfo is too long' : cut ? 'the notes or vmcoreinfo reach past the end' : null,
    truncated: cut,
    incompleteFlag: (layout.status & incomplete) !== 0,
    release: layout.release === '' ? null : layout.release,
    vmcoreinfo: readable ? await source.read(vmcoreinfo.at, vmcoreinfo.byteCount) : null,
    memory: pagedMemory(layout.pageBytes, (pfn) => readPage(source, layout, bitmap, pfn)),
    checkPages: () => checkPages(source, layout, bitmap.count),
  };
}

const headerCut = 'the dump ends inside its headers';

/** The layout, or what is wrong with the headers. */
async function readLayout(source: ByteSource): Promise<Layout | string> {
  const head = await source.read(0, headerBytes);
  if (head.length < headerBytes) return headerCut;
  const view = viewOf(head);
  const version = view.getInt32(8, true);
  const pageBytes = view.getInt32(428, true);
  const subBlocks = view.getInt32(432, true);
  const bitmapBlocks = view.getUint32(436, true);
  if (version < 1 || version > newestVersion) return `header version ${version} is not known`;
  if (![4096, 8192, 16384, 32768, 65536].includes(pageBytes))
    return `a block of ${pageBytes} bytes is not known`;
  if (subBlocks < 1) return `a sub header of ${subBlocks} blocks is not known`;
  const subHead = await source.read(pageBytes, subHeaderBytes);
  if (subHead.length < subHeaderBytes) return headerCut;
  const sub = viewOf(subHead);
  const stretch = (at: number, since: number): Stretch =>
    version >= since ? { at: u64(sub, at), byteCount: u64(sub, at + 8) } : { at: 0, byteCount: 0 };
  if (version >= 2 && sub.getInt32(12, true) !== 0) return 'this is one part of a split dump';
  const maxPfn = (version >= 6 && u64(sub, 96)) || view.getUint32(440, true);
  const bitmapBytes = bitmapBlocks * pageBytes;
  if (maxPfn > maxPages) return `${maxPfn} page frames are more than a machine has`;
  const needed = Math.ceil(maxPfn / 8 / pageBytes) * pageBytes;
  if (bitmapBlocks % 2 !== 0 || bitmapBytes / 2 < needed || bitmapBytes / 2 > needed + 16 * pageBytes) {
    return `bitmaps of ${bitmapBlocks} blocks do not fit ${maxPfn} page frames`;
  }
  const bitmapAt = (1 + subBlocks) * pageBytes;
  const vmcoreinfo = stretch(32, 3);
  const named = [vmcoreinfo, stretch(48, 4), stretch(64, 5)].filter((s) => s.byteCount > 0);
  return {
    pageBytes,
    bitmapAt,
    bitmapBytes,
    descriptorsAt: bitmapAt + bitmapBytes,
    maxPfn,
    status: view.getUint32(424, true),
    release: textOf(head.subarray(142, 207)),
    vmcoreinfo,
    namedEnd: Math.max(0, ...named.map((s) => s.at + s.byteCount)),
  };
}

/** One page by its frame number, for reads at random. */
async function readPage(
  source: ByteSource,
  layout: Layout,
  bitmap: BitmapIndex,
  pfn: number,
): Promise<Uint8Array | Unreadable> {
  const rank = await bitmap.rankOf(pfn);
  if (rank === null) return 'missing';
  const entry = await source.read(layout.descriptorsAt + rank * descriptorBytes, descriptorBytes);
  if (entry.length < descriptorBytes) return 'missing';
  const view = viewOf(entry);
  const at = u64(view, 0);
  const byteCount = view.getUint32(8, true);
  const codec = codecOf(view.getUint32(12, true));
  if (at === 0 && byteCount === 0) return 'missing';
  if (byteCount === 0 || byteCount > layout.pageBytes || codec === null) return 'undecodable';
  if (at + byteCount > source.byteCount) return 'missing';
  const data = await source.read(at, byteCount);
  return decodePage(codec, data, layout.pageBytes) ?? (isUnwritten(codec, data) ? 'missing' : 'undecodable');
}

/** Encoded data is never all zeros: where it is, it was never written. */
function isUnwritten(codec: Codec, data: Uint8Array): boolean {
  return codec !== 'none' && data.every((byte) => byte === 0);
}

/**
 * Decodes every page once, in the order of the descriptors, which is that of the data. The one page of zeros
 * that several descriptors may share stands first in the data (write_kdump_pages_and_bitmap_cyclic).
 */
async function checkPages(source: ByteSource, layout: Layout, promised: number): Promise<PageCheck> {
  const { pageBytes, descriptorsAt } = layout;
  const described = Math.min(promised, Math.floor((source.byteCount - descriptorsAt) / descriptorBytes));
  const dataAt = descriptorsAt + promised * descriptorBytes;
  const window = windowOf(source, 1 << 20);
  let byteCount = Math.min(source.byteCount, Math.max(layout.namedEnd, dataAt));
  let [present, undecodable, decodedBytes] = [0, 0, 0];
  let truncated = described < promised;
  let fault = truncated ? `the dump ends inside its table of ${promised} page descriptors` : null;
  let shared: boolean | null = null;
  const result = (): PageCheck => ({ promised, present, undecodable, truncated, fault, byteCount });

  for (let first = 0; first < described; first += descriptorsAtOnce) {
    const count = Math.min(descriptorsAtOnce, described - first);
    const table = await source.read(descriptorsAt + first * descriptorBytes, count * descriptorBytes);
    const view = viewOf(table);
    for (let i = 0; i < Math.floor(table.length / descriptorBytes); i++) {
      const at = u64(view, i * descriptorBytes);
      const size = view.getUint32(i * descriptorBytes + 8, true);
      const codec = codecOf(view.getUint32(i * descriptorBytes + 12, true));
      // A descriptor of zeros was never written: neither was its page.
      if (at === 0 && size === 0) continue;
      if (at < dataAt || size === 0 || size > pageBytes || codec === null) {
        fault ??= `page descriptor ${first + i} does not describe a page`;
        undecodable++;
        continue;
      }
      if (at + size > source.byteCount) {
        truncated = true;
        fault ??= `the data of page descriptor ${first + i} reaches past the end`;
        continue;
      }
      byteCount = Math.max(byteCount, at + size);
      if (at === dataAt && shared !== null) {
        present++;
        if (!shared) undecodable++;
        continue;
      }
      decodedBytes += size;
      if (decodedBytes > 2 * source.byteCount) {
        fault ??= 'the page descriptors overlap';
        return result();
      }
      const data = window.peek(at, size) ?? (await window.load(at, size));
      const good = decodePage(codec, data, pageBytes) !== null;
      if (at === dataAt) shared = good;
      if (!good && isUnwritten(codec, data)) continue;
      present++;
      if (!good) undecodable++;
    }
  }
  return result();
}
