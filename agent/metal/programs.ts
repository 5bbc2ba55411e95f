/** Runs other programs: the only way in which the agent on a real machine does. Tests give a table in its place. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface ProgramResult {
  /** The exit status; 127 where there is no such program, 128 and more where a signal or the deadline ended it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Programs = (
  name: string,
  args: readonly string[],
  options?: { input?: string; timeoutMs?: number },
) => Promise<ProgramResult>;

/** More than any program that is asked prints. What is beyond is dropped. */
const outputMaxChars = 1 << 20;
const defaultTimeoutMs = 60_000;

/** Names are looked up here first: a unit's own PATH may lack the administrator's programs. */
export const programPath = '/usr/sbin:/usr/bin:/sbin:/bin';

function environment(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: `${programPath}:${process.env.PATH ?? ''}`, LC_ALL: 'C' };
}

/** The programs of this system, with messages in English. Never rejects. */
export const systemPrograms: Programs = (name, args, { input = '', timeoutMs = defaultTimeoutMs } = {}) =>
  new Promise((settle) => {
    const child = spawn(name, [...args], { env: environment(), stdio: ['pipe', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        said[stream] = (said[stream] + text).slice(0, outputMaxChars);
      });
    }
    const end = (code: number, why?: string) => {
      clearTimeout(deadline);
      settle({ code, ...said, ...(why === undefined ? {} : { stderr: `${said.stderr}${why}` }) });
    };
    const deadline = setTimeout(() => {
      child.kill('SIGKILL');
      // One that sleeps in the kernel does not end; nobody waits for it.
      child.unref();
      end(128, `${name} did not end within ${timeoutMs} ms`);
    }, timeoutMs);
    child.on('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ENOENT' ? 127 : 126, error.message),
    );
    child.on('close', (code, signal) => end(code ?? 128, signal === null ? undefined : `${name}: ${signal}`));
    child.stdin.on('error', () => {}).end(input);
  });

/** A program that runs beside the agent until it is stopped. */
export interface Background {
  readonly isRunning: () => boolean;
  /** Ends it with all that it started. Resolves when it is gone, or after a second. */
  readonly stop: () => Promise<void>;
}
export type StartProgram = (name: string, args: readonly string[]) => Background;

/** Starts programs of this system, each in a process group of its own. */
export const startSystemProgram: StartProgram = (name, args) => {
  const child: ChildProcess = spawn(name, [...args], { env: environment(), stdio: 'ignore', detached: true });
  let running = true;
  const gone = new Promise<void>((settle) => {
    const end = () => {
      running = false;
      settle();
    };
    child.on('error', end).on('exit', end);
  });
  return {
    isRunning: () => running,
    stop: async () => {
      if (child.pid !== undefined && running) {
        try {
          process.kill(-child.pid, 'SIGKILL');
        } catch {
          // It ended in between.
        }
      }
      await Promise.race([gone, new Promise((settle) => setTimeout(settle, 1000))]);
    },
  };
};
