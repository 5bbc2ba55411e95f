import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run } from '../../../agent/run.ts';
import { partitionAtBytes, putFiles } from '../image/disk.ts';
import { lookInto } from './dead-disk.ts';

let dir = '';
const disk = () => join(dir, 'disk.img');

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'dead-disk-'));
  const root = join(dir, 'root');
  mkdirSync(join(root, 'var'), { recursive: true });
  writeFileSync(join(root, 'var/journal'), 'one\ntwo\n');
  await run(['truncate', '--size', '33M', disk()]);
  const place = ['-E', `offset=${partitionAtBytes}`];
  await run(['mke2fs', '-q', '-F', '-t', 'ext4', '-d', root, ...place, disk(), '32M']);
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('its files are read, also those that were put in from outside, and the disk is left as it is', async () => {
  writeFileSync(join(dir, 'more'), 'three\n');
  await putFiles(disk(), [{ from: join(dir, 'more'), to: '/var/more' }]);
  const dead = await lookInto(disk());
  expect(dead.faults).toBe('');
  expect(await dead.read('/var/journal')).toBe('one\ntwo\n');
  expect(await dead.read('/var/more')).toBe('three\n');
  expect(await dead.read('/var/none')).toBeNull();
  await dead.close();
});

it('a file cannot be put where there is no directory', async () => {
  await expect(putFiles(disk(), [{ from: join(dir, 'more'), to: '/no/such/more' }])).rejects.toThrow(
    /could not be put/,
  );
});

it('a damaged file system is said to be so', async () => {
  const file = openSync(disk(), 'r+');
  // The block bitmap and what follows the group descriptors of the first group.
  writeSync(file, Buffer.alloc(64 * 1024, 0xa5), 0, 64 * 1024, partitionAtBytes + 64 * 1024);
  const dead = await lookInto(disk());
  expect(dead.faults).toMatch(/e2fsck/);
  await dead.close();
});
