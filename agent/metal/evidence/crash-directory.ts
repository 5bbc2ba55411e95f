/**
 * The directory of dumps, read as something that anybody may have written to (Ubuntu's is world-writable): no link is
 * followed out of it, nothing but directories and regular files is opened, and neither many names nor large files take
 * more than a bounded time and memory. Nothing in it is ever written.
 */
import { constants } from 'node:fs';
import { lstat, open, opendir, readlink, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { type FileSource, handleSource } from '../../dump/file_source.ts';

/** One dump's own directory. */
export interface CrashEntry {
  readonly name: string;
  /** With every link resolved. */
  readonly path: string;
  readonly changedMs: number;
}

/**
 * The mark of an entry as it is now. A clock that was set back has the tooling use a name again: what it then writes
 * changes the directory's time, and so the mark.
 */
export function markOf({ name, changedMs }: CrashEntry): string {
  return `${name}@${Math.floor(changedMs)}`;
}

/** So many names are read of a directory; what is beyond is not seen. */
const namesMax = 20_000;
const filesMax = 64;

async function namesIn(path: string, most: number, fits: (name: string) => boolean): Promise<string[]> {
  const names: string[] = [];
  let seen = 0;
  for await (const { name } of await opendir(path)) {
    if (++seen > namesMax) break;
    if (fits(name) && names.length < most) names.push(name);
  }
  return names.sort();
}

/**
 * The directories of dumps whose names fit, but for those whose marks are in `before`; the newest first, at most `most`.
 * Null where the directory cannot be read.
 */
export async function crashEntries(
  directory: string,
  fits: RegExp,
  before: ReadonlySet<string>,
  most: number,
): Promise<CrashEntry[] | null> {
  try {
    const top = await realpath(directory);
    const names = await namesIn(top, namesMax, (name) => fits.test(name));
    const entries: CrashEntry[] = [];
    for (const name of names) {
      const path = join(top, name);
      const stat = await lstat(path).catch(() => null);
      if (!stat?.isDirectory()) continue;
      const entry = { name, path, changedMs: stat.mtimeMs };
      if (!before.has(markOf(entry))) entries.push(entry);
    }
    return entries.sort((a, b) => b.changedMs - a.changedMs || (a.name < b.name ? 1 : -1)).slice(0, most);
  } catch {
    return null;
  }
}

/** The names of the regular files in a dump's directory; none where it cannot be read. */
export async function filesOf({ path }: CrashEntry): Promise<string[]> {
  try {
    const names = await namesIn(path, filesMax, () => true);
    const stats = await Promise.all(names.map((name) => lstat(join(path, name)).catch(() => null)));
    return names.filter((_, i) => stats[i]?.isFile());
  } catch {
    return [];
  }
}

/**
 * Opens a file of a dump's directory for reading. Rejects with an Error where it is no regular file there: a link in its
 * place, or in the place of the directory, is not followed.
 */
export async function openWithin({ path }: CrashEntry, name: string): Promise<FileSource> {
  const at = join(path, name);
  const handle = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new Error(`${at} is no regular file`);
    // The directory may have become a link after it was looked at: the kernel says what was really opened.
    if ((await readlink(`/proc/self/fd/${handle.fd}`)) !== at) throw new Error(`${at} leads elsewhere`);
    return handleSource(handle, 0, stat.size);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The first bytes of a file of a dump's directory as text, or null where it cannot be read. */
export async function startOf(entry: CrashEntry, name: string, mostBytes: number): Promise<string | null> {
  try {
    const source = await openWithin(entry, name);
    try {
      return Buffer.from(await source.read(0, mostBytes)).toString('latin1');
    } finally {
      await source.close();
    }
  } catch {
    return null;
  }
}
