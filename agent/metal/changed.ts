/**
 * What an arming changes on the running system, written down before it is changed, so that it is undone even where the
 * agent does not live to do it. A new start of the machine undoes all of it by itself, but for the files of a load.
 */
import { rm } from 'node:fs/promises';
import * as z from 'zod';
import { writeDurably } from '../durable.ts';
import { removeLoadFiles } from './load/disk.ts';
import { disarm, moduleState, unloadModule } from './module.ts';
import { unquiesce } from './quiesce.ts';
import { type MetalPaths, readState } from './state.ts';
import { sysctlPath } from './sysctls.ts';
import type { System } from './system.ts';

const changed = z.strictObject({
  version: z.literal(1),
  boot_id: z.string().max(60),
  /** Values before, by name. */
  sysctls: z.record(z.string().regex(/^[a-z_.]{1,60}$/), z.int()),
  /** Mount points that are to be writable again. */
  mounts: z.array(z.string().max(4096)),
  /** The service that loads the capture kernel again, where it was unloaded. */
  kdump_service: z.string().max(60).nullable(),
  /** The module was not loaded before. */
  module_loaded: z.boolean(),
  /** The directory in which a disk load makes its files: the one thing that a new start does not undo. */
  scratch: z.string().max(1000).nullable().default(null),
});
export type Changed = z.infer<typeof changed>;

/** What is changed at present, or null. A file that cannot be read is put aside: nothing can be undone by it. */
export async function readChanged({ changed: path }: Pick<MetalPaths, 'changed'>): Promise<Changed | null> {
  return readState(path, changed, [`rm ${path}`]);
}

/** Writes down what is about to be changed. */
export function writeChanged({ changed: path }: Pick<MetalPaths, 'changed'>, what: Changed): Promise<void> {
  return writeDurably(path, `${JSON.stringify(what)}\n`);
}

/** Undoes everything, in the reverse order, and gives what could not be undone, in words. */
export async function undoChanged(
  system: System,
  paths: Pick<MetalPaths, 'changed'>,
  what: Changed,
): Promise<string[]> {
  const faults: string[] = [];
  const state = moduleState(system);
  if ((state === 'armed' || state === 'fired') && !(await disarm(system)))
    faults.push('the crash point cannot be disarmed: something of it never comes back');
  for (const path of what.mounts)
    if (!(await unquiesce(system.programs, path))) faults.push(`${path} is not writable again`);
  if (what.kdump_service !== null) {
    const restarted = await system.programs('systemctl', ['restart', what.kdump_service], {
      timeoutMs: 300_000,
    });
    if (restarted.code !== 0) faults.push(`${what.kdump_service} did not load the capture kernel again`);
  }
  for (const [name, value] of Object.entries(what.sysctls))
    await system
      .write(sysctlPath(name), `${value}\n`)
      .catch(() => faults.push(`${sysctlPath(name)} did not take ${value} again`));
  if (what.module_loaded && moduleState(system) !== 'absent' && !(await unloadModule(system)))
    faults.push('the module crashpoint is still in use');
  if (what.scratch !== null) await removeLoadFiles(system.programs, what.scratch);
  await rm(paths.changed, { force: true });
  return faults;
}
