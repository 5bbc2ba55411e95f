import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, jsonOption } from '../command.ts';
import { manifestPath, readManifest } from '../install/manifest.ts';
import { type Installed, losses, removalSteps, toUndo } from '../install/removal.ts';
import { askDkms, demandInstalledDataDir, isPackaged } from '../install/site.ts';
import { undoAll } from '../install/undo.ts';
import { takeLock } from '../lock.ts';
import { bootIdOf } from '../metal/boot.ts';
import { readChanged, undoChanged } from '../metal/changed.ts';
import { removeLoadFiles } from '../metal/load/disk.ts';
import { systemPrograms } from '../metal/programs.ts';
import { readSettings } from '../metal/settings.ts';
import { metalPaths } from '../metal/state.ts';
import { thisSystem } from '../metal/system.ts';
import { installedDataDir } from '../paths.ts';

/** The names in a directory that end like this; none where there is no such directory. */
async function namesIn(path: string, end: string): Promise<string[]> {
  const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return names.filter((name) => name.endsWith(end)).sort();
}

async function moduleIsLoaded(): Promise<boolean> {
  return /^crashpoint /m.test(await readFile('/proc/modules', 'utf8').catch(() => ''));
}

async function lookAround(data: string): Promise<Installed> {
  const entries = await namesIn(data, '');
  return {
    manifest: await readManifest(data),
    hasData: entries.length > 0,
    unsentCount: (await namesIn(join(data, 'outbox/waiting'), '.json')).length,
    keys: await namesIn(join(data, 'keys'), '.key'),
    dkmsHasModule: !['unknown', null].includes(await askDkms(systemPrograms)),
    moduleIsLoaded: await moduleIsLoaded(),
  };
}

/** Removes all of it, and gives what there is to say of that. */
async function remove(
  installed: Installed,
  data: string,
  keepData: boolean,
  told: (step: string) => void,
): Promise<string[]> {
  const paths = metalPaths(data);
  // A trial that runs is not torn apart.
  const release = await takeLock(paths.lock, 'A trial').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return async () => {};
    throw error;
  });
  try {
    // From here on nothing crashes any more, whatever becomes of the rest.
    await rm(paths.consent, { force: true });
    const remarks: string[] = [];
    const changed = await readChanged(paths);
    // Another start of the machine has undone it.
    if (changed !== null && changed.boot_id === bootIdOf(thisSystem().tree)) {
      told('undo what a trial had changed');
      remarks.push(...(await undoChanged(thisSystem(), paths, changed)));
    }
    // A damaged file of settings names no directory; that is no reason to keep the rest.
    const scratch = (await readSettings(paths).catch(() => null))?.scratch ?? null;
    if (scratch !== null) {
      told(`remove the files of the disk load from ${scratch}`);
      await removeLoadFiles(systemPrograms, scratch);
    }
    if (installed.moduleIsLoaded) {
      told('unload the crash module');
      await systemPrograms('rmmod', ['crashpoint']);
      if (await moduleIsLoaded())
        remarks.push('The crash module is in use, and stays until the next start of this machine.');
    }
    remarks.push(...(await undoAll(toUndo(installed), { root: '/', programs: systemPrograms, told })));
    if (keepData) await rm(manifestPath(data), { force: true });
    else {
      told(`remove ${data} with everything in it`);
      await rm(data, { recursive: true, force: true });
    }
    return remarks;
  } finally {
    await release();
  }
}

export const uninstall: Command = {
  description:
    'Takes back what `dumpsurvey install` has done to this machine, in the reverse order: units, the crash module in every\nkernel, programs, and the state directory with keys, journal and reports. What others have put into a directory stays.\nWhat the survey has is not touched: see dumpsurvey withdraw, which needs the keys.',
  needs: 'root',
  options: {
    'keep-data': { type: 'boolean', help: 'keeps the state directory, but for the consent' },
    yes: { type: 'boolean', help: 'yes, remove keys and unsent reports, too' },
    'dry-run': { type: 'boolean', help: 'prints each step, and does nothing' },
    ...jsonOption,
  },
  examples: [
    'dumpsurvey uninstall --dry-run',
    'dumpsurvey uninstall --keep-data',
    'dumpsurvey uninstall --yes',
  ],
  run: async (values) => {
    demandInstalledDataDir(process.env);
    const data = installedDataDir;
    const [keepData, json] = [values['keep-data'] === true, values.json === true];
    const installed = await lookAround(data);
    const steps = removalSteps(installed, data, keepData);
    const lost = keepData ? [] : losses(installed);
    if (values['dry-run'] || steps.length === 0) {
      console.log(
        json ? JSON.stringify({ steps, lost }) : [...steps, ...lost].join('\n') || 'Nothing is installed.',
      );
      return 0;
    }
    if (lost.length > 0 && !values.yes) {
      console.error(
        `This would remove for good:\n${lost.map((what) => `  ${what}`).join('\n')}\nNothing was removed. Add --keep-data to keep ${data}, or --yes.`,
      );
      return 2;
    }
    const remarks = await remove(installed, data, keepData, (step) => {
      if (!json) console.log(step);
    });
    const left = isPackaged() ? ['The package itself is removed with: apt-get purge dumpsurvey'] : [];
    console.log(
      json
        ? JSON.stringify({ steps, remarks })
        : [...remarks, ...left, 'Nothing will be crashed any more.'].join('\n'),
    );
    return 0;
  },
};
