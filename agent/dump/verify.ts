/**
 * The dump verifier: reads a dump in a stream, without debug symbols, and says what is there (DESIGN 4). It
 * judges nothing; `judgeDump` does. No dump makes it throw, allocate without bound or run longer than in
 * proportion to the source's length: only the source's own I/O errors come through.
 */
import type { Listing } from '../../schema/canary.ts';
import type { DumpFinding } from '../../schema/evidence.ts';
import { canaryLines, findInLog, type LogPlan } from '../../schema/log-canary.ts';
import type { Dump } from './dump.ts';
import { openElf } from './elf.ts';
import { openFlattened } from './flattened.ts';
import { openKdump } from './kdump.ts';
import { formatOf, magicBytes } from './magic.ts';
import { kernelMemory } from './paging.ts';
import { findPlanted, type PlantedFinding } from './planted.ts';
import { readLog } from './printk.ts';
import type { ByteSource } from './source.ts';
import { parseVmcoreinfo } from './vmcoreinfo.ts';

/** What lies at the source: the format, and the dump where its format can be read. */
export interface Opened {
  readonly format: DumpFinding['format'];
  readonly dump: Dump | null;
  /** The length of the stream around the dump, of a flattened one. */
  readonly streamBytes: number | null;
  readonly truncated: boolean;
  readonly fault: string | null;
}

/** Looks at a whole dump, for what the module or the log was planted with. Rejects for I/O errors only. */
export async function verifyDump(source: ByteSource, planted: Listing | LogPlan): Promise<DumpFinding> {
  const { format, dump, streamBytes, truncated, fault } = await openDump(source);
  if (!dump) {
    const count = 'canaries' in planted ? planted.canaries.length : canaryLines(planted.nonce).length;
    return {
      format,
      fault,
      byte_count: streamBytes ?? (format === 'empty' ? 0 : source.byteCount),
      truncated,
      incomplete_flag: false,
      pages: { promised: 0, present: 0, undecodable: 0 },
      armed: 'missing',
      fired: 'missing',
      canaries: { planted: count, good: 0, changed: 0, missing: count },
      kernel_release: null,
      vmcoreinfo: 'absent',
      log_lines: null,
    };
  }
  const check = await dump.checkPages();
  const info = dump.vmcoreinfo && parseVmcoreinfo(dump.vmcoreinfo);
  let lines = 0;
  const ours: string[] = [];
  const resolved = await logOf(dump, (line) => {
    lines++;
    if (!('canaries' in planted) && ours.length < ourLinesMax && ourLine.test(line)) ours.push(line);
  });
  const found =
    'canaries' in planted ? await findPlanted(dump.memory, planted) : plantedInLog(ours, planted, resolved);
  return {
    format,
    fault: (fault ?? dump.fault ?? check.fault)?.slice(0, 300) ?? null,
    byte_count: streamBytes ?? check.byteCount,
    truncated: truncated || dump.truncated || check.truncated,
    incomplete_flag: dump.incompleteFlag,
    pages: { promised: check.promised, present: check.present, undecodable: check.undecodable },
    ...found,
    kernel_release: (info?.release ?? dump.release)?.slice(0, 100) ?? null,
    vmcoreinfo: info ? (resolved ? 'resolved' : 'unresolved') : 'absent',
    log_lines: resolved ? lines : null,
  };
}

/** The lines that a plan in the log is about; a log that is full of them is not read to its end. */
const ourLine = /dumpsurvey: |sysrq: |lkdtm: /;
const ourLinesMax = 10_000;

/** A plan in the log, in the words for the module's records. A log that cannot be read holds nothing. */
function plantedInLog(lines: readonly string[], plan: LogPlan, resolved: boolean): PlantedFinding {
  const { armed, fired, otherTrial, good, changed, missing } = findInLog(lines, plan);
  const absent = resolved ? (otherTrial ? 'other-trial' : 'absent') : 'missing';
  return {
    armed: armed ? 'present' : absent,
    fired: fired ? 'present' : armed ? 'unfired' : absent,
    canaries: { planted: good + changed + missing, good, changed, missing },
  };
}

/**
 * The crashed kernel's log, one string a line, or null where the dump does not lead to one. Lines that could be
 * read are given even where the ring is not consistent. At most the last `limit` lines.
 */
export async function dumpLog(source: ByteSource, limit = 100_000): Promise<string[] | null> {
  const { dump } = await openDump(source);
  if (!dump) return null;
  let lines: string[] = [];
  const resolved = await logOf(dump, (line) => {
    lines.push(line);
    if (lines.length >= 2 * limit) lines = lines.slice(-limit);
  });
  return resolved || lines.length > 0 ? lines.slice(-limit) : null;
}

async function logOf(dump: Dump, onLine: (line: string) => void): Promise<boolean> {
  if (!dump.vmcoreinfo) return false;
  const info = parseVmcoreinfo(dump.vmcoreinfo);
  const memory = kernelMemory(dump.memory, info);
  return memory !== null && readLog(memory, info, onLine);
}

/** Recognises what lies at the source and reads its headers, without looking at the pages. */
export async function openDump(source: ByteSource): Promise<Opened> {
  const format = formatOf(await source.read(0, magicBytes));
  const plain = { streamBytes: null, truncated: false, fault: null };
  if (format === 'unknown')
    return { ...plain, format: (await isZero(source)) ? 'empty' : format, dump: null };
  if (format !== 'flattened') {
    const dump = await openPlain(format, source);
    return { ...plain, format: dump?.format ?? format, dump: dump?.format === 'netdump' ? null : dump };
  }
  const stream = await openFlattened(source);
  const within = formatOf(await stream.dump.read(0, magicBytes));
  return {
    format,
    dump: await openPlain(within, stream.dump),
    streamBytes: stream.byteCount,
    truncated: stream.truncated,
    fault:
      stream.fault ??
      (within === 'kdump-compressed' || within === 'elf' ? null : 'what was flattened is no dump'),
  };
}

async function openPlain(format: DumpFinding['format'], source: ByteSource): Promise<Dump | null> {
  if (format === 'kdump-compressed') return openKdump(source);
  if (format === 'elf') return openElf(source);
  return null;
}

/** A dump is written from its start on: where this much of the start is zeros, nothing was written. */
const emptyBytes = 16 << 20;

/** Whether nothing but zeros is there: a disk that was prepared and never written. */
async function isZero(source: ByteSource): Promise<boolean> {
  const zeros = new Uint8Array(1 << 20);
  for (let at = 0; at < Math.min(source.byteCount, emptyBytes); at += zeros.length) {
    const bytes = await source.read(at, zeros.length);
    if (Buffer.compare(bytes, zeros.subarray(0, bytes.length)) !== 0) return false;
  }
  return true;
}
