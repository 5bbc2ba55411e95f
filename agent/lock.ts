/** A lock on a directory's work: one process at a time. It is void when its holder is gone, however that ended. */
import { readFileSync } from 'node:fs';
import { open, readFile, rm } from 'node:fs/promises';
import { Advice } from './advice.ts';

/**
 * What tells a process from a later one with the same number: its start time (proc(5), field 22 of stat), and the boot
 * that this time counts from.
 */
function identityOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]} ${boot}`;
  } catch {
    return null;
  }
}

/** Takes the lock at `path`, and gives what releases it. Throws Advice where a living process holds it. */
export async function takeLock(path: string, what: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      const handle = await open(path, 'wx');
      await handle.writeFile(identityOf(process.pid) ?? '');
      await handle.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = (await readFile(path, 'utf8').catch(() => '')).trim();
    const pid = Number(holder.split(' ')[0]);
    if (holder !== '' && identityOf(pid) === holder) {
      throw new Advice(`${what} is being run by process ${pid}. Wait for it, or end it first:`, [
        `kill ${pid}`,
      ]);
    }
    await rm(path, { force: true });
  }
}
