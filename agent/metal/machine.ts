/**
 * A machine that crashes itself, as a campaign sees it. The real one is made in `this-machine.ts`; tests have one that
 * only plays it, so that everything that decides is run through crashes and power cuts without any.
 */
import type { Listing } from '../../schema/canary.ts';
import type { Evidence } from '../../schema/evidence.ts';
import type { LogPlan } from '../../schema/log-canary.ts';
import type { Scenario } from '../../schema/scenario.ts';
import type { ArmedOnMetal } from '../trial/journal.ts';

/** What is to be prepared. */
export interface TrialOrder {
  readonly nonce: string;
  readonly scenario: Scenario;
  /** The mechanism under test is disabled on purpose. */
  readonly control: boolean;
  /** How long captures on this machine have taken so far, in milliseconds. */
  readonly capturesMs: readonly number[];
}

/** A machine that is ready to be crashed. Nothing of it is armed yet. */
export interface Ready {
  readonly planted: Listing | LogPlan;
  /** The scenario's sysctls, as they were read back. */
  readonly sysctls: Readonly<Record<string, number>>;
  readonly metal: ArmedOnMetal;
  /**
   * Arms. As a rule it never comes back: the machine crashes. Where it does, everything was undone, as far as the
   * crash left the system able to, and `rebootDue` says whether it should be started anew.
   */
  readonly fire: () => Promise<WentOn>;
  /** Undoes what was prepared. */
  readonly undo: () => Promise<void>;
}

/** What there is to say of a trial after which the system went on. */
export interface WentOn {
  readonly evidence: Evidence;
  readonly rebootDue: boolean;
}

/** A trial as its journal tells of it, for whoever looks for what it left. */
export interface ArmedTrial {
  readonly nonce: string;
  readonly control: boolean;
  readonly armedAt: string;
  readonly planted: Listing | LogPlan;
  readonly metal: ArmedOnMetal;
}

export interface MetalMachine {
  readonly bootId: () => string;
  readonly now: () => number;
  /** The exact text of the hardware profile. */
  readonly profile: () => Promise<string>;
  /** Rejects where the machine cannot be made ready; then everything was undone. */
  readonly prepare: (order: TrialOrder) => Promise<Ready>;
  /** What a trial left that was armed in an earlier boot. */
  readonly evidenceAfter: (trial: ArmedTrial) => Promise<Evidence>;
  /** What there is to say of one that was armed in this boot by an agent that was ended. Disarms. */
  readonly evidenceHere: (trial: ArmedTrial) => Promise<Evidence>;
  /** Undoes what an earlier agent changed and did not live to undo. */
  readonly undoLeftovers: () => Promise<void>;
  /** Removes the dump of a trial whose report is in the outbox: dumps must not fill the target. */
  readonly removeDump: (trial: ArmedTrial) => Promise<void>;
  /** Lets the watchdog reset the machine. Comes back only where it did not. */
  readonly proveWatchdog: () => Promise<void>;
  /** Orders an ordinary reboot. */
  readonly reboot: () => Promise<void>;
  /** Makes sure that what follows a crash can be written. Rejects with Advice where the state directory is full. */
  readonly reserve: () => Promise<void>;
  readonly freeReserve: () => Promise<void>;
}
