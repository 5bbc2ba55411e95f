/** Key pairs: made once, kept as a seed in a file that only its owner can read, never sent. */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import nacl from 'tweetnacl';
import { fromHex, toHex } from '../../schema/bytes.ts';
import { createDurably } from '../durable.ts';

export interface KeyPair {
  /** The public key in hexadecimal: a machine's or an owner's only name. */
  readonly name: string;
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

/** The key pair of a 32-byte seed (RFC 8032 section 5.1.5). */
export function keyPairOf(seed: Uint8Array): KeyPair {
  const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(seed);
  return { name: toHex(publicKey), publicKey, secretKey };
}

/** The key in `path`, or null where there is no such file. Throws where the file holds no seed. */
export async function existingKey(path: string): Promise<KeyPair | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  if (!/^[0-9a-f]{64}\n?$/.test(text)) {
    throw new Error(
      `${path} does not hold a key. Restore it from a backup, or remove it to enrol under a new key.`,
    );
  }
  return keyPairOf(fromHex(text.trim()));
}

/** Reads the key in `path`, or makes one there. Throws where the file holds no seed: it is never overwritten. */
export async function keyIn(path: string, randomBytes: (count: number) => Uint8Array): Promise<KeyPair> {
  const key = await existingKey(path);
  if (key !== null) return key;
  const seed = randomBytes(32);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const made = await createDurably(path, `${toHex(seed)}\n`, 0o600);
  return made ? keyPairOf(seed) : keyIn(path, randomBytes);
}

/** Where a key is kept that was replaced: beside its successor, under the first digits of its public key. */
export function formerPath(path: string, name: string): string {
  return `${path}.before-${name.slice(0, 8)}`;
}

/** The key with this public key: the one in `path`, or one that it replaced. Throws where neither is there. */
export async function keyNamed(path: string, name: string): Promise<KeyPair> {
  for (const file of [path, formerPath(path, name)]) {
    const key = await existingKey(file);
    if (key?.name === name) return key;
  }
  throw new Error(
    `Neither ${path} nor ${formerPath(path, name)} holds key ${name}. Restore it from a backup.`,
  );
}
