/** Files that survive a power cut, for copies of a store. */
import { existsSync } from 'node:fs';
import { link, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Obstacle } from './command.ts';

/** The code of an error of the file system, such as ENOENT. */
export function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** Makes a file, or the entries of a directory, durable. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Gives a finished file its name, durably. Throws an Obstacle where the name is taken: nothing is overwritten. */
export async function nameOnce(finished: string, path: string): Promise<void> {
  try {
    await link(finished, path);
    await rm(finished);
  } catch (error) {
    const taken = codeOf(error) === 'EEXIST' || existsSync(path);
    if (taken) throw new Obstacle(`${path} is there already, and is not overwritten. Choose another name.`);
    // A file system without links, such as that of many USB sticks.
    await rename(finished, path);
  }
  await sync(dirname(path));
}

/** A file's size in bytes; 0 where there is none. */
export async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 0;
    throw error;
  }
}

/** A size as people read it. */
export function sizeInWords(byteCount: number): string {
  if (byteCount < 1024) return `${byteCount} bytes`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(Math.floor(Math.log2(byteCount) / 10), units.length);
  return `${(byteCount / 1024 ** power).toFixed(1)} ${units[power - 1]}`;
}
