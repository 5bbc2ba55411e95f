/** Where things are: the package itself, and the one data directory that everything else goes to. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { isBundled } from './carried.ts';

/** The package's own directory. The bundle has none: see carried.ts. */
export const packageDir = resolve(import.meta.dirname, '..');

/** The state of an agent that is installed on this machine. */
export const installedDataDir = '/var/lib/dumpsurvey';

/** What decides where the data directory is. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isBundled: boolean;
  readonly isRoot: boolean;
  /** Whether the agent is installed on this machine. */
  readonly isInstalled: boolean;
  readonly home: string;
}

/**
 * The data directory: `DUMPSURVEY_DATA`; in a checkout `data` in it; the machine's where the agent is installed, or
 * where root asks; else one of the user's own (XDG Base Directory Specification, state). Pure.
 */
export function dataDirIn({ env, isBundled, isRoot, isInstalled, home }: Surroundings): string {
  if (env.DUMPSURVEY_DATA) return resolve(env.DUMPSURVEY_DATA);
  if (!isBundled) return join(packageDir, 'data');
  if (isRoot || isInstalled) return installedDataDir;
  // A relative path there is to be ignored.
  const state = env.XDG_STATE_HOME?.startsWith('/') ? env.XDG_STATE_HOME : join(home, '.local/state');
  return join(state, 'dumpsurvey');
}

/** The data directory of this process. Caches, keys, journal and store live in it. */
export function dataDir(env: NodeJS.ProcessEnv = process.env): string {
  return dataDirIn({
    env,
    isBundled,
    isRoot: process.geteuid?.() === 0,
    isInstalled: existsSync(join(installedDataDir, 'install.json')),
    home: homedir(),
  });
}
