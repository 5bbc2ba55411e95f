/**
 * The crash itself. Everything is prepared and durable; the watchdog is started, the trap is set, and as a rule nothing
 * behind that is ever run.
 */
import { crashTypes } from '../../schema/crash-type.ts';
import type { Scenario } from '../../schema/scenario.ts';
import { arm, disarm, moduleState, survivedLine } from './module.ts';
import type { System, WatchdogHandle } from './system.ts';

/** A crash point that nothing hits within this time is disarmed. */
const fireWithinMs = 40_000;
/** What is still alive so long after it fired has not noticed anything. */
const patienceMs = 60_000;
/** At `direct` the module itself waits 10 s for its condition. */
const armWithinMs = 30_000;
const lookEveryMs = 500;

/** The system went on. What happened, for the evidence. */
export interface NotCrashed {
  readonly fired: boolean;
  /** Why the module did not take the arming, in its words; null where it did. */
  readonly refused: string | null;
  /** What the module expected instead, where it fired; null where it has not said. */
  readonly survived: string | null;
  /** A task or a processor is lost in the module: only a new start brings it back. */
  readonly isStuck: boolean;
}

export interface FireOrder {
  readonly nonce: string;
  readonly scenario: Scenario;
  /** MAJOR:MINOR of the disk under test, or null. */
  readonly device: string | null;
  /** The watchdog's path in /dev and its timeout, or null where none is used. */
  readonly watchdog: { readonly path: string; readonly timeoutMs: number } | null;
}

/** Waits for a state of the module, `withinMs` at most. */
async function waitFor(system: System, isSo: () => boolean, withinMs: number): Promise<boolean> {
  for (let waitedMs = 0; !isSo(); waitedMs += lookEveryMs) {
    if (waitedMs >= withinMs) return false;
    await system.sleep(lookEveryMs);
  }
  return true;
}

/** Starts the watchdog, synchronizes, and arms. Comes back only where the machine went on. */
export async function fire(system: System, order: FireOrder): Promise<NotCrashed> {
  const { nonce, scenario } = order;
  const needsDevice = order.device !== null && (scenario.in_flight_min > 0 || scenario.load === 'disk');
  await system.programs('sync', [], { timeoutMs: 120_000 });
  let dog: WatchdogHandle | null = null;
  if (order.watchdog !== null) {
    dog = await system.openWatchdog(order.watchdog.path);
    await dog.feed();
  }
  const refused = await arm(system, {
    nonce,
    point: scenario.crash_point,
    type: scenario.crash_type,
    device: needsDevice ? order.device : null,
    inFlight: scenario.in_flight_min,
    timeoutMs: armWithinMs,
  });
  const isFired = () => moduleState(system) === 'fired';
  const fired = isFired() || (refused === null && (await waitFor(system, isFired, fireWithinMs)));
  if (!fired) {
    if (moduleState(system) === 'armed') await disarm(system);
    await dog?.stop();
    return { fired: false, refused, survived: null, isStuck: false };
  }
  await system.sleep(patienceMs);
  const isFreed = await disarm(system);
  const survived = await survivedLine(system, nonce);
  const isStuck = !isFreed || crashTypes[scenario.crash_type].hangs;
  // What hangs is the watchdog's to end; only where it does not is anything left to say.
  if (isStuck && order.watchdog !== null) await system.sleep(order.watchdog.timeoutMs + 60_000);
  await dog?.stop();
  return { fired: true, refused: null, survived, isStuck };
}
