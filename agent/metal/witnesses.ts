/** The real witnesses of a trial: dumps, logs, watchdogs and beacons of this system. They read, and remove one dump. */
import { bootIdOf } from './boot.ts';
import { gatherEvidence, survivedEvidence } from './evidence/gather.ts';
import { namesBefore } from './evidence/place.ts';
import { removeTrialDump } from './evidence/remove.ts';
import type { NotCrashed } from './fire.ts';
import type { ArmedTrial } from './machine.ts';
import { kernelLog, moduleState } from './module.ts';

import type { System } from './system.ts';
import type { Witnesses } from './this-machine.ts';

const root = '/';

/** The facts of a trial in the words of whoever gathers evidence. */
function factsOf({ armedAt, planted, metal }: ArmedTrial) {
  return {
    boot_id: metal.boot_id,
    armed_at: armedAt,
    listing: planted,
    watchdog: metal.watchdog,
    beacon: metal.beacon,
    crash_before: metal.crash_before,
  };
}

/** What the module says of itself, beside what was seen of it. */
function moduleWord(system: System, what: NotCrashed | null): 'waiting' | 'fired' | 'unknown' {
  if (what !== null) return what.fired ? 'fired' : 'waiting';
  const state = moduleState(system);
  if (state === 'fired') return 'fired';
  return state === 'armed' || state === 'planted' ? 'waiting' : 'unknown';
}

/** Why the harness is to blame for a trial that did not fire, or null. */
function faultOf(what: NotCrashed | null, fired: boolean): string | null {
  if (what === null) return fired ? null : 'the agent was ended between the arming and the crash';
  if (what.fired) return null;
  return what.refused === null
    ? 'nothing hit the crash point in time'
    : `the module refused: ${what.refused}`;
}

/** `shownBy`: the channels on which this machine has shown beacons before: silence then means something. */
export function systemWitnesses(system: System, shownBy: () => ReadonlySet<string>): Witnesses {
  return {
    namesBefore: () => namesBefore(system.tree, root),
    afterReboot: async (trial) =>
      gatherEvidence({
        tree: system.tree,
        root,
        armed: factsOf(trial),
        bootId: bootIdOf(system.tree),
        nowMs: system.now(),
        kernelLog: await kernelLog(system),
        beaconProven: shownBy().has(trial.metal.beacon.kind),
      }),
    here: async (trial, what) => {
      const module = moduleWord(system, what);
      return survivedEvidence({
        armed: factsOf(trial),
        nowMs: system.now(),
        kernelLog: await kernelLog(system),
        module,
        survived: what?.survived ?? (module === 'fired' ? 'the system went on' : null),
        fault: faultOf(what, module === 'fired'),
      });
    },
    removeDump: async (trial) => {
      await removeTrialDump(system.tree, root, factsOf(trial));
    },
  };
}
