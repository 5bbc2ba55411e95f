/** The hashes of the tree as tiles: leaves from the entries, subtrees from the stored nodes. Reads only. */
import { and, asc, eq, gte, lt } from 'drizzle-orm';
import { concat, fromHex } from '../../schema/bytes.ts';
import { tileWidth } from '../../schema/log/tile.ts';
import { logEntries, treeNodes } from '../../schema/tables.ts';
import { read, type Store } from './open.ts';

/** The first `width` hashes of a tile, one after the other. Shorter where the store has not that many. */
export async function hashTile(
  store: Store,
  level: number,
  index: number,
  width: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const from = index * tileWidth;
  const rows = await read(store, (db) =>
    level === 0
      ? db
          .select({ hash: logEntries.leaf_hash })
          .from(logEntries)
          .where(and(gte(logEntries.log_index, from), lt(logEntries.log_index, from + width)))
          .orderBy(asc(logEntries.log_index))
      : db
          .select({ hash: treeNodes.hash })
          .from(treeNodes)
          .where(
            and(
              eq(treeNodes.level, level),
              gte(treeNodes.position, from),
              lt(treeNodes.position, from + width),
            ),
          )
          .orderBy(asc(treeNodes.position)),
  );
  return concat(...rows.map(({ hash }) => fromHex(hash)));
}
