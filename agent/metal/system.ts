/**
 * A machine as the agent changes it. Everything that reads goes through the tree, everything that acts through these
 * few functions: a test gives a machine of its own, on which nothing can be crashed.
 */
import { open, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileTree, type SystemTree } from '../machine/tree.ts';
import { type Programs, type StartProgram, startSystemProgram, systemPrograms } from './programs.ts';

/** An open watchdog: it runs from the first feeding on. */
export interface WatchdogHandle {
  readonly feed: () => Promise<void>;
  /** Stops it by the magic character and closes it. Where the kernel forbids that (`nowayout`) it goes on. */
  readonly stop: () => Promise<void>;
  /** Closes it and lets it run. */
  readonly leave: () => Promise<void>;
}

export interface System {
  readonly tree: SystemTree;
  readonly programs: Programs;
  readonly start: StartProgram;
  /** Writes a file of procfs or sysfs. Rejects with what the kernel said. */
  readonly write: (path: string, text: string) => Promise<void>;
  /** Opens a watchdog, which starts it. Rejects where somebody else has it. */
  readonly openWatchdog: (path: string) => Promise<WatchdogHandle>;
  readonly sleep: (ms: number) => Promise<void>;
  /** Milliseconds since the epoch: it may jump. */
  readonly now: () => number;
}

/** The watchdog at a path below /dev (Documentation/watchdog/watchdog-api.rst). */
async function openSystemWatchdog(path: string): Promise<WatchdogHandle> {
  const handle = await open(path, 'w');
  const say = async (text: string) => {
    await handle.write(text);
  };
  return {
    feed: () => say('.'),
    stop: async () => {
      await say('V');
      await handle.close();
    },
    leave: () => handle.close(),
  };
}

/** This machine. */
export function thisSystem(): System {
  return {
    tree: fileTree('/'),
    programs: systemPrograms,
    start: startSystemProgram,
    write: (path, text) => writeFile(path, text),
    openWatchdog: openSystemWatchdog,
    sleep: (ms) => sleep(ms),
    now: Date.now,
  };
}
