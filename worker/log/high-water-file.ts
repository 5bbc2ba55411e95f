/** The highest mark in a file: the place apart from the store that a Node server has. */
import { readFile } from 'node:fs/promises';
import { replaceDurably } from '../durable.ts';
import { type HighWater, mark } from './high-water.ts';

/** The mark in a file. Throws where the file is there and holds none: it must not be taken for a new log. */
export function highWaterIn(path: string): HighWater {
  return {
    read: async () => {
      const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return null;
        throw error;
      });
      if (text === null) return null;
      try {
        return mark.parse(JSON.parse(text));
      } catch {
        throw new Error(
          `${path} does not say how far the log was signed. Restore it from a backup of this machine, or ask the witnesses and write it again: {"origin":…,"size":…,"root":…}.`,
        );
      }
    },
    raise: (to) => replaceDurably(path, JSON.stringify(to)),
  };
}
