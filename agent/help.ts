/** The help, made from the table of commands. Pure. */
import type { CommandEntry, CommandOption, NamedCommand } from './command.ts';
import { exitStatuses } from './exit.ts';

/** What every command takes. */
export const helpOption: Readonly<Record<'help', CommandOption>> = {
  help: { type: 'boolean', help: 'shows this' },
};

/** The overview of all commands. */
export function overview(commands: readonly Omit<CommandEntry, 'load'>[], version: string): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    `dumpsurvey ${version}: measures how likely Linux is to capture a kernel crash dump`,
    '',
    'Usage: dumpsurvey <command> [options]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'dumpsurvey <command> --help explains a command.',
    '',
    'Exit status:',
    ...Object.entries(exitStatuses).map(([status, meaning]) => `  ${status}  ${meaning}`),
  ].join('\n');
}

/** What is to be typed: the option, or the argument, with its value. */
function usageRows({ argument, options }: NamedCommand): (readonly [string, string])[] {
  const rows = Object.entries({ ...options, ...helpOption }).map(([name, option]) => {
    const value = option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : '';
    return [`--${name}${value}`, option.help] as const;
  });
  return argument ? [[argument.value, argument.help], ...rows] : rows;
}

/** The help of one command. */
export function helpOf(command: NamedCommand): string {
  const { name, summary, argument, description, examples, exits } = command;
  const rows = usageRows(command);
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `dumpsurvey ${name}${argument ? ` ${argument.value}` : ''}: ${summary}`,
    '',
    description,
    '',
    'Options:',
    ...rows.map(([left, help]) => `  ${left.padEnd(width)}  ${help}`),
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
    ...(exits === undefined
      ? []
      : ['', 'Exit status:', ...Object.entries(exits).map(([status, meaning]) => `  ${status}  ${meaning}`)]),
  ].join('\n');
}
