/** The seed of a key, the log's or the operator's, in a file of its own: made once, readable by its owner only, never replaced. */
import { readFile } from 'node:fs/promises';
import { fromHex, toHex } from '../../schema/bytes.ts';
import { createDurably } from '../durable.ts';

/** Reads the seed in `path`, or makes one there, durably. Throws where the file holds no seed. */
export async function seedIn(
  path: string,
  random: (byteCount: number) => Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text !== null) {
    if (/^[0-9a-f]{64}\n?$/.test(text)) return fromHex(text.trim());
    throw new Error(
      `${path} does not hold a key. Restore it from a backup: under another key this would be another log, or another operator.`,
    );
  }
  // Where another process made it just now, its key is the one.
  await createDurably(path, `${toHex(random(32))}\n`);
  return seedIn(path, random);
}
