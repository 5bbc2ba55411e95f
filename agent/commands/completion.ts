import { namesOf } from '../../schema/vocabulary.ts';
import { type Command, jsonOption } from '../command.ts';
import { loadCommands } from '../command-table.ts';
import { type ShellName, shells } from '../manual/shells.ts';

const names = namesOf(shells);
const isShell = (name: string | null): name is ShellName => names.some((known) => known === name);

export const completion: Command = {
  description: `Prints a script that lets a shell complete commands, options and their values. The Debian package and\n\`dumpsurvey install\` put it where the shells look for it; this is for everybody else.`,
  argument: { value: 'SHELL', help: `the shell: ${names.join(', ')}`, choices: names },
  options: { ...jsonOption },
  examples: ['dumpsurvey completion bash', 'dumpsurvey completion zsh', 'dumpsurvey completion fish'],
  run: async (values, shell) => {
    if (!isShell(shell)) {
      console.error(`completion takes the name of a shell: ${names.join(', ')}.`);
      return 2;
    }
    const script = shells[shell].completion(await loadCommands());
    console.log(values.json ? JSON.stringify({ shell, script }) : script.trimEnd());
    return 0;
  },
};
