/** `restore`: puts a backup in the place of the store, after everything about it has been checked. */
import { randomUUID } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { chmod, chown, copyFile, link, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { highWaterIn } from '../log/high-water-file.ts';
import { type Contents, inspectFile } from '../store/inspect.ts';
import { takeAlone } from '../store/snapshot.ts';
import { type Command, Obstacle, required } from './command.ts';
import { codeOf, sizeOf, sync } from './files.ts';
import { fileOf, targetOf } from './target.ts';

const instead = `A server's store is restored by its operator's means. For Turso:
    turso db create NEW && turso db shell NEW < FILE                       from a copy as SQL
    turso db create NEW --from-db NAME --timestamp 2026-01-01T00:00:00Z    the state of that moment
then set DATABASE_URL to the address of NEW.`;

/** Copies the backup beside the store and checks the copy: it is what will be served. Gives what is in it. */
async function fetchChecked(from: string, copy: string): Promise<Contents> {
  if ((await sizeOf(`${from}-wal`)) > 0) {
    throw new Obstacle(
      `${from} has a WAL beside it, so it is no backup but a store. Make a backup of that: backup --to FILE.`,
    );
  }
  try {
    await copyFile(from, copy, constants.COPYFILE_EXCL);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new Obstacle(`There is no file ${from}.`);
    throw new Obstacle(`${from} could not be copied to ${dirname(copy)}: ${String(error)}`);
  }
  await sync(copy);
  const found = await inspectFile(copy);
  if (found.fault === null) return found.contents;
  throw new Obstacle(`${from} is ${found.fault}: ${found.detail}. Nothing was changed; take another backup.`);
}

/** Makes sure that nobody else uses the store, for as long as this process lives. */
async function takeStore(path: string): Promise<void> {
  const taken = await takeAlone(path);
  if (taken === 'held') {
    throw new Obstacle(`A server, or another program, has ${path} open. Stop it, then run this again.`);
  }
  if (taken === 'unreadable') {
    throw new Obstacle(
      `${path} is no database, so it cannot be told whether a server has it open. Stop the server, move ` +
        'survey.db, survey.db-wal and survey.db-shm away, then run this again.',
    );
  }
}

/**
 * What was signed cannot be taken back: a server whose log.mark is above its store serves that, and takes nothing
 * more. Nobody should come to that without wanting it.
 */
async function refuseOlder(directory: string, from: string, { logSize }: Contents): Promise<void> {
  const mark = await highWaterIn(join(directory, 'log.mark')).read();
  if (mark === null || mark.size <= logSize) return;
  throw new Obstacle(
    `${from} has ${logSize} entries, and the log of ${directory} was signed up to ${mark.size}. Restore the newest ` +
      'backup. With --older this one is restored, but the server will serve it only: the log stays halted, because ' +
      'other entries in the place of those that were signed would be a second history.',
  );
}

/** Gives a file to who has the store, who need not be who restores it, and to nobody else. */
async function giveTo(like: string, path: string): Promise<void> {
  const { uid, gid } = await stat(like);
  const mine = await stat(path);
  if (mine.uid !== uid || mine.gid !== gid) await chown(path, uid, gid);
  await chmod(path, 0o600);
}

/** Moves a file where there is one. */
async function moveAside(path: string, aside: string): Promise<void> {
  if (existsSync(path)) await rename(path, aside);
}

/** `20261124T220500123Z` of a time. */
const stampOf = (atMs: number) => new Date(atMs).toISOString().replaceAll(/[-:.]/g, '');

export const restore: Command = {
  name: 'restore',
  summary: 'puts a backup in the place of the store, while no server runs',
  description:
    'Checks the backup first: is it whole, is it a survey’s, does this code know its schema. Refuses while anybody has\n' +
    'the store open. The replaced store stays beside the new one, as survey.db.before-restore-TIME.',
  options: {
    from: { type: 'string', value: 'FILE', help: 'the backup' },
    older: { type: 'boolean', help: 'also a backup that lacks entries that the log has signed' },
  },
  examples: ['npm run operator -- restore --from /var/backups/survey-monday.db'],
  run: async (values) => {
    const path = fileOf(targetOf(values, process.env), instead);
    const from = resolve(required(values, 'from'));
    if (from === path) throw new Obstacle(`${from} is the store itself.`);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const copy = `${path}.${randomUUID()}.restoring`;
    try {
      const contents = await fetchChecked(from, copy);
      if (!values.older) await refuseOlder(dirname(path), from, contents);
      const hadStore = existsSync(path);
      if (hadStore) await takeStore(path);
      await giveTo(hadStore ? path : dirname(path), copy);
      const kept = `${path}.before-restore-${stampOf(Date.now())}`;
      // From here on every step leaves a store under its name, and the old one under one of two names.
      if (hadStore) await link(path, kept);
      await moveAside(`${path}-wal`, `${kept}-wal`);
      await rm(`${path}-shm`, { force: true });
      await rename(copy, path);
      await sync(dirname(path));
      const { logSize, reportCount, editionNumber } = contents;
      return {
        lines: [
          `${path} is now what ${from} holds: a log of ${logSize} entries, with ${reportCount} reports; its newest edition is ${editionNumber}.`,
          hadStore ? `The replaced store is kept as ${kept}.` : 'There was no store before.',
          'What was acknowledged after the backup was made is not in it.',
        ],
        json: {
          path,
          log_size: logSize,
          reports: reportCount,
          edition: editionNumber,
          replaced: hadStore ? kept : null,
        },
      };
    } finally {
      await Promise.all(['', '-journal', '-wal', '-shm'].map((end) => rm(copy + end, { force: true })));
    }
  },
};
