/** The loads that can be put on a real machine, and the proof that one of them runs. */
import type { Load as LoadName } from '../../../schema/scenario.ts';
import type { SystemTree } from '../../machine/tree.ts';
import type { System } from '../system.ts';
import { cpuLoad } from './cpu.ts';
import { diskLoad } from './disk.ts';
import { idle, type LoadTable, type Running } from './load.ts';
import { memoryLoad } from './memory.ts';
import { netLoad } from './net.ts';

const table: LoadTable = { idle: () => idle, disk: diskLoad, memory: memoryLoad, cpu: cpuLoad, net: netLoad };

/** Requests in flight on a disk, as the kernel counts them; null where it keeps no count. */
export function inFlightOf(tree: SystemTree, disk: string): number | null {
  const words = (tree.read(`/sys/block/${disk}/inflight`) ?? '').trim().split(/\s+/);
  const [reads = Number.NaN, writes = Number.NaN] = words.map(Number);
  return words.length === 2 && Number.isInteger(reads + writes) ? reads + writes : null;
}

const lookEveryMs = 20;
const proveWithinMs = 20_000;

/**
 * Starts a load and waits until it is seen to run: `least` requests in flight on `disk`. Rejects, with the load stopped,
 * where that is not seen.
 */
export async function startLoad(
  name: LoadName,
  system: System,
  place: { readonly scratch: string | null; readonly disk: string | null; readonly least: number },
): Promise<Running> {
  const make = table[name];
  if (make === undefined) throw new Error(`a real machine has no load ${name}`);
  const running = await make({ system, scratch: place.scratch }).start();
  try {
    for (let waitedMs = 0; place.least > 0; waitedMs += lookEveryMs) {
      if (place.disk === null) throw new Error('the disk that dumps go to is not known (dump_disk)');
      if (!running.isRunning()) throw new Error(`the load ended by itself (${running.what})`);
      const seen = inFlightOf(system.tree, place.disk);
      if (seen === null) throw new Error(`${place.disk} keeps no count of requests in flight`);
      if (seen >= place.least) break;
      if (waitedMs >= proveWithinMs)
        throw new Error(
          `the load (${running.what}) did not bring ${place.least} requests in flight on ${place.disk} within ${proveWithinMs / 1000} s`,
        );
      await system.sleep(lookEveryMs);
    }
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
}
