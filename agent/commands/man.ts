import { type Command, jsonOption } from '../command.ts';
import { loadCommands } from '../command-table.ts';
import { exitStatuses } from '../exit.ts';
import { manualPage } from '../manual/man.ts';
import { manualDate } from '../manual/pages.ts';
import { agentVersion } from '../version.ts';

export const man: Command = {
  description:
    'Prints the source of the manual page, for man(1). With --json it prints the table that page, help and completions are\nmade from.',
  options: { ...jsonOption },
  examples: ['dumpsurvey man', 'dumpsurvey man --json'],
  run: async (values) => {
    const commands = await loadCommands();
    if (values.json)
      console.log(
        JSON.stringify({
          version: agentVersion,
          commands: commands.map(({ run, ...facts }) => facts),
          exit_statuses: exitStatuses,
        }),
      );
    else console.log(manualPage(commands, manualDate, agentVersion).trimEnd());
    return 0;
  },
};
