/** The files of the manual page and of the completions, as a package and as an installation have them. Pure. */
import type { NamedCommand } from '../command.ts';
import type { PackageFile } from '../install/units.ts';
import { manualPage } from './man.ts';
import { shells } from './shells.ts';

/** The date of the manual page, as mdoc(7) has it: of the text, not of the build, so that a build repeats itself. */
export const manualDate = 'November 25, 2026';

/** The files, with places below a directory such as /usr/share. */
export function pages(
  commands: readonly NamedCommand[],
  version: string,
  place: 'packaged' | 'local',
): readonly PackageFile[] {
  return [
    { path: 'man/man8/dumpsurvey.8', contents: manualPage(commands, manualDate, version), mode: 0o644 },
    ...Object.values(shells).map((shell) => ({
      path: shell[place],
      contents: shell.completion(commands),
      mode: 0o644,
    })),
  ];
}
