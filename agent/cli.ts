/** The command line: finds the command, reads its options, shows help or runs it. The table of commands is the help. */
import { parseArgs } from 'node:util';
import { verify } from '../worker/audit/command.ts';
import { Advice } from './advice.ts';
import type { Command, OptionValues } from './command.ts';
import { enroll } from './commands/enroll.ts';
import { inventoryCommand } from './commands/inventory.ts';
import { invite } from './commands/invite.ts';
import { lab } from './commands/lab.ts';
import { revoke } from './commands/revoke.ts';
import { rotate } from './commands/rotate.ts';
import { status } from './commands/status.ts';
import { submit } from './commands/submit.ts';
import { withdraw } from './commands/withdraw.ts';
import { witness } from './commands/witness.ts';
import { Refused, Unreachable, Unusable } from './link/api.ts';
import { LogFault } from './link/log-fault.ts';
import { agentVersion } from './version.ts';

export const commands: readonly Command[] = [
  lab,
  enroll,
  inventoryCommand,
  status,
  submit,
  rotate,
  revoke,
  invite,
  withdraw,
  witness,
  verify,
];

/** The overview of all commands. */
export function overview(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    `dumpsurvey ${agentVersion}: measures how likely Linux is to capture a kernel crash dump`,
    '',
    'Usage: dumpsurvey <command> [options]',
    '',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'dumpsurvey <command> --help explains a command.',
    'Exit status: 0 done, 1 failed, 2 used wrongly, 3 something is missing on this machine.',
  ].join('\n');
}

/** The help of one command, from its table of options. */
export function helpOf(command: Command): string {
  const { argument } = command;
  const options = Object.entries(command.options).map(([name, option]) => {
    const value = option.type === 'string' ? ` ${option.value ?? 'VALUE'}` : '';
    return [`--${name}${value}`, option.help] as const;
  });
  const rows = [...(argument ? [[argument.value, argument.help] as const] : []), ...options];
  const width = Math.max(...rows.map(([left]) => left.length));
  return [
    `dumpsurvey ${command.name}${argument ? ` ${argument.value}` : ''}: ${command.summary}`,
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

async function runCommand(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    console.log(overview());
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    console.log(agentVersion);
    return 0;
  }
  const command = commands.find((c) => c.name === name);
  if (!command) {
    console.error(`There is no command ${name}.\n\n${overview()}`);
    return 2;
  }
  const options = { ...command.options, help: { type: 'boolean', help: 'shows this' } } as const;
  let values: OptionValues;
  let positionals: string[];
  try {
    const allowPositionals = command.argument !== undefined;
    ({ values, positionals } = parseArgs({ args: rest, options, strict: true, allowPositionals }));
    if (positionals.length > 1) throw new Error(`${name} takes one ${command.argument?.value}.`);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${helpOf(command)}`);
    return 2;
  }
  if (values.help) {
    console.log(helpOf(command));
    return 0;
  }
  return command.run(values, positionals[0] ?? null);
}

/** Runs the command line and sets the exit status. Expected failures are one message, without a stack trace. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    process.exitCode = await runCommand(args);
  } catch (error) {
    if (error instanceof Advice) {
      console.error(error.message);
      process.exitCode = 3;
      return;
    }
    const expected =
      [Refused, Unreachable, Unusable, LogFault].some((kind) => error instanceof kind) ||
      (error instanceof Error && 'code' in error);
    console.error(expected || !(error instanceof Error) ? String(error) : (error.stack ?? error.message));
    process.exitCode = 1;
  }
}

if (import.meta.main) await main(process.argv.slice(2));
