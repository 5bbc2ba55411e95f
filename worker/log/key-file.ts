/** The seed of a key, the log's or the operator's, in a file of its own: made once, readable by its owner only, never replaced. */
import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fromHex, toHex } from '../../schema/bytes.ts';

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
  try {
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.writeFile(`${toHex(random(32))}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const directory = await open(dirname(path), 'r');
    await directory.sync().finally(() => directory.close());
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    // Another process made it just now; a moment later it is written.
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return seedIn(path, random);
}
