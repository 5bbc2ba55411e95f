/** Runs a program to its end. */
import { spawn } from 'node:child_process';
import { Expected } from './advice.ts';

/** A program that failed, with what it said last. */
export class CommandError extends Expected {
  override name = 'CommandError';
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
}

/** Runs `command` and gives its standard output. Throws a CommandError with the last lines it printed where it fails. */
export async function run(command: readonly string[], options: RunOptions = {}): Promise<string> {
  const [program, ...args] = command;
  if (program === undefined) throw new CommandError('no command');
  const child = spawn(program, args, { cwd: options.cwd, env: options.env, stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text;
  });
  child.stdin.on('error', () => {}).end(options.input ?? '');
  const status = await new Promise<string | null>((settle) => {
    child.on('error', (error) => settle(error.message));
    child.on('close', (code, signal) => settle(code === 0 ? null : `exit ${code ?? signal}`));
  });
  if (status === null) return out;
  const said = `${err}\n${out}`.trim().split('\n').slice(-12).join('\n');
  throw new CommandError(`${command.join(' ')}: ${status}\n${said}`);
}
