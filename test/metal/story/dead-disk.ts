/** What a machine that lost its power has on its disk, seen from outside, with the guest off. */
import { rm } from 'node:fs/promises';
import { CommandError, run } from '../../../agent/run.ts';
import { copyDisk, partitionAtBytes } from '../image/disk.ts';

/** Copies the partition alone: e2fsck replays a journal only in a file that begins with the file system. */
async function copyPartition(disk: string, copy: string): Promise<void> {
  await copyDisk(disk, copy);
  try {
    // What lies before it is cut out of the file, which costs nothing.
    await run(['fallocate', '--collapse-range', '--offset', '0', '--length', String(partitionAtBytes), copy]);
  } catch (error) {
    // Not every file system can; then it is read and written.
    if (!(error instanceof CommandError)) throw error;
    await run(['dd', `if=${disk}`, `of=${copy}`, 'bs=1M', `skip=${partitionAtBytes >> 20}`, 'conv=sparse']);
  }
}

export interface DeadDisk {
  /** What e2fsck still found wrong after the file system's own journal was replayed; empty where all was well. */
  readonly faults: string;
  /** The contents of a file, or null where there is none. */
  readonly read: (path: string) => Promise<string | null>;
  readonly close: () => Promise<void>;
}

/**
 * Looks into a copy of a disk as the next start would find it: the journal of the file system is replayed first, then
 * every structure is checked.
 */
export async function lookInto(disk: string): Promise<DeadDisk> {
  const copy = `${disk}.dead`;
  await copyPartition(disk, copy);
  // Status 1: what the journal held was brought in, or errors were mended; 4 and more: errors remain.
  await run(['e2fsck', '-E', 'journal_only', '-y', copy]).catch((error: unknown) => {
    if (!(error instanceof CommandError) || !/: exit 1$/m.test(error.message)) throw error;
  });
  const faults = await run(['e2fsck', '-f', '-n', copy]).then(
    () => '',
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  return {
    faults,
    read: async (path) => {
      const found = await run(['debugfs', '-R', `stat ${path}`, copy]);
      if (!/^Inode:/m.test(found)) return null;
      return run(['debugfs', '-R', `cat ${path}`, copy]);
    },
    close: () => rm(copy, { force: true }),
  };
}
