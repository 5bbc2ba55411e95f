/** `status`: what the store holds, whether a server runs on it or not. */
import { rowCountsOf } from '../store/counts.ts';
import { currentEdition } from '../store/editions.ts';
import { logSize } from '../store/log.ts';
import { migrations, type SchemaState, schemaOf } from '../store/schema-version.ts';
import { instant } from '../time.ts';
import type { Command } from './command.ts';
import { sizeInWords, sizeOf } from './files.ts';
import { targetOf, withStore } from './target.ts';

function schemaInWords(schema: SchemaState): string {
  const known = `${schema.applied} of ${migrations.length} migrations`;
  if (schema.state === 'behind') return `${known}; the server applies the rest when it starts`;
  if (schema.state === 'ahead') return `${known}: this code is too old for the store`;
  if (schema.state === 'foreign') return 'not a survey’s';
  return known;
}

export const status: Command = {
  name: 'status',
  summary: 'says what the store holds',
  description: 'Reads the store and changes nothing. A server may run meanwhile.',
  options: {},
  examples: ['npm run operator -- status', 'npm run operator -- status --data /var/lib/dumpsurvey --json'],
  run: async (values) => {
    const target = targetOf(values, process.env);
    const { schema, size, edition, counts } = await withStore(target, async (store) => {
      const state = await schemaOf(store);
      const isOurs = state.state === 'current';
      return {
        schema: state,
        size: isOurs ? await logSize(store) : null,
        edition: isOurs ? await currentEdition(store) : null,
        counts: isOurs ? await rowCountsOf(store) : null,
      };
    });
    const isFile = target.kind === 'file';
    const bytes = isFile ? await sizeOf(target.path) : null;
    const walBytes = isFile ? await sizeOf(`${target.path}-wal`) : null;
    const published = edition === null ? 'none' : `${edition.number}, of ${instant(edition.published_at_ms)}`;
    const where = isFile ? target.path : new URL(target.url).host;
    return {
      lines: [
        `Store     ${where}`,
        ...(bytes === null
          ? []
          : [`Size      ${sizeInWords(bytes)}, and ${sizeInWords(walBytes ?? 0)} of WAL`]),
        `Schema    ${schemaInWords(schema)}`,
        ...(counts === null
          ? []
          : [
              `Log       ${size} entries`,
              `Edition   ${published}`,
              ...Object.entries(counts).map(([table, count]) => `${''.padEnd(9)} ${count} ${table}`),
            ]),
      ],
      json: {
        store: where,
        bytes,
        wal_bytes: walBytes,
        schema,
        log_size: size,
        edition: edition?.number ?? null,
        rows: counts,
      },
    };
  },
};
