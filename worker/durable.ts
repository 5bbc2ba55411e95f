/** Files of the server and the auditor that survive a power cut: written beside, fsynced, renamed, directory fsynced. */
import { open, rename } from 'node:fs/promises';
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
