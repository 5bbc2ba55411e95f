/** What an uninstallation does, and what its owner is told before. Pure. */
import type { Manifest } from './manifest.ts';
import { type Done, describeUndo } from './steps.ts';

/** What there is to remove. */
export interface Installed {
  readonly manifest: Manifest | null;
  /** Whether the state directory is there. */
  readonly hasData: boolean;
  /** Reports that the survey does not have yet. */
  readonly unsentCount: number;
  /** Names of key files. */
  readonly keys: readonly string[];
  /** Whether DKMS knows the crash module. */
  readonly dkmsHasModule: boolean;
  readonly moduleIsLoaded: boolean;
}

/** What is undone, in the order in which it was done. A program's undoing that has nothing to undo is left out. */
export function toUndo({ manifest, dkmsHasModule }: Installed): Done[] {
  return (manifest?.done ?? []).filter(
    (done) => done.kind !== 'undo' || done.command[0] !== 'dkms' || dkmsHasModule,
  );
}

/** The steps in words, for a dry run. */
export function removalSteps(installed: Installed, data: string, keepData: boolean): string[] {
  return [
    ...(installed.moduleIsLoaded ? ['unload the crash module'] : []),
    ...toUndo(installed).toReversed().map(describeUndo),
    ...(installed.hasData && !keepData ? [`remove ${data} with everything in it`] : []),
    ...(installed.hasData && keepData
      ? [`remove the consent and the list of what was installed from ${data}`]
      : []),
  ];
}

/** What would be lost for good with the state directory, in words. */
export function losses({ unsentCount, keys }: Installed): string[] {
  return [
    ...(unsentCount > 0
      ? [`${unsentCount} reports that the survey does not have yet: dumpsurvey submit sends them`]
      : []),
    ...(keys.length > 0
      ? [
          `the keys ${keys.join(', ')}: without them nobody can have this machine's data deleted (dumpsurvey withdraw), nor go on under its name`,
        ]
      : []),
  ];
}
