/** Watches the store from outside: whether anything was written, and which tables grew. */
import { createClient } from '@libsql/client';

export interface Rows {
  /** What differs from the last look, as a table's name and by how many rows; empty where nothing was written. */
  readonly grown: () => Promise<Readonly<Record<string, number>>>;
  readonly close: () => void;
}

/** Tables that publishing fills, or that count: nothing of them is stored for a request. */
const unasked = /^(editions|checkpoints|cosignatures|sequencer|tree_nodes|daily_\w+)$/;

/** Watches a store's file. */
export async function watchRows(databaseUrl: string): Promise<Rows> {
  const client = createClient({ url: databaseUrl, concurrency: 1 });
  const { rows } = await client.execute(
    "select name from sqlite_master where type = 'table' and name not like 'sqlite%' and name not like '\\_\\_%' escape '\\'",
  );
  const tables = rows.map((row) => String(row[0])).filter((name) => !unasked.test(name));
  const sql = `select ${tables.map((name) => `(select count(*) from "${name}")`).join(', ')}`;

  /** Another number whenever another connection has committed (sqlite.org/pragma.html#pragma_data_version). */
  const version = async () => Number((await client.execute('pragma data_version')).rows[0]?.[0]);
  const counts = async () => {
    const row = (await client.execute(sql)).rows[0];
    return tables.map((_, i) => Number(row?.[i]));
  };
  let lastVersion = await version();
  let last = await counts();
  return {
    grown: async () => {
      const nowVersion = await version();
      if (nowVersion === lastVersion) return {};
      lastVersion = nowVersion;
      const before = last;
      last = await counts();
      const changes = tables.flatMap((name, i) => {
        const by = (last[i] ?? 0) - (before[i] ?? 0);
        return by === 0 ? [] : [[name, by] as const];
      });
      return Object.fromEntries(changes);
    },
    close: () => client.close(),
  };
}
