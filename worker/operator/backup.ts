/** `backup`: a copy of the store as it is at one moment, while servers go on. */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { inspectFile } from '../store/inspect.ts';
import { snapshotTo } from '../store/snapshot.ts';
import { type Command, Obstacle, required } from './command.ts';
import { nameOnce, sizeInWords, sizeOf, sync } from './files.ts';
import { fileOf, targetOf, withStore } from './target.ts';

const instead = `Use what the server's operator offers. For Turso:
    turso db shell NAME .dump > FILE                                    a copy as SQL
    turso db create NEW --from-db NAME --timestamp 2026-01-01T00:00:00Z   the state of that moment`;

export const backup: Command = {
  name: 'backup',
  summary: 'copies the store to a file, while the server runs',
  description:
    'The file holds everything that was acknowledged before the command began. It is written beside its name, made\n' +
    'durable and checked before it gets that name; a file that is there is never overwritten.',
  options: { to: { type: 'string', value: 'FILE', help: 'where the copy goes' } },
  examples: ['npm run operator -- backup --to /var/backups/survey-monday.db'],
  run: async (values) => {
    const source = fileOf(targetOf(values, process.env), instead);
    const path = resolve(required(values, 'to'));
    if (existsSync(path)) {
      throw new Obstacle(`${path} is there already, and is not overwritten. Choose another name.`);
    }
    if (!existsSync(dirname(path)))
      throw new Obstacle(`There is no directory ${dirname(path)}. Make it first.`);
    const partial = `${path}.${randomUUID()}.partial`;
    try {
      await withStore({ kind: 'file', path: source }, (store) => snapshotTo(store, partial)).catch(
        (error: unknown) => {
          if (error instanceof Obstacle) throw error;
          const reason =
            error instanceof Error ? ((error.cause as Error | undefined) ?? error).message : error;
          throw new Obstacle(
            `${path} could not be written (${reason}). Is there room, and the right to write?`,
          );
        },
      );
      // Reports of real machines are for named auditors only.
      await chmod(partial, 0o600);
      await sync(partial);
      const found = await inspectFile(partial);
      if (found.fault !== null) {
        throw new Error(`the copy is ${found.fault} (${found.detail}); the store at ${source} may be, too`);
      }
      const byteCount = await sizeOf(partial);
      await nameOnce(partial, path);
      const { logSize, reportCount, editionNumber } = found.contents;
      return {
        lines: [
          `${path}: ${sizeInWords(byteCount)}, checked.`,
          `Its log has ${logSize} entries, with ${reportCount} reports; its newest edition is ${editionNumber}.`,
          'The log’s key is not in it: keep a copy of log.key apart.',
        ],
        json: { path, bytes: byteCount, log_size: logSize, reports: reportCount, edition: editionNumber },
      };
    } finally {
      await Promise.all([partial, `${partial}-journal`].map((name) => rm(name, { force: true })));
    }
  },
};
