/** Runs the agent's command line as a user does: a process of its own, with a data directory of its own. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { packageDir } from '../../agent/paths.ts';
import { toHex } from '../../schema/bytes.ts';
import type { KeyPair } from '../http/samples.ts';

export interface Ran {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Runs a program of the package with Node, to its end. */
export async function runScript(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Ran> {
  const child = spawn(process.execPath, [join(packageDir, script), ...args], {
    env: {
      PATH: process.env.PATH ?? '',
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise((settle, fail) => {
    child.on('error', fail);
    child.on('close', (code, signal) => settle({ code, signal, out, err }));
  });
}

/** A user: a data directory, and a survey. */
export interface User {
  readonly data: string;
  readonly keyPath: string;
  readonly ownerPath: string;
  readonly run: (...args: string[]) => Promise<Ran>;
}

/** Keeps a key as the agent does. */
export function writeKey(path: string, { secretKey }: Pick<KeyPair, 'secretKey'>): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${toHex(secretKey.slice(0, 32))}\n`);
}

/** A user with these keys, of the survey at `url`. */
export function userAt(url: string, keys: { readonly key?: KeyPair; readonly owner?: KeyPair }): User {
  const data = mkdtempSync(join(tmpdir(), 'agent-user-'));
  const keyPath = join(data, 'keys/machine.key');
  const ownerPath = join(data, 'keys/owner.key');
  if (keys.key) writeKey(keyPath, keys.key);
  if (keys.owner) writeKey(ownerPath, keys.owner);
  const env = { DUMPSURVEY_DATA: data, DUMPSURVEY_URL: url };
  return { data, keyPath, ownerPath, run: (...args) => runScript('agent/cli.ts', args, env) };
}
