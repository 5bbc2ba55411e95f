/** The files of a witness: for each log the note that it last cosigned, replaced as a whole and durably. */
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createDurably, writeDurably } from '../durable.ts';

/** What a witness must not forget. `log` is the hash of an origin, in hexadecimal. */
export interface WitnessStore {
  /** The note that was cosigned last, or null. */
  readonly read: (log: string) => Promise<string | null>;
  /** Returns when the note is durable. */
  readonly write: (log: string, note: string) => Promise<void>;
  /** The note kept by keepSplitView, or null. */
  readonly splitView: (log: string) => Promise<string | null>;
  /** Keeps the first note of a log that contradicts a cosigned one. */
  readonly keepSplitView: (log: string, note: string) => Promise<void>;
}

/** The contents of a file, or null where there is none. */
export async function readIfThere(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
}

/** The store in a directory, which is made where it is missing. What a write was killed in is swept out. */
export async function storeIn(directory: string): Promise<WitnessStore> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const names = await readdir(directory);
  const unfinished = names.filter((name) => name.endsWith('.tmp'));
  await Promise.all(unfinished.map((name) => rm(join(directory, name), { force: true })));
  const pathOf = (log: string) => join(directory, `${log}.checkpoint`);
  const splitViewPath = (log: string) => join(directory, `${log}.split-view`);
  return {
    read: (log) => readIfThere(pathOf(log)),
    write: (log, note) => writeDurably(pathOf(log), note),
    splitView: (log) => readIfThere(splitViewPath(log)),
    keepSplitView: async (log, note) => {
      await createDurably(splitViewPath(log), note, 0o644);
    },
  };
}
