/** Takes an installation back: exactly what its manifest names, from the end. */
import { createHash } from 'node:crypto';
import { lstat, readFile, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Programs } from '../metal/programs.ts';
import { type Done, describeUndo } from './steps.ts';

export interface UndoOptions {
  /** `/` but in tests: the paths of files are below it. */
  readonly root: string;
  readonly programs: Programs;
  readonly told: (step: string) => void;
}

const programTimeoutMs = 15 * 60_000;

async function undoOne(done: Done, { root, programs }: UndoOptions): Promise<string | null> {
  if (done.kind === 'undo') {
    const [name = '', ...args] = done.command;
    const { code, stderr, stdout } = await programs(name, args, { timeoutMs: programTimeoutMs });
    // 127: the program is gone, and what it had done with it.
    if (code === 0 || code === 127) return null;
    return `${done.command.join(' ')} ended with ${code}: ${`${stderr}\n${stdout}`.trim().split('\n').slice(-3).join('\n')}`;
  }
  const path = join(root, done.path);
  if (done.kind === 'directory') {
    await rmdir(path).catch((error: NodeJS.ErrnoException) => {
      // What others have put there stays, and so does the directory.
      if (!['ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR'].includes(error.code ?? '')) throw error;
    });
    return null;
  }
  const found = await lstat(path).catch(() => null);
  if (found === null) return null;
  const isOwn =
    found.isFile() &&
    createHash('sha256')
      .update(await readFile(path))
      .digest('hex') === done.sha256;
  if (found.isDirectory()) return `${done.path} is a directory by now, and was left there`;
  await rm(path);
  return isOwn ? null : `${done.path} had been changed since it was installed; it was removed`;
}

/** Undoes it, last things first, and gives what there is to say of it. What cannot be undone does not stop the rest. */
export async function undoAll(done: readonly Done[], options: UndoOptions): Promise<string[]> {
  const remarks: string[] = [];
  for (const one of done.toReversed()) {
    options.told(describeUndo(one));
    const remark = await undoOne(one, options).catch(
      (error: Error) => `${describeUndo(one)}: ${error.message}`,
    );
    if (remark !== null) remarks.push(remark);
  }
  return remarks;
}
