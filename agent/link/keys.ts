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

/** Reads the key in `path`, or makes one there. Throws where the file holds no seed: it is never overwritten. */
export async function keyIn(path: string, randomBytes: (count: number) => Uint8Array): Promise<KeyPair> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text !== null) {
    if (!/^[0-9a-f]{64}\n?$/.test(text)) {
      throw new Error(
        `${path} does not hold a key. Restore it from a backup, or remove it to enrol under a new key.`,
      );
    }
    return keyPairOf(fromHex(text.trim()));
  }
  const seed = randomBytes(32);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const made = await createDurably(path, `${toHex(seed)}\n`, 0o600);
  return made ? keyPairOf(seed) : keyIn(path, randomBytes);
}
