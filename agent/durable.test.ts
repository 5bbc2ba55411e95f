import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appendDurably, writeDurably } from './durable.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'durable-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;

describe('writeDurably', () => {
  it('replaces a file as a whole, with its mode, and leaves nothing beside it', async () => {
    const path = join(dir, 'a.json');
    await writeDurably(path, 'a long first text');
    expect(modeOf(path) & 0o600).toBe(0o600);
    await writeDurably(path, new Uint8Array([0x62]), 0o600);
    expect(readFileSync(path, 'utf8')).toBe('b');
    expect(modeOf(path)).toBe(0o600);
    expect(readdirSync(dir)).toEqual(['a.json']);
  });

  it('leaves the old contents where it fails', async () => {
    const path = join(dir, 'a.json');
    writeFileSync(path, 'old');
    await expect(writeDurably(join(dir, 'no/such/place'), 'x')).rejects.toThrow('ENOENT');
    await expect(writeDurably(path, Symbol('no text') as never)).rejects.toThrow();
    expect(readFileSync(path, 'utf8')).toBe('old');
  });
});

describe('appendDurably', () => {
  it('adds one line each, in order, readable by the owner only', async () => {
    const path = join(dir, 'journal');
    for (const line of ['one', 'two', 'é']) await appendDurably(path, line);
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\né\n');
    expect(modeOf(path)).toBe(0o600);
  });

  it('never mixes the lines of many writers', async () => {
    const path = join(dir, 'journal');
    const lines = Array.from({ length: 20 }, (_, i) => `${i}`.repeat(3000));
    await Promise.all(lines.map((line) => appendDurably(path, line)));
    expect(readFileSync(path, 'utf8').trim().split('\n').sort()).toEqual(lines.toSorted());
  });
});
