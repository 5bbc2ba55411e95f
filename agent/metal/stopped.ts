/** Why nothing is crashed any more, in `stopped.json`. Only the owner clears it. */
import { rm } from 'node:fs/promises';
import * as z from 'zod';
import { writeDurably } from '../durable.ts';
import { type MetalPaths, readState } from './state.ts';

const stopped = z.strictObject({ version: z.literal(1), at: z.string().max(40), why: z.string().max(500) });
export type Stopped = z.infer<typeof stopped>;

/** The command by which an owner lets the agent go on. */
export const goOn = 'dumpsurvey run --again';

/** Why the agent stopped, or null where it did not. A file that cannot be read stops it, too. */
export async function readStopped({ stopped: path }: Pick<MetalPaths, 'stopped'>): Promise<Stopped | null> {
  return readState(path, stopped, [goOn]).catch((error: unknown) => ({
    version: 1,
    at: 'unknown',
    why: (error instanceof Error ? error.message : String(error)).slice(0, 500),
  }));
}

/** Stops the agent. The first reason stays. */
export async function stop(paths: Pick<MetalPaths, 'stopped'>, why: string, nowMs: number): Promise<void> {
  if ((await readStopped(paths)) !== null) return;
  const reason: Stopped = { version: 1, at: new Date(nowMs).toISOString(), why: why.slice(0, 500) };
  await writeDurably(paths.stopped, `${JSON.stringify(reason)}\n`);
}

/** Lets it go on. */
export async function clearStopped({ stopped: path }: Pick<MetalPaths, 'stopped'>): Promise<void> {
  await rm(path, { force: true });
}
