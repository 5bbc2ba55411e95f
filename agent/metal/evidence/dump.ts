/**
 * Finds the dump of one trial among what has come since the arming, and has the verifier look at it. Which dump is the
 * trial's is not decided by name or time, but by the nonce in it.
 */
import { statfs } from 'node:fs/promises';
import type { DumpState } from '../../../schema/after-reboot.ts';
import type { Listing } from '../../../schema/canary.ts';
import type { DumpFinding } from '../../../schema/evidence.ts';
import type { LogPlan } from '../../../schema/log-canary.ts';
import { dumpLog, verifyDump } from '../../dump/verify.ts';
import type { DumpFiles, Layout } from '../distribution/layout.ts';
import { type CrashEntry, crashEntries, filesOf, openWithin, startOf } from './crash-directory.ts';

/** What the directory of dumps holds of one trial. */
export interface DumpSearch {
  readonly state: Extract<DumpState, 'none' | 'incomplete' | 'complete' | 'unreadable'>;
  readonly finding: DumpFinding | null;
  /** The crashed kernel's log, from the dump. */
  readonly crashLog: readonly string[];
  /** The capture kernel's log, where the tooling keeps it; null where it does not. */
  readonly captureLog: readonly string[] | null;
  /** Why the verifier could not look at the dump, where the survey is to blame for that. */
  readonly fault: string | null;
  /** The directory that is the trial's, for whoever removes it. */
  readonly directory: string | null;
  /** The file system of the dumps has no space left. */
  readonly isFull: boolean;
}

export interface SearchOptions {
  /** Where dumps lie, as a path of the running system. */
  readonly directory: string;
  readonly layout: Layout;
  readonly planted: Listing | LogPlan;
  /** Marks of what was there before the arming. */
  readonly before: ReadonlySet<string>;
  /** No dump of this machine can be larger. */
  readonly mostBytes: number;
  /** How much space is left on the file system of a directory; null where that is not known. */
  readonly freeBytesAt?: (path: string) => Promise<number | null>;
}

/** More dumps than this since one arming are none that a machine makes: the newest are looked at. */
const entriesMax = 16;
const logLinesMax = 4000;
const captureLogMaxBytes = 1 << 20;

interface Looked {
  readonly entry: CrashEntry;
  readonly files: DumpFiles;
  readonly finding: DumpFinding | null;
  readonly crashLog: readonly string[];
  readonly fault: string | null;
}

/** A finding on what cannot be a dump, or cannot be read. */
function noDump(byteCount: number, fault: string): DumpFinding {
  return {
    format: 'unknown',
    fault: fault.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 300),
    byte_count: byteCount,
    truncated: false,
    incomplete_flag: false,
    pages: { promised: 0, present: 0, undecodable: 0 },
    armed: 'missing',
    fired: 'missing',
    canaries: { planted: 0, good: 0, changed: 0, missing: 0 },
    kernel_release: null,
    vmcoreinfo: 'absent',
    log_lines: null,
  };
}

/** The verifier's finding on one file, and the log in it. A file that fails to be read is reported as such. */
async function lookInto(entry: CrashEntry, name: string, { planted, mostBytes }: SearchOptions) {
  const source = await openWithin(entry, name);
  try {
    if (source.byteCount > mostBytes) {
      const fault = 'the file is larger than the memory of this machine: it was not read';
      return { finding: noDump(source.byteCount, fault), crashLog: [] };
    }
    const finding = await verifyDump(source, planted);
    const log = finding.vmcoreinfo === 'absent' ? null : await dumpLog(source, logLinesMax);
    return { finding, crashLog: log ?? [] };
  } finally {
    await source.close();
  }
}

async function lookAt(entry: CrashEntry, options: SearchOptions): Promise<Looked> {
  const names = await filesOf(entry);
  const texts = new Map<string, string | null>();
  for (const name of names) if (name === 'README.txt') texts.set(name, await startOf(entry, name, 8192));
  const files = options.layout.filesIn(names, (name) => texts.get(name) ?? null);
  const found = { entry, files, finding: null, crashLog: [], fault: null };
  if (files.dump === null) return found;
  if (files.packedBy !== null) {
    const fault = `the dump is packed with ${files.packedBy}, which the verifier does not read: unset KDUMP_COMPRESSION`;
    return { ...found, fault };
  }
  try {
    return { ...found, ...(await lookInto(entry, files.dump, options)) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { ...found, finding: noDump(0, `the dump cannot be read: ${code ?? message}`) };
  }
}

/** How surely a dump is the trial's, the surest highest: its nonce; unreadable, so perhaps; another crash's. */
function likeness({ files, finding }: Looked): number {
  if (finding === null) return files.dump === null ? 1 : 2;
  const isOurs = [finding.armed, finding.fired].some((record) =>
    ['present', 'changed', 'unfired'].includes(record),
  );
  if (isOurs) return 4;
  const isOthers = [finding.armed, finding.fired].some((record) =>
    ['other-trial', 'absent'].includes(record),
  );
  return isOthers ? 0 : files.dump === null ? 1 : 3;
}

/** With less than this the file system counts as full: makedumpfile writes at least so much at once. */
const fullBelowBytes = 1 << 20;

async function systemFreeBytesAt(path: string): Promise<number | null> {
  return statfs(path).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => null,
  );
}

async function captureLogOf({ entry, files }: Looked): Promise<string[] | null> {
  if (files.captureLog === null) return null;
  const text = await startOf(entry, files.captureLog, captureLogMaxBytes);
  return text === null ? null : text.split('\n');
}

/** Looks for the dump of a trial. Never rejects for what may lie in the directory. */
export async function findDump(options: SearchOptions): Promise<DumpSearch> {
  const { directory, layout, before, freeBytesAt = systemFreeBytesAt } = options;
  const nothing = { finding: null, crashLog: [], captureLog: null, fault: null, directory: null };
  const isFull = ((await freeBytesAt(directory)) ?? fullBelowBytes) < fullBelowBytes;
  const entries = await crashEntries(directory, layout.directory, before, entriesMax);
  if (entries === null) return { ...nothing, state: 'unreadable', isFull };
  let best: Looked | null = null;
  for (const entry of entries) {
    const looked = await lookAt(entry, options);
    if (best === null || likeness(looked) > likeness(best)) best = looked;
    if (likeness(best) === 4) break;
  }
  if (best === null) return { ...nothing, state: 'none', isFull };
  return {
    state: best.files.isFinished ? 'complete' : 'incomplete',
    finding: best.finding,
    crashLog: best.crashLog,
    captureLog: await captureLogOf(best),
    fault: best.fault,
    directory: best.entry.path,
    isFull,
  };
}
