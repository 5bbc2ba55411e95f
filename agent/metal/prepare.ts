/**
 * Makes a machine ready to be crashed: sysctls, module, quiet file systems, load, watchdog. What is changed is written
 * down first; where a step fails, all of it is undone.
 */
import type { Listing } from '../../schema/canary.ts';
import { sysctlsOf } from '../../schema/crash-type.ts';
import { bootIdOf, isCrashKernelLoaded } from './boot.ts';
import { needsWatchdog } from './campaign.ts';
import { type Changed, undoChanged, writeChanged } from './changed.ts';
import type { Running } from './load/load.ts';
import { startLoad } from './load/loads.ts';
import type { TrialOrder } from './machine.ts';
import { loadModule, moduleState, plant } from './module.ts';
import { mountsIn, quiesce, quiescePlan } from './quiesce.ts';
import type { MetalPaths } from './state.ts';
import { readSysctl, setSysctls } from './sysctls.ts';
import type { System } from './system.ts';
import { setTimeoutOf, timeoutForTrialMs, type Watchdog, watchdogsOf } from './watchdog.ts';

/** Where things of this machine are, as a trial needs them. */
export interface Site {
  /** The disk under test, as in /sys/block, or null where dumps go elsewhere. */
  readonly disk: string | null;
  readonly scratch: string | null;
  /** Paths whose file systems a trial needs. */
  readonly needed: readonly string[];
  /** The service that loads the capture kernel, or null where none is known. */
  readonly kdumpService: string | null;
  /** Names the trial on the beacon channel. Rejects where that cannot be done: the capture would tell of another one. */
  readonly nameTrial: (nonce: string) => Promise<void>;
}

export interface PreparedTrial {
  readonly planted: Listing;
  readonly sysctls: Readonly<Record<string, number>>;
  readonly load: Running;
  /** Null where no watchdog can be used. */
  readonly watchdog: { readonly dog: Watchdog; readonly timeoutMs: number } | null;
  /** Stops the load and undoes everything; gives what could not be undone. */
  readonly undo: () => Promise<string[]>;
}

/** Seconds after which a kernel that panics without a capture kernel starts anew. */
const panicTimeoutS = 10;

/** Unloads the capture kernel for a control trial, and makes sure of it. */
async function unloadCrashKernel({ programs, tree }: System): Promise<void> {
  for (const args of [
    ['-p', '-u'],
    ['-s', '-p', '-u'],
  ])
    if (isCrashKernelLoaded(tree)) await programs('kexec', args);
  if (isCrashKernelLoaded(tree))
    throw new Error('the capture kernel could not be unloaded for a control trial');
}

/** The watchdog of a trial with its timeout set, or null. Throws where the trial must have one. */
async function chooseWatchdog(
  system: System,
  { scenario, capturesMs }: TrialOrder,
): Promise<PreparedTrial['watchdog']> {
  for (const dog of watchdogsOf(system.tree)) {
    const wantedMs = timeoutForTrialMs(capturesMs);
    const leastMs = capturesMs.length === 0 ? wantedMs / 3 : Math.max(...capturesMs) * 2;
    const timeoutMs = await setTimeoutOf(system, dog, wantedMs, leastMs);
    if (timeoutMs !== null) return { dog, timeoutMs };
  }
  if (needsWatchdog(scenario))
    throw new Error('no hardware watchdog takes a timeout that a capture fits into');
  return null;
}

/** Prepares a trial. Rejects where a step fails; then everything was undone. */
export async function prepare(
  system: System,
  paths: Pick<MetalPaths, 'changed'>,
  site: Site,
  order: TrialOrder,
): Promise<PreparedTrial> {
  const { scenario, nonce, control } = order;
  const wanted = sysctlsOf(scenario.crash_type, scenario.set_up);
  const panicS = readSysctl(system, 'panic') ?? 0;
  // A kernel that waits for ever after a panic does not come back from a control, nor from a capture kernel's fault.
  const all = panicS === 0 ? { ...wanted, panic: panicTimeoutS } : wanted;
  const before = Object.keys(all).map((name) => [name, readSysctl(system, name)] as const);
  const mounts = quiescePlan(mountsIn(system.tree.read('/proc/self/mountinfo') ?? ''), site.needed);
  const what: Changed = {
    version: 1,
    boot_id: bootIdOf(system.tree),
    sysctls: Object.fromEntries(before.flatMap(([name, value]) => (value === null ? [] : [[name, value]]))),
    mounts: mounts.map(({ path }) => path),
    kdump_service: control ? site.kdumpService : null,
    module_loaded: moduleState(system) === 'absent',
    scratch: scenario.load === 'disk' ? site.scratch : null,
  };
  await writeChanged(paths, what);
  let load: Running | null = null;
  const undo = async () => {
    await load?.stop();
    return undoChanged(system, paths, what);
  };
  try {
    const read = await setSysctls(system, all);
    const sysctls = Object.fromEntries(Object.entries(read).filter(([name]) => name in wanted));
    await loadModule(system);
    const planted = await plant(system, nonce);
    await site.nameTrial(nonce);
    if (control) await unloadCrashKernel(system);
    else if (!isCrashKernelLoaded(system.tree)) throw new Error('no capture kernel is loaded');
    const watchdog = await chooseWatchdog(system, order);
    await system.programs('sync', [], { timeoutMs: 120_000 });
    for (const { path } of mounts) await quiesce(system.programs, path);
    const place = { scratch: site.scratch, disk: site.disk, least: scenario.in_flight_min };
    load = await startLoad(scenario.load, system, place);
    return { planted, sysctls, load, watchdog, undo };
  } catch (error) {
    await undo();
    throw error;
  }
}
