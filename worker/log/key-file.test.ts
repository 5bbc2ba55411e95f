/** The file of a key: made once, whoever else makes it at the same moment, and never taken for empty. */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { toHex } from '../../schema/bytes.ts';
import { seedIn } from './key-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dumpsurvey-key-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const random = (byteCount: number) => crypto.getRandomValues(new Uint8Array(byteCount));

it('is one key for all who ask at once, readable by its owner only, with nothing left beside it', async () => {
  const path = join(folder, 'log.key');
  const seeds = await Promise.all(Array.from({ length: 20 }, () => seedIn(path, random)));
  expect(new Set(seeds.map(toHex)).size).toBe(1);
  expect(toHex(await seedIn(path, random))).toBe(toHex(seeds[0] ?? new Uint8Array()));
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['log.key']);
});

it.each(['', 'abc', 'g'.repeat(64), 'ab'.repeat(33)])(
  'is not replaced where the file holds %j',
  async (text) => {
    const path = join(folder, 'log.key');
    await writeFile(path, text);
    await expect(seedIn(path, random)).rejects.toThrow(/does not hold a key. Restore it/);
    expect(await readFile(path, 'utf8')).toBe(text);
  },
);
