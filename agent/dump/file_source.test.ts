/** A stretch of a file is read as if it were all there is. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { fileSource } from './file_source.ts';

const folder = mkdtempSync(join(tmpdir(), 'dump-'));
const path = join(folder, 'disk');
writeFileSync(path, '0123456789');
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  [{}, 10, '0123456789'],
  [{ offset: 4 }, 6, '456789'],
  [{ offset: 4, byteCount: 3 }, 3, '456'],
  [{ offset: 20 }, 0, ''],
])('%o', async (options, byteCount, text) => {
  const source = await fileSource(path, options);
  expect(source.byteCount).toBe(byteCount);
  expect(Buffer.from(await source.read(0, 100)).toString()).toBe(text);
  expect(Buffer.from(await source.read(1, 2)).toString()).toBe(text.slice(1, 3));
  expect((await source.read(50, 2)).length).toBe(0);
  await source.close();
});

test('a file that is not there is an error of the source', async () => {
  await expect(fileSource(join(folder, 'none'))).rejects.toThrow('ENOENT');
});
