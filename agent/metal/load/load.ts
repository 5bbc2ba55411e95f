/** What keeps the hardware busy at a crash: one small interface, one file for each kind. */
import type { Load as LoadName } from '../../../schema/scenario.ts';
import type { System } from '../system.ts';

export interface Running {
  /** In words, for the log: with which tool. */
  readonly what: string;
  /** Whether it still runs. */
  readonly isRunning: () => boolean;
  /** Ends it and removes what it made. */
  readonly stop: () => Promise<void>;
}

export interface Load {
  /** Starts it. Rejects with an Error that says what is missing. */
  readonly start: () => Promise<Running>;
}

/** What loads are given. */
export interface LoadPlace {
  readonly system: Pick<System, 'tree' | 'programs' | 'start' | 'sleep'>;
  /** The owner's directory on the dump target's file system, or null. */
  readonly scratch: string | null;
}

/** A load that is nothing: the scenario's machine is idle. */
export const idle: Load = {
  start: async () => ({ what: 'idle', isRunning: () => true, stop: async () => {} }),
};

/** Whether a program is there. */
export async function isInstalled(programs: System['programs'], name: string): Promise<boolean> {
  return (await programs('sh', ['-c', 'command -v "$1"', 'sh', name], { timeoutMs: 10_000 })).code === 0;
}

/** Programs that run together as one load. */
export function together(what: string, all: readonly Pick<Running, 'isRunning' | 'stop'>[]): Running {
  return {
    what,
    isRunning: () => all.every((one) => one.isRunning()),
    stop: async () => {
      for (const one of all) await one.stop();
    },
  };
}

export type LoadTable = Readonly<Partial<Record<LoadName, (place: LoadPlace) => Load>>>;
