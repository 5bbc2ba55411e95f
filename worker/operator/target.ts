/** Which store a command is about: the file in a data directory, or a libSQL server. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { closeStore, openStore, type Store } from '../store/open.ts';
import { Obstacle, type OptionValues } from './command.ts';

export type Target =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'server'; readonly url: string; readonly authToken: string | null };

type Env = Readonly<Record<string, string | undefined>>;

/** An option goes before the environment, and a directory before a server. */
export function targetOf({ data, url }: OptionValues, env: Env): Target {
  const server = typeof url === 'string' ? url : typeof data === 'string' ? '' : (env.DATABASE_URL ?? '');
  if (server !== '') return { kind: 'server', url: server, authToken: env.DATABASE_AUTH_TOKEN || null };
  const directory = typeof data === 'string' ? data : env.DUMPSURVEY_DATA || 'data';
  return { kind: 'file', path: resolve(join(directory, 'survey.db')) };
}

/** The file that a command needs. Throws an Obstacle that says what to use for a server instead. */
export function fileOf(target: Target, instead: string): string {
  if (target.kind === 'file') return target.path;
  throw new Obstacle(`The store is a libSQL server, and this command works on files only. ${instead}`);
}

/** Does something with the store, which must be there: no command makes one. */
export async function withStore<T>(target: Target, work: (store: Store) => Promise<T>): Promise<T> {
  if (target.kind === 'file' && !existsSync(target.path)) {
    throw new Obstacle(`There is no store at ${target.path}. Name its directory with --data.`);
  }
  const { url, authToken } =
    target.kind === 'server' ? target : { url: pathToFileURL(target.path).href, authToken: null };
  const store = await openStore({ url, ...(authToken === null ? {} : { authToken }) });
  try {
    return await work(store);
  } finally {
    closeStore(store);
  }
}
