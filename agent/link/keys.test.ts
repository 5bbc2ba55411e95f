import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nacl from 'tweetnacl';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { fromHex, toHex } from '../../schema/bytes.ts';
import { keyFault } from '../../schema/ed25519.ts';
import { keyIn, keyPairOf } from './keys.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'keys-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const noRandom = () => {
  throw new Error('a new key was to be made');
};

test('a pair follows from its seed (RFC 8032 section 7.1, TEST 1)', () => {
  const pair = keyPairOf(fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'));
  expect(pair.name).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
  expect(toHex(pair.publicKey)).toBe(pair.name);
  expect(keyFault(pair.publicKey)).toBeNull();
});

describe('keyIn', () => {
  it('gives every process that starts at once the same key', async () => {
    const path = join(dir, 'owner.key');
    const pairs = await Promise.all(
      [1, 2, 3, 4].map((n) => keyIn(path, (count) => new Uint8Array(count).fill(n))),
    );
    expect(new Set(pairs.map(({ name }) => name)).size).toBe(1);
    expect(keyPairOf(fromHex(readFileSync(path, 'utf8').trim())).name).toBe(pairs[0]?.name);
  });

  it('makes a key once, in a file that only its owner can read, and reads it again', async () => {
    const path = join(dir, 'keys/machines/virtio_blk-pc.key');
    const made = await keyIn(path, (count) => new Uint8Array(count).fill(7));
    expect(readFileSync(path, 'utf8')).toBe(`${'07'.repeat(32)}\n`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, 'keys')).mode & 0o777).toBe(0o700);
    expect(await keyIn(path, noRandom)).toEqual(made);
    expect(made).toEqual(keyPairOf(new Uint8Array(32).fill(7)));
    expect(made.secretKey).toHaveLength(nacl.sign.secretKeyLength);
  });

  it('takes a file without its last line end', async () => {
    const path = join(dir, 'k');
    writeFileSync(path, '07'.repeat(32));
    expect((await keyIn(path, noRandom)).name).toBe(keyPairOf(new Uint8Array(32).fill(7)).name);
  });

  it.each([
    ['nothing', ''],
    ['a line end', '\n'],
    ['half a seed', '07'.repeat(16)],
    ['a seed in upper case', 'AB'.repeat(32)],
    ['two seeds', `${'07'.repeat(32)}\n${'08'.repeat(32)}\n`],
    ['zeros that a power cut left', '\0'.repeat(65)],
    ['a secret key of 64 bytes', '07'.repeat(64)],
  ])('refuses a file that holds %s, says what to do, and leaves it alone', async (_, contents) => {
    const path = join(dir, 'machine.key');
    writeFileSync(path, contents);
    await expect(keyIn(path, noRandom)).rejects.toThrow(/machine\.key does not hold a key\. Restore it/);
    expect(readFileSync(path, 'utf8')).toBe(contents);
  });

  it('makes no key where it cannot tell whether there is one', async () => {
    mkdirSync(join(dir, 'directory'));
    await expect(keyIn(join(dir, 'directory'), noRandom)).rejects.toThrow('EISDIR');
    writeFileSync(join(dir, 'file'), '');
    await expect(keyIn(join(dir, 'file/key'), noRandom)).rejects.toThrow('ENOTDIR');
  });

  it('leaves no half of a key where it cannot be written', async () => {
    chmodSync(dir, 0o500);
    const path = join(dir, 'new.key');
    const made = await keyIn(path, (count) => new Uint8Array(count).fill(7)).catch(() => null);
    chmodSync(dir, 0o700);
    // Root writes there all the same.
    expect(existsSync(path)).toBe(made !== null);
  });
});
