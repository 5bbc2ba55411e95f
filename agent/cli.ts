/** The command line: finds the command, reads its options, shows help or runs it. */
import { parseArgs } from 'node:util';
import { Advice, Expected } from './advice.ts';
import { isBundled } from './carried.ts';
import type { NamedCommand, OptionValues } from './command.ts';
import { commands, loadCommand } from './command-table.ts';
import type { ExitStatus } from './exit.ts';
import { helpOf, helpOption, overview } from './help.ts';
import { installedDataDir } from './paths.ts';
import { agentVersion } from './version.ts';

const isRoot = () => process.geteuid?.() === 0;

/** Throws Advice where a command may not do what it is asked for. */
function demand({ needs, name }: NamedCommand, args: readonly string[], values: OptionValues): void {
  if (needs !== 'root' || values['dry-run'] || isRoot()) return;
  throw new Advice(`dumpsurvey ${name} changes this machine, so it needs root:`, [
    ['sudo', 'dumpsurvey', name, ...args].join(' '),
    ['dumpsurvey', name, ...args, '--dry-run'].join(' '),
  ]);
}

async function runCommand(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    console.log(overview(commands, agentVersion));
    return name === undefined ? 2 : 0;
  }
  if (name === '--version') {
    console.log(agentVersion);
    return 0;
  }
  const entry = commands.find((c) => c.name === name);
  if (!entry) {
    console.error(`There is no command ${name}.\n\n${overview(commands, agentVersion)}`);
    return 2;
  }
  const command = await loadCommand(entry);
  const options = { ...command.options, ...helpOption };
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
  demand(command, rest, values);
  return command.run(values, positionals[0] ?? null);
}

/** A file of the installed agent that only root may open. */
function isLocked(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'EACCES') return false;
  return error.message.includes(`'${installedDataDir}/`);
}

/** A part that the bundle does not hold. */
function isLacking(error: unknown): boolean {
  return isBundled && error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND';
}

/** An error as it is shown: its message, and the stack only of what may be a bug. */
function shown(error: unknown): string {
  if (error instanceof Advice) return error.message;
  // Errors with a code are the system's: no such file, no space left, …
  if (!(error instanceof Error) || error instanceof Expected || 'code' in error) return String(error);
  return error.stack ?? error.message;
}

/**
 * Runs the command line and sets the exit status. Expected failures are one message, without a stack trace; with --json
 * it is the `error` of an object, on standard error.
 */
export async function main(args: readonly string[]): Promise<void> {
  try {
    process.exitCode = await runCommand(args);
  } catch (caught) {
    const error = isLocked(caught)
      ? new Advice(`${(caught as Error).message}. The state of an installed agent is root's:`, [
          ['sudo', 'dumpsurvey', ...args].join(' '),
        ])
      : isLacking(caught)
        ? new Advice(
            `dumpsurvey ${args[0]} needs a database, which this one file does not hold. Run it in a checkout:`,
            [`npx dumpsurvey ${args.join(' ')}`],
          )
        : caught;
    const status: ExitStatus = error instanceof Advice ? 3 : 1;
    process.exitCode = status;
    if (!args.includes('--json')) console.error(shown(error));
    else {
      const todo = error instanceof Advice ? error.commands : [];
      console.error(JSON.stringify({ error: shown(error), commands: todo, exit: status }));
    }
  }
}

if (import.meta.main) await main(process.argv.slice(2));
