/**
 * Room in the state directory for what follows a crash: a dump may fill the file system to its last block. The room is
 * taken before the crash, and given back when it is needed.
 */
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Advice } from '../advice.ts';
import { syncDirectory } from '../durable.ts';

/** The journal's lines, the report in the outbox, and what files of that size cost beside. */
export const reserveBytes = 1 << 20;

const pathIn = (dir: string) => join(dir, 'reserve');

/** Takes the room. Throws Advice where the file system has none; then nothing was crashed. */
export async function takeReserve(dir: string): Promise<void> {
  const path = pathIn(dir);
  try {
    const handle = await open(path, 'w', 0o600);
    try {
      // Not zeros: a file system may give such blocks away again.
      await handle.writeFile(Buffer.alloc(reserveBytes, 0xa5));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await syncDirectory(dir);
  } catch (error) {
    await rm(path, { force: true });
    const why = error instanceof Error ? error.message : String(error);
    throw new Advice(
      `${dir} has no room for ${reserveBytes} bytes (${why}): after a crash nothing could be reported. Nothing was crashed. See what fills it:`,
      [`df -h ${dir}`],
    );
  }
}

/** Gives the room back. */
export async function giveReserveBack(dir: string): Promise<void> {
  await rm(pathIn(dir), { force: true });
}
