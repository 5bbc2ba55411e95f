/** Archives are listed and unpacked by cpio itself where it is installed, and read back here where it is not. */
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { type CpioEntry, cpio, directory, file, link } from './cpio.ts';

/** Reads an archive by its published format: 6 bytes of magic, 13 fields of 8 digits, name, data, each to 4 bytes. */
function unpack(archive: Buffer): (CpioEntry & { readonly inode: number; readonly links: number })[] {
  const entries = [];
  for (let at = 0; ; ) {
    expect(archive.toString('latin1', at, at + 6)).toBe('070701');
    const field = (i: number) =>
      Number.parseInt(archive.toString('latin1', at + 6 + 8 * i, at + 14 + 8 * i), 16);
    const [inode, mode, links, size, nameSize] = [field(0), field(1), field(4), field(6), field(11)];
    const path = archive.toString('utf8', at + 110, at + 110 + nameSize - 1);
    expect(archive[at + 109 + nameSize]).toBe(0);
    const data = Math.ceil((at + 110 + nameSize) / 4) * 4;
    if (path === 'TRAILER!!!') {
      expect(data).toBe(archive.length);
      return entries;
    }
    entries.push({ path, mode, inode, links, data: archive.subarray(data, data + size) });
    at = Math.ceil((data + size) / 4) * 4;
  }
}

const entries = [
  directory('proc'),
  file('bin/busybox', 'program', true),
  link('bin/sh', 'busybox'),
  file('etc/deep/er/a', new Uint8Array([0, 255, 10])),
  file('é', ''),
  ...[1, 2, 3, 4, 5].map((n) => file(`pad${'d'.repeat(n)}`, 'x'.repeat(n))),
];

test('an archive holds its entries, and the directories that they need before them', () => {
  const read = unpack(cpio(entries));
  expect(read.map(({ path }) => path)).toEqual([
    ...['proc', 'bin', 'bin/busybox', 'bin/sh', 'etc', 'etc/deep', 'etc/deep/er', 'etc/deep/er/a', 'é'],
    ...['padd', 'paddd', 'padddd', 'paddddd', 'padddddd'],
  ]);
  for (const { path, mode, data } of entries) {
    const found = read.find((e) => e.path === path);
    expect([path, found?.mode, Buffer.from(found?.data ?? []).toString('hex')]).toEqual([
      path,
      mode,
      Buffer.from(data).toString('hex'),
    ]);
  }
  expect(read.find(({ path }) => path === 'etc/deep')?.mode).toBe(0o040755);
  expect(new Set(read.map(({ inode }) => inode)).size).toBe(read.length);
});

test('the same entries make the same bytes', () => {
  expect(cpio(entries).equals(cpio(entries))).toBe(true);
});

test('of two entries of one path the last counts', () => {
  const read = unpack(cpio([file('a/b', 'first'), directory('a'), file('a/b', 'last')]));
  expect(read.map(({ path, data }) => [path, Buffer.from(data).toString()])).toEqual([
    ['a', ''],
    ['a/b', 'last'],
  ]);
});

test('an empty archive is its end alone', () => {
  expect(unpack(cpio([]))).toEqual([]);
});

describe.runIf(existsSync('/usr/bin/cpio'))('cpio itself', () => {
  const run = (args: string[], archive: Buffer, cwd = '/') =>
    execFileSync('/usr/bin/cpio', ['--quiet', ...args], { input: archive, cwd, stdio: 'pipe' }).toString();

  it('lists the archive', () => {
    expect(run(['-t'], cpio(entries)).trim().split('\n')).toEqual(
      unpack(cpio(entries)).map(({ path }) => path),
    );
  });

  it('unpacks it', () => {
    const dir = mkdtempSync(join(tmpdir(), 'cpio-'));
    try {
      run(['-i', '--no-absolute-filenames'], cpio(entries), dir);
      expect(readFileSync(join(dir, 'bin/busybox'), 'utf8')).toBe('program');
      expect(lstatSync(join(dir, 'bin/busybox')).mode & 0o777).toBe(0o755);
      expect(lstatSync(join(dir, 'etc/deep/er/a')).mode & 0o777).toBe(0o644);
      expect(readFileSync(join(dir, 'etc/deep/er/a'))).toEqual(Buffer.from([0, 255, 10]));
      expect(readlinkSync(join(dir, 'bin/sh'))).toBe('busybox');
      expect(readFileSync(join(dir, 'paddddd'), 'utf8')).toBe('xxxx');
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
