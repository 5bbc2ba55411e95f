/**
 * A machine as the agent changes it. Everything that reads goes through the tree, everything that acts through these
 * few functions: a test gives a machine of its own, on which nothing can be crashed.
 */
import { open as openFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileTree, type SystemTree } from '../machine/tree.ts';
import { type Programs, type StartProgram, startSystemProgram, systemPrograms } from './programs.ts';

/** An open watchdog: it runs from the first feeding on. */
export interface WatchdogHandle {
  readonly feed: () => Promise<void>;
  /** Stops it by the magic character and closes it. Where the kernel forbids that (`nowayout`) it goes on. */
  readonly stop: () => Promise<void>;
}

export interface System {
  readonly tree: SystemTree;
  readonly programs: Programs;
  readonly start: StartProgram;
  /** Writes a file of procfs or sysfs. Rejects with what the kernel said. */
  readonly write: (path: string, text: string) => Promise<void>;
  /** Opens a watchdog, which starts it. Rejects where somebody else has it. */
  readonly openWatchdog: (path: string) => Promise<WatchdogHandle>;
  /** Stops every watchdog that is open: before the agent ends, unless it is to bite. */
  readonly stopWatchdogs: () => Promise<void>;
  readonly sleep: (ms: number) => Promise<void>;
  /** Milliseconds since the epoch: it may jump. */
  readonly now: () => number;
}

/** The watchdog at a path below /dev (Documentation/watchdog/watchdog-api.rst). */
async function openSystemWatchdog(path: string): Promise<WatchdogHandle> {
  const handle = await openFile(path, 'w');
  const say = async (text: string) => {
    await handle.write(text);
  };
  return {
    feed: () => say('.'),
    stop: async () => {
      await say('V');
      await handle.close();
    },
  };
}

/** This machine. */
export function thisSystem(): System {
  const open = new Set<WatchdogHandle>();
  return {
    tree: fileTree('/'),
    programs: systemPrograms,
    start: startSystemProgram,
    write: (path, text) => writeFile(path, text),
    openWatchdog: async (path) => {
      const handle = await openSystemWatchdog(path);
      const tracked = {
        feed: handle.feed,
        stop: async () => {
          open.delete(tracked);
          await handle.stop();
        },
      };
      open.add(tracked);
      return tracked;
    },
    stopWatchdogs: async () => {
      for (const handle of open) await handle.stop();
    },
    sleep: (ms) => sleep(ms),
    now: Date.now,
  };
}
