/** The files of the agent on a real machine, all in one directory of the data directory. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as z from 'zod';
import { Advice } from '../advice.ts';

/** Where each thing is kept. */
export function metalPaths(data: string) {
  const dir = join(data, 'metal');
  const at = (name: string) => join(dir, name);
  return {
    dir,
    /** What was begun: the only authority on what has run. */
    journal: at('journal.jsonl'),
    /** What the owner chose at the installation. */
    settings: at('settings.json'),
    /** That the owner marked this machine as spare: without it nothing ever crashes. */
    consent: at('consent.json'),
    /** What is to be run. */
    campaign: at('campaign.json'),
    /** The starts of this machine, one a line: what the boot-loop guard counts. */
    starts: at('starts.jsonl'),
    /** The watchdog's proof, or the attempt at one. */
    watchdog: at('watchdog.json'),
    /** Why nothing is crashed any more: only the owner removes it. */
    stopped: at('stopped.json'),
    /** What an arming changed on the running system, until it is undone. */
    changed: at('changed.json'),
    /** A request for tickets whose answer is still to come. */
    asked: at('asked.json'),
    /** Tickets that were fetched ahead. */
    tickets: at('tickets.json'),
    /** Scenarios that could not be made ready. */
    trouble: at('trouble.json'),
    /** Taken while a trial may be running. */
    lock: at('lock'),
  } as const;
}
export type MetalPaths = ReturnType<typeof metalPaths>;

/** The contents of a state file, or null where there is none. Throws Advice where it does not hold what it should. */
export async function readState<T>(
  path: string,
  shape: z.ZodType<T, unknown>,
  mend: readonly string[],
): Promise<T | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const { data, error } = shape.safeParse(value);
  if (error === undefined) return data;
  const [issue] = error.issues;
  const what = value === undefined ? 'it is no JSON' : `${issue?.path.join('.') || 'it'}: ${issue?.message}`;
  throw new Advice(`${path} cannot be used: ${what}. Nothing was crashed. Mend the file, or do this:`, mend);
}
