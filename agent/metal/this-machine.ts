/** The machine that this runs on, as campaigns see it. The one place where a real machine is really crashed. */
import type { Evidence } from '../../schema/evidence.ts';
import { bootIdOf, uptimeMsOf } from './boot.ts';
import { readChanged, undoChanged } from './changed.ts';
import { fire, type NotCrashed } from './fire.ts';
import type { ArmedTrial, MetalMachine, Ready, TrialOrder, WentOn } from './machine.ts';
import { type PreparedTrial, prepare, type Site } from './prepare.ts';
import { judgeAttempt, readProof, writeProof } from './proof.ts';
import { letItReset } from './prove.ts';
import { giveReserveBack, takeReserve } from './reserve.ts';
import type { BeaconChannel } from './settings.ts';
import type { MetalPaths } from './state.ts';
import type { System } from './system.ts';
import { bootStatusOf } from './watchdog.ts';

/** What looks for what a trial left: nothing in it crashes anything. */
export interface Witnesses {
  /** What there is before a trial is armed: nothing of it is the trial's. */
  readonly namesBefore: () => Promise<readonly string[]>;
  /** Evidence of a trial that was armed in an earlier boot. */
  readonly afterReboot: (trial: ArmedTrial) => Promise<Evidence>;
  /** Evidence of one after which the system went on: what happened; null where the agent was ended and nothing is known. */
  readonly here: (trial: ArmedTrial, what: NotCrashed | null) => Promise<Evidence>;
  /** Removes the dump that evidence was taken from, if it was told from others by its nonce. */
  readonly removeDump: (trial: ArmedTrial) => Promise<void>;
}

export interface ThisMachineOptions {
  readonly system: System;
  readonly paths: MetalPaths;
  readonly site: () => Site;
  readonly beacon: BeaconChannel;
  readonly profile: () => Promise<string>;
  readonly witnesses: Witnesses;
  readonly onStep: (step: string) => void;
}

/** What happened of a trial after which the module's state is all that is left to ask. */
async function asReady(
  prepared: PreparedTrial,
  order: TrialOrder,
  options: ThisMachineOptions,
): Promise<Ready> {
  const { system, site, beacon, witnesses, onStep } = options;
  const { planted, sysctls, watchdog } = prepared;
  const undo = async () => {
    for (const fault of await prepared.undo()) onStep(`could not be undone: ${fault}`);
  };
  const metal = {
    boot_id: bootIdOf(system.tree),
    crash_before: [...(await witnesses.namesBefore())],
    watchdog: { present: watchdog !== null, timeout_ms: watchdog?.timeoutMs ?? 0 },
    beacon,
  };
  const fireNow = async (): Promise<WentOn> => {
    const armedAt = new Date(system.now()).toISOString();
    const { disk } = site();
    const what = await fire(system, {
      nonce: order.nonce,
      scenario: order.scenario,
      device: disk === null ? null : (system.tree.read(`/sys/block/${disk}/dev`)?.trim() ?? null),
      watchdog: watchdog && { path: `/dev/${watchdog.dog.name}`, timeoutMs: watchdog.timeoutMs },
    }).catch(async (error: unknown) => {
      await undo();
      throw error;
    });
    const trial = { nonce: order.nonce, control: order.control, armedAt, planted, metal };
    const evidence = await witnesses.here(trial, what);
    await undo();
    // A kernel in which something was killed or is stuck is none to run the next trial on.
    return { evidence, rebootDue: what.fired || watchdog?.dog.noWayOut === true };
  };
  return { planted, sysctls, metal, fire: fireNow, undo };
}

/** The real machine. */
export function thisMachine(options: ThisMachineOptions): MetalMachine {
  const { system, paths, site, profile, witnesses, onStep } = options;

  async function undoLeftovers(): Promise<void> {
    const what = await readChanged(paths);
    if (what === null) return;
    const isOfThisBoot = what.boot_id === bootIdOf(system.tree);
    // Another start has undone all of it but the files.
    const left = isOfThisBoot
      ? what
      : { ...what, sysctls: {}, mounts: [], kdump_service: null, module_loaded: false };
    for (const fault of await undoChanged(system, paths, left)) onStep(`could not be undone: ${fault}`);
  }

  return {
    bootId: () => bootIdOf(system.tree),
    now: system.now,
    profile,
    prepare: async (order) => await asReady(await prepare(system, paths, site(), order), order, options),
    evidenceAfter: witnesses.afterReboot,
    evidenceHere: async (trial) => {
      const evidence = await witnesses.here(trial, null);
      await undoLeftovers();
      return evidence;
    },
    undoLeftovers,
    removeDump: witnesses.removeDump,
    proveWatchdog: () => letItReset(system, paths, site()),
    reboot: async () => {
      await system.programs('systemctl', ['reboot'], { timeoutMs: 60_000 });
    },
    reserve: () => takeReserve(paths.dir),
    freeReserve: () => giveReserveBack(paths.dir),
  };
}

/** Judges an attempt to prove the watchdog by what this start shows, and keeps what it came to. */
export async function judgeProof(system: System, paths: MetalPaths): Promise<void> {
  const attempt = await readProof(paths);
  if (attempt === null || attempt.state !== 'trying') return;
  const judged = judgeAttempt(attempt, {
    bootId: bootIdOf(system.tree),
    nowMs: system.now(),
    uptimeMs: uptimeMsOf(system.tree),
    bootStatus: bootStatusOf(system.tree, attempt.device),
  });
  if (judged.state !== 'trying') await writeProof(paths, judged);
}
