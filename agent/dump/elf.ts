/**
 * An ELF64 core of a whole machine, as /proc/vmcore is and `makedumpfile -E` writes it: PT_LOAD segments by
 * physical address, a PT_NOTE with VMCOREINFO (include/uapi/linux/elf.h, fs/proc/vmcore.c). Little-endian only.
 *
 * A netdump is such a file, too, but older than vmcoreinfo: its first segment is page-aligned in the file and
 * says so (crash's netdump.c, is_netdump).
 */
import { type Dump, maxVmcoreinfoBytes, unreadableDump } from './dump.ts';
import { intervalMap, type Piece } from './intervals.ts';
import { pagedMemory, type Unreadable } from './memory.ts';
import { type ByteSource, textOf, u64, viewOf, windowOf } from './source.ts';

const headerBytes = 64;
const programHeaderBytes = 56;
const pageBytes = 4096;
/** e_phnum where the count does not fit: section header 0 has it, in sh_info (PN_XNUM). */
const countElsewhere = 0xffff;
const maxSegments = 1 << 20;
const maxNotes = 1 << 16;
const ptLoad = 1;
const ptNote = 4;
/** makedumpfile's DUMP_ELF_INCOMPLETE */
const incomplete = 1;

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly phys: number;
  readonly fileBytes: number;
  readonly align: number;
}

/** Reads the headers of a dump whose first bytes are those of an ELF core. */
export async function openElf(source: ByteSource): Promise<Dump> {
  const head = await source.read(0, headerBytes);
  const view = viewOf(head);
  const unreadable = (fault: string, truncated = false) =>
    unreadableDump('elf', source.byteCount, { fault, truncated });
  if (head[4] !== 2 || head[5] !== 1) return unreadable('only 64-bit little-endian ELF can be read');
  if (view.getUint16(54, true) !== programHeaderBytes)
    return unreadable('the program headers have an unknown size');
  const tableAt = u64(view, 32);
  const count = await segmentCount(source, view);
  if (count === 0 || count > maxSegments) return unreadable(`${count} program headers are not believable`);
  const table = await source.read(Math.min(tableAt, source.byteCount), count * programHeaderBytes);
  if (table.length < count * programHeaderBytes)
    return unreadable('the dump ends inside its program headers', true);

  const segments = readSegments(table);
  const loads = segments.filter((s) => s.type === ptLoad && s.fileBytes > 0);
  const ends = segments.map((s) => s.offset + s.fileBytes);
  const end = ends.reduce((most, e) => Math.max(most, e), tableAt + table.length);
  const truncated = end > source.byteCount;
  const promised = loads.reduce((sum, s) => sum + Math.ceil(s.fileBytes / pageBytes), 0);
  if (!(promised <= Number.MAX_SAFE_INTEGER))
    return unreadable('the segments are longer than any memory', true);
  const vmcoreinfo = await findVmcoreinfo(source, segments);
  const first = loads[0];
  const netdump =
    vmcoreinfo === null && first !== undefined && first.offset % pageBytes === 0 && first.align !== 0;
  const fault = truncated ? `the segments reach to byte ${end}, the dump to byte ${source.byteCount}` : null;
  return {
    format: netdump && loads.length === 1 ? 'netdump' : 'elf',
    fault,
    truncated,
    incompleteFlag: (view.getUint32(48, true) & incomplete) !== 0,
    release: null,
    vmcoreinfo,
    memory: segmentMemory(source, loads),
    checkPages: async () => ({
      promised,
      present: loads.reduce((sum, s) => sum + presentPages(s, source.byteCount), 0),
      undecodable: 0,
      truncated,
      fault,
      byteCount: Math.min(end, source.byteCount),
    }),
  };
}

async function segmentCount(source: ByteSource, header: DataView): Promise<number> {
  const count = header.getUint16(56, true);
  if (count !== countElsewhere) return count;
  const section = await source.read(Math.min(u64(header, 40), source.byteCount), headerBytes);
  return section.length === headerBytes ? viewOf(section).getUint32(44, true) : 0;
}

function readSegments(table: Uint8Array): Segment[] {
  const view = viewOf(table);
  return Array.from({ length: table.length / programHeaderBytes }, (_, i) => {
    const at = i * programHeaderBytes;
    return {
      type: view.getUint32(at, true),
      offset: u64(view, at + 8),
      phys: u64(view, at + 24),
      fileBytes: u64(view, at + 32),
      align: u64(view, at + 48),
    };
  });
}

function presentPages(segment: Segment, end: number): number {
  const there = Math.min(segment.fileBytes, Math.max(0, end - segment.offset));
  return there === segment.fileBytes ? Math.ceil(there / pageBytes) : Math.floor(there / pageBytes);
}

function segmentMemory(source: ByteSource, loads: readonly Segment[]) {
  const pieces: Piece[] = loads
    .map((s) => ({
      start: s.phys,
      byteCount: Math.min(s.fileBytes, Math.max(0, source.byteCount - s.offset)),
      target: s.offset,
    }))
    .filter((p) => p.byteCount > 0 && p.start + p.byteCount <= Number.MAX_SAFE_INTEGER);
  const map = intervalMap(pieces);
  return pagedMemory(pageBytes, async (pfn): Promise<Uint8Array | Unreadable> => {
    const page = new Uint8Array(pageBytes);
    for (let done = 0; done < pageBytes; ) {
      const span = map.at(pfn * pageBytes + done);
      if (span.target === null) return 'missing';
      const wanted = Math.min(span.byteCount, pageBytes - done);
      page.set(await source.read(span.target, wanted), done);
      done += wanted;
    }
    return page;
  });
}

/** The contents of the note named VMCOREINFO, or null where there is none. */
async function findVmcoreinfo(source: ByteSource, segments: readonly Segment[]): Promise<Uint8Array | null> {
  const window = windowOf(source, 1 << 16);
  let notes = 0;
  for (const segment of segments.filter((s) => s.type === ptNote)) {
    const end = Math.min(segment.offset + segment.fileBytes, source.byteCount);
    for (let at = segment.offset; at + 12 <= end && notes < maxNotes; notes++) {
      const head = viewOf(await window.load(at, 12));
      if (head.byteLength < 12) break;
      const nameBytes = head.getUint32(0, true);
      const contentBytes = head.getUint32(4, true);
      const contentAt = at + 12 + 4 * Math.ceil(nameBytes / 4);
      if (nameBytes === 11 && textOf(await window.load(at + 12, 11)) === 'VMCOREINFO') {
        if (contentBytes > maxVmcoreinfoBytes || contentAt + contentBytes > end) return null;
        return source.read(contentAt, contentBytes);
      }
      at = contentAt + 4 * Math.ceil(contentBytes / 4);
    }
  }
  return null;
}
