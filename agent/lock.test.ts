import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { takeLock } from './lock.ts';

const path = () => join(mkdtempSync(join(tmpdir(), 'lock-')), 'lock');

/** Field 22 of proc(5)'s stat. */
function startTime(): string {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

it('is held by one process, and names it', async () => {
  const at = path();
  const release = await takeLock(at, 'The work');
  await expect(takeLock(at, 'The work')).rejects.toThrow(`The work is being run by process ${process.pid}`);
  await release();
  await (await takeLock(at, 'The work'))();
});

it.each([
  ['of a process that is gone', '4194999 12345'],
  ['of a process whose number was used again', `${process.pid} 1`],
  [
    'of a process with the same number and time in an earlier boot',
    `${process.pid} ${startTime()} other-boot`,
  ],
  ['that was torn while it was written', ''],
  ['that is no lock at all', 'hello'],
])('is void where a file is left over %s', async (_, contents) => {
  const at = path();
  writeFileSync(at, contents);
  await (await takeLock(at, 'The work'))();
});
