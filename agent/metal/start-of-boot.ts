/** What is done once after each start of the machine: the start is kept, and judged by the boot-loop guard. */
import type { TrialState } from '../trial/journal.ts';
import { bootIdOf, isCaptureKernel } from './boot.ts';
import { guardOf } from './guard.ts';
import { readProof } from './proof.ts';
import { readStarts, recordStart } from './starts.ts';
import type { MetalPaths } from './state.ts';
import { stop } from './stopped.ts';
import type { System } from './system.ts';
import { judgeProof } from './this-machine.ts';

/** Whether the agent itself ended that boot: it crashed the machine, or let its watchdog reset it. */
function endedByAgent(
  bootId: string,
  trials: ReadonlyMap<number, TrialState>,
  proofBootId: string | null,
): boolean {
  return (
    proofBootId === bootId || [...trials.values()].some(({ arming }) => arming?.metal?.boot_id === bootId)
  );
}

/** Keeps this start, judges an attempt at a watchdog by it, and stops everything where the machine is in a loop. */
export async function seeStart(
  system: System,
  paths: MetalPaths,
  trials: ReadonlyMap<number, TrialState>,
  trialsPerDay: number,
): Promise<void> {
  if (isCaptureKernel(system.tree)) return;
  const proof = await readProof(paths);
  await recordStart(
    paths,
    bootIdOf(system.tree),
    system.now(),
    (previous) => previous === null || endedByAgent(previous, trials, proof?.boot_id ?? null),
  );
  await judgeProof(system, paths);
  const why = guardOf((await readStarts(paths)).counted, trialsPerDay, system.now());
  if (why !== null) await stop(paths, why, system.now());
}
