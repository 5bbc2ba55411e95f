/** Lets the watchdog reset this machine: the proof that it can. */
import { bootIdOf } from './boot.ts';
import { type Changed, undoChanged, writeChanged } from './changed.ts';
import type { Site } from './prepare.ts';
import { readProof, type WatchdogProof, writeProof } from './proof.ts';
import { mountsIn, quiesce, quiescePlan } from './quiesce.ts';
import type { MetalPaths } from './state.ts';
import type { System } from './system.ts';
import { proofTimeoutMs, setTimeoutOf, watchdogsOf } from './watchdog.ts';

/** Beyond its timeout, so long nobody doubts that it does not come. */
const graceMs = 120_000;

/** Why no watchdog can be tried, or null. */
export function whyNoWatchdog({ tree }: Pick<System, 'tree'>): string | null {
  return watchdogsOf(tree).length > 0 ? null : 'this machine has no hardware watchdog whose driver is loaded';
}

/**
 * Starts the watchdog and leaves it alone. As a rule it never comes back. Where it does, the watchdog did not reset the
 * machine: that is kept, and everything is undone.
 */
export async function letItReset(
  system: System,
  paths: Pick<MetalPaths, 'changed' | 'watchdog'>,
  { needed }: Site,
): Promise<void> {
  const [dog] = watchdogsOf(system.tree);
  if (dog === undefined) throw new Error(whyNoWatchdog(system) ?? 'there is no watchdog');
  const timeoutMs = await setTimeoutOf(system, dog, proofTimeoutMs, 1000);
  if (timeoutMs === null) throw new Error(`${dog.name} (${dog.identity}) takes no timeout: is it in use?`);
  const mounts = quiescePlan(mountsIn(system.tree.read('/proc/self/mountinfo') ?? ''), needed);
  const boot_id = bootIdOf(system.tree);
  const what: Changed = {
    version: 1,
    boot_id,
    sysctls: {},
    mounts: mounts.map(({ path }) => path),
    kdump_service: null,
    module_loaded: false,
    scratch: null,
  };
  const attempt: WatchdogProof = {
    version: 1,
    state: 'trying',
    boot_id,
    at_ms: system.now(),
    device: dog.name,
    identity: dog.identity,
    timeout_ms: timeoutMs,
    why: null,
  };
  await writeChanged(paths, what);
  await writeProof(paths, attempt);
  await system.programs('sync', [], { timeoutMs: 120_000 });
  for (const { path } of mounts) await quiesce(system.programs, path);
  const open = await system.openWatchdog(`/dev/${dog.name}`);
  await open.feed();
  await system.sleep(timeoutMs + graceMs);
  await open.stop();
  await undoChanged(system, paths, what);
  const why = `it did not reset the machine within ${Math.round((timeoutMs + graceMs) / 1000)} s`;
  if ((await readProof(paths))?.state === 'trying')
    await writeProof(paths, { ...attempt, state: 'failed', why });
}
