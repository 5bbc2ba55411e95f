/** Where things are: the package itself, and the one data directory that everything else goes to. */
import { join, resolve } from 'node:path';

/** The package's own directory. */
export const packageDir = resolve(import.meta.dirname, '..');

/** The data directory: `DUMPSURVEY_DATA`, or `data` in the package. Caches, keys, journal and store live in it. */
export function dataDir(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env.DUMPSURVEY_DATA || join(packageDir, 'data'));
}
