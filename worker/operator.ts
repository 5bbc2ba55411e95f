/**
 * The operator's command line: `npm run operator -- <command>`. Some commands work on the store itself, beside a
 * server or without one; decisions are signed and sent to the survey as anybody's requests. The table of commands is
 * the help.
 */
import { parseArgs } from 'node:util';
import { backup } from './operator/backup.ts';
import { type Command, commonOptions, Misuse, Obstacle, type OptionValues } from './operator/command.ts';
import { decisions } from './operator/decide.ts';
import { key } from './operator/key.ts';
import { restore } from './operator/restore.ts';
import { resume } from './operator/resume.ts';
import { status } from './operator/status.ts';

export const commands: readonly Command[] = [status, backup, restore, resume, key, ...decisions];

const program = 'npm run operator --';

/** The overview of all commands. */
export function overview(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    `Usage: ${program} <command> [options]`,
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    `${program} <command> --help explains a command.`,
    'Exit status: 0 done, 1 failed, 2 used wrongly, 3 something is in the way: the message says what to do.',
  ].join('\n');
}

/** The help of one command, from its table of options. */
export function helpOf(command: Command): string {
  const rows = Object.entries({ ...command.options, ...commonOptions }).map(
    ([name, option]) =>
      [`--${name}${option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : ''}`, option.help] as const,
  );
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `${program} ${command.name}: ${command.summary}`,
    '',
    command.description,
    '',
    'Options:',
    ...rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`),
    '',
    'Examples:',
    ...command.examples.map((example) => `  ${example}`),
  ].join('\n');
}

function optionsOf(command: Command, args: readonly string[]): OptionValues {
  try {
    return parseArgs({ args: [...args], options: { ...command.options, ...commonOptions } }).values;
  } catch (error) {
    throw new Misuse(error instanceof Error ? error.message : String(error));
  }
}

/** Runs a command line; `print` gets what it says. Gives the exit status. */
export async function run(
  args: readonly string[],
  print: { readonly out: (text: string) => void; readonly err: (text: string) => void },
): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || ['help', '--help', '-h'].includes(name)) {
    print.out(overview());
    return name === undefined ? 2 : 0;
  }
  const command = commands.find((c) => c.name === name);
  if (command === undefined) {
    print.err(`There is no command ${name}.\n\n${overview()}`);
    return 2;
  }
  try {
    const values = optionsOf(command, rest);
    if (values.help) {
      print.out(helpOf(command));
      return 0;
    }
    const { lines, json } = await command.run(values);
    print.out(values.json ? JSON.stringify(json) : lines.join('\n'));
    return 0;
  } catch (error) {
    if (error instanceof Misuse) {
      print.err(`${error.message}\n\n${helpOf(command)}`);
      return 2;
    }
    print.err(
      error instanceof Obstacle || !(error instanceof Error)
        ? String(error).replace(/^Obstacle: /, '')
        : (error.stack ?? error.message),
    );
    return error instanceof Obstacle ? 3 : 1;
  }
}

if (import.meta.main) {
  process.exitCode = await run(process.argv.slice(2), { out: console.log, err: console.error });
}
