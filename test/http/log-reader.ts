/** The log as anybody reads it over HTTP: entries from bundles, what opens them, and proofs that they are in the tree. */
import { fromBase64, fromHex, utf8 } from '../../schema/bytes.ts';
import type { Envelope } from '../../schema/envelope.ts';
import { parseCheckpoint } from '../../schema/log/checkpoint.ts';
import { logEntry, rowCommitment } from '../../schema/log/entry.ts';
import { parseNote } from '../../schema/log/note.ts';
import { decodeBundle, tilePath, tileSizeAt, tileWidth } from '../../schema/log/tile.ts';
import { leafHash, verifyInclusion } from '../../schema/log/tree.ts';
import { get } from './client.ts';

/** An entry, and what opens its commitments; nulls where that was withdrawn, or is not shown. */
export interface ReadEntry {
  readonly log_index: number;
  /** The text that the leaf hashes. */
  readonly entry: string;
  readonly row: string | null;
  readonly row_salt: string | null;
  readonly envelope: Envelope | null;
  readonly envelope_salt: string | null;
}

/** All entries below the published checkpoint. Throws where a row does not open its commitment. */
export async function readLog(url: string): Promise<ReadEntry[]> {
  const { size } = parseCheckpoint(parseNote((await get(url, '/log/checkpoint')).text).text);
  const entries: ReadEntry[] = [];
  for (let bundle = 0; bundle * tileWidth < size; bundle++) {
    const width = tileSizeAt('entries', bundle, size);
    const tile = await fetch(`${url}/log/${tilePath('entries', bundle, width)}`);
    const texts = decodeBundle(new Uint8Array(await tile.arrayBuffer()));
    const contents = (await get(url, `/log/rows/${bundle}`)).text.trimEnd().split('\n');
    for (const [i, bytes] of texts.entries()) {
      const shown = JSON.parse(contents[i] ?? '{}') as Omit<ReadEntry, 'entry'>;
      entries.push({ ...shown, entry: new TextDecoder().decode(bytes) });
    }
  }
  for (const { entry, row, row_salt, log_index } of entries) {
    if (row === null || row_salt === null) continue;
    if (logEntry.parse(JSON.parse(entry)).row !== (await rowCommitment(fromHex(row_salt), row)))
      throw new Error(`the row of entry ${log_index} is not what the entry commits to`);
  }
  return entries;
}

/** Whether the log proves that this text is its entry at an index, in the published tree. */
export async function isProven(url: string, index: number, entry: string): Promise<boolean> {
  const { size, root } = parseCheckpoint(parseNote((await get(url, '/log/checkpoint')).text).text);
  const answer = await get(url, `/log/inclusion?index=${index}&size=${size}`);
  const proof = (answer.json as { proof: string[] }).proof.map(fromBase64);
  return verifyInclusion({ leafHash: await leafHash(utf8(entry)), index, size, root, proof });
}
