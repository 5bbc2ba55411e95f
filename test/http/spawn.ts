/** The Node server as its users run it: a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const entry = fileURLToPath(new URL('../../worker/node.ts', import.meta.url));
const children: ChildProcess[] = [];

export interface SpawnedServer {
  readonly url: string;
  readonly child: ChildProcess;
}

/** Starts a server on a data directory and any free port. */
export async function spawnServer(
  data: string,
  env: Record<string, string> = {},
  stderr: 'inherit' | 'ignore' = 'inherit',
): Promise<SpawnedServer> {
  const child = spawn(process.execPath, [entry], {
    env: { ...process.env, PORT: '0', DUMPSURVEY_DATA: data, LOG: 'text', ...env },
    stdio: ['ignore', 'pipe', stderr],
  });
  children.push(child);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = (await once(lines, 'line')) as [string];
  const url = /http:\/\/[^\s"]+/.exec(line)?.[0];
  if (url === undefined) throw new Error(`the server said: ${line}`);
  return { url, child };
}

/** Kills every server that was spawned and still runs. */
export function endServers(): void {
  for (const child of children.splice(0)) child.kill('SIGKILL');
}
