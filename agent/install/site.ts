/** Looks at this machine for an installation. Reads only. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { release } from 'node:os';
import { Advice } from '../advice.ts';
import { isBundled } from '../carried.ts';
import type { Programs } from '../metal/programs.ts';
import { installedDataDir } from '../paths.ts';
import { dkmsModule, type Site } from './plan.ts';

/** Where the Debian package has the bundle. */
const packagedBundle = '/usr/lib/dumpsurvey/dumpsurvey.cjs';

/** Whether this is the agent of the Debian package. */
export function isPackaged(): boolean {
  return isBundled && import.meta.filename === packagedBundle;
}

/** What DKMS' status says of the module. Its versions 2 and 3 print `NAME, VERSION, …` and `NAME/VERSION, …`. Pure. */
export function moduleStateIn(status: string, kernelRelease: string): Site['moduleState'] {
  const lines = status.split('\n').filter((line) => line.startsWith(dkmsModule.split('/')[0] ?? ''));
  if (lines.some((line) => line.includes(`, ${kernelRelease}, `) && /: installed\b/.test(line)))
    return 'installed';
  return lines.length > 0 ? 'added' : 'unknown';
}

/** What DKMS knows of the module for the running kernel, or null where there is no DKMS. */
export async function askDkms(programs: Programs): Promise<Site['moduleState'] | null> {
  const [name = '', version = ''] = dkmsModule.split('/');
  const { code, stdout } = await programs('dkms', ['status', '-m', name, '-v', version]);
  return code === 127 ? null : moduleStateIn(stdout, release());
}

/** This machine. */
export async function thisSite(programs: Programs): Promise<Site> {
  const moduleState = await askDkms(programs);
  return {
    isPackaged: isPackaged(),
    hasSystemd: existsSync('/run/systemd/system'),
    hasDkms: moduleState !== null,
    moduleState: moduleState ?? 'unknown',
    node: process.execPath,
    bundle: isBundled && !isPackaged() ? await readFile(import.meta.filename, 'utf8') : null,
  };
}

/** Throws Advice where the environment names another directory: the units would not know of it. */
export function demandInstalledDataDir(env: NodeJS.ProcessEnv): void {
  const named = env.DUMPSURVEY_DATA;
  if (!named || named === installedDataDir) return;
  throw new Advice(
    `DUMPSURVEY_DATA names ${named}, but an installed agent keeps its state in ${installedDataDir}:`,
    ['unset DUMPSURVEY_DATA'],
  );
}
