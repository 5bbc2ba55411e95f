import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sourceOf } from '../../../test/audit/files.ts';
import { copyIn, fileOf, keeping, moveInto } from './copy.ts';
import { Incomplete, linesOf, readBytes } from './source.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'dumpsurvey-copy-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const big = new Uint8Array(100_000).fill(120);
const files = new Map([
  ['log/tile/0/x001/234.p/5', new Uint8Array([1, 2, 3])],
  ['v1/statistics/by=driver&population=lab', big],
]);

it('each address has a file of its own', () => {
  expect(fileOf('/log/tile/0/x001/234.p/5')).toBe('log/tile/0/x001/234.p/5');
  expect(fileOf('/v1/statistics?by=driver,role&population=lab')).toBe(
    'v1/statistics/by=driver,role&population=lab',
  );
});

it('what was read is kept, and reads the same from there', async () => {
  const source = keeping(sourceOf(files), directory);
  await readBytes(source, '/log/tile/0/x001/234.p/5', 10);
  await readBytes(source, '/v1/statistics?by=driver&population=lab', 1_000_000);
  const copy = copyIn(directory);
  expect(await readBytes(copy, '/log/tile/0/x001/234.p/5', 10)).toEqual(new Uint8Array([1, 2, 3]));
  expect(await readBytes(copy, '/v1/statistics?by=driver&population=lab', 1_000_000)).toEqual(big);
});

it('what was not read to its end is not kept', async () => {
  const source = keeping(sourceOf(files), directory);
  await expect(readBytes(source, '/v1/statistics?by=driver&population=lab', 5000)).rejects.toThrow(
    Incomplete,
  );
  expect(await readdir(directory, { recursive: true })).toEqual(['v1', 'v1/statistics']);
});

it('what is not in a copy is said to be missing', async () => {
  await expect(readBytes(copyIn(directory), '/log/key', 10)).rejects.toThrow(
    /log\/key is not in this copy.*--keep/,
  );
  await expect(readBytes(copyIn(directory), '/', 10)).rejects.toThrow(Incomplete);
});

it('a copy has lines, and an end without a newline shows', async () => {
  await writeFile(join(directory, 'lines'), 'one\ntwo');
  const lines: string[] = [];
  for await (const line of linesOf(copyIn(directory), '/lines', 100)) lines.push(line);
  expect(lines).toEqual(['one', 'two\uffff']);
});

it('a directory moves over another one, file by file', async () => {
  const [from, to] = [join(directory, 'to', 'next'), join(directory, 'to')];
  await readBytes(keeping(sourceOf(files), from), '/log/tile/0/x001/234.p/5', 10);
  await readBytes(keeping(sourceOf(new Map([['log/key', big]])), to), '/log/key', 1_000_000);
  await moveInto(from, to);
  expect((await readdir(to, { recursive: true })).sort()).toEqual([
    'log',
    'log/key',
    'log/tile',
    'log/tile/0',
    'log/tile/0/x001',
    'log/tile/0/x001/234.p',
    'log/tile/0/x001/234.p/5',
  ]);
  expect(new Uint8Array(await readFile(join(to, 'log/tile/0/x001/234.p/5')))).toEqual(
    new Uint8Array([1, 2, 3]),
  );
});
