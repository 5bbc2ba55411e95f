/** The operator's command line as its users run it: a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../worker/operator.ts', import.meta.url));

export interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line. `prelude` is shell that runs before it, such as a limit. */
export async function operator(
  args: readonly string[],
  env: Record<string, string> = {},
  prelude = '',
): Promise<Ended> {
  const child = spawn('sh', ['-c', `${prelude}exec "$0" "$@"`, process.execPath, program, ...args], {
    env: { ...process.env, DATABASE_URL: '', DUMPSURVEY_DATA: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: child.exitCode, out, err };
}
