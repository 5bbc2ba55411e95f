/** The walked tree against the signed head: which of entries, tiles and checkpoint is not the log's. */
import { concat, sameBytes, toHex } from '../../../schema/bytes.ts';
import { tilePath, tilesOf, tileWidth } from '../../../schema/log/tile.ts';
import type { Head } from '../heads.ts';
import { readBytes, type Source } from '../source/source.ts';
import type { Tally } from '../tally.ts';
import type { Walk } from './walk.ts';

/** Whether the entries are those that the head signs. `wellFormed` of them are in the agreed form, and in their tile. */
export async function checkTree(walk: Walk, head: Head, wellFormed: number, tally: Tally): Promise<boolean> {
  const { entries, tiles } = await walk.roots();
  const { root, size } = head.checkpoint;
  if (sameBytes(entries, root)) {
    tally.count('entries', 'ok', wellFormed + walk.forks.length);
    for (const { index, entry, tile } of walk.forks) tally.find('tiles', index, `the hash ${entry}`, tile);
    const wrong = new Set(walk.forks.map(({ index }) => Math.floor(index / tileWidth)));
    tally.count('tiles', 'ok', Math.ceil(size / tileWidth) - wrong.size);
    return true;
  }
  if (sameBytes(tiles, root)) {
    tally.count('entries', 'ok', wellFormed);
    for (const { index, entry, tile } of walk.forks)
      tally.find(
        'entries',
        index,
        `an entry with the leaf ${tile}, which is under the checkpoint`,
        `one with ${entry}`,
        [head.note],
      );
    return false;
  }
  const expected = `entries that give the root ${toHex(root)}, which the checkpoint signs for ${size} entries`;
  tally.find('entries', null, expected, `entries that give ${toHex(entries)}`, [head.note]);
  return false;
}

/** Compares the tiles above the leaves with the walked tree. Throws Incomplete. */
export async function checkUpperTiles(source: Source, walk: Walk, head: Head, tally: Tally): Promise<void> {
  for (const { level, index, width } of tilesOf(head.checkpoint.size)) {
    if (typeof level !== 'number' || level === 0) continue;
    const expected = concat(
      ...(walk.nodes[level - 1] ?? []).slice(index * tileWidth, index * tileWidth + width),
    );
    const path = tilePath(level, index, width);
    const found = await readBytes(source, `/log/${path}`, expected.length);
    if (sameBytes(found, expected)) tally.count('tiles', 'ok');
    else tally.find('tiles', null, `the hashes ${toHex(expected)} in ${path}`, toHex(found));
  }
}
