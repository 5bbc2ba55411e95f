/** Files that survive a power cut: written, fsynced, renamed, and their directory fsynced. */
import { randomUUID } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Makes the entries of a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes a file beside `path`, durably, and gives its name. */
async function writeBeside(path: string, contents: string | Uint8Array, mode: number): Promise<string> {
  const temporary = `${path}.${randomUUID()}.tmp`;
  const handle = await open(temporary, 'w', mode);
  try {
    await handle.writeFile(contents);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return temporary;
}

/** Replaces a file as a whole: a reader sees the old contents or the new ones, also after a power cut. */
export async function writeDurably(path: string, contents: string | Uint8Array, mode = 0o644): Promise<void> {
  await rename(await writeBeside(path, contents, mode), path);
  await syncDirectory(dirname(path));
}

/** Makes a file as a whole, unless there is one: then it stays, and this gives false. */
export async function createDurably(path: string, contents: string, mode: number): Promise<boolean> {
  const temporary = await writeBeside(path, contents, mode);
  try {
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(temporary);
  }
  await syncDirectory(dirname(path));
  return true;
}

/** Appends one line and makes it durable before it returns. Opens with O_APPEND, so lines never interleave. */
export async function appendDurably(path: string, line: string): Promise<void> {
  const handle = await open(path, 'a', 0o600);
  try {
    await handle.writeFile(`${line}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
