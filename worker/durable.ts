/** Files of the server and the auditor that survive a power cut: written beside, fsynced, renamed, directory fsynced. */
import { randomUUID } from 'node:crypto';
import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

async function synced(path: string, flags: string, write?: string): Promise<void> {
  const handle = await open(path, flags, 0o600);
  try {
    if (write !== undefined) await handle.writeFile(write);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Replaces a file as a whole: a reader sees the old contents or the new ones, also after a power cut. */
export async function replaceDurably(path: string, contents: string): Promise<void> {
  await synced(`${path}.tmp`, 'w', contents);
  await rename(`${path}.tmp`, path);
  await synced(dirname(path), 'r');
}

/** Makes a file as a whole, for its owner only, unless there is one: then it stays, and this gives false. */
export async function createDurably(path: string, contents: string): Promise<boolean> {
  const beside = `${path}.${randomUUID()}.tmp`;
  await synced(beside, 'wx', contents);
  try {
    await link(beside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(beside);
  }
  await synced(dirname(path), 'r');
  return true;
}
