/** The crash module comes and goes, over all points in turn, and leaves nothing behind. */
import type { Lab } from '../../agent/lab/provision.ts';
import { type CrashPoint, crashPoints } from '../../schema/crash-point.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import { type Exercise, exercise } from './exercise.ts';
import {
  everything,
  type Health,
  harmless,
  healthFaults,
  healthOf,
  load,
  readLog,
  slabsOf,
} from './module-health.ts';
import { refusalIn } from './refusals.ts';

/**
 * Totals of /proc/meminfo in KiB, and the objects in use of each slab cache. Free memory is with what lies in the
 * lists of free pages of each processor, which is some MiB, more or less.
 */
export interface Memory {
  readonly kib: Readonly<Record<string, number>>;
  readonly objects: Readonly<Record<string, number>>;
}

const totals = ['MemFree', 'Slab', 'SUnreclaim', 'VmallocUsed', 'Percpu', 'KernelStack', 'PageTables'];

async function measure({ must }: Exercise): Promise<Memory> {
  await must('settle');
  const meminfo = (await must('cat /proc/meminfo')).map((line) => line.split(/[:\s]+/));
  const inLists = (await must('grep count: /proc/zoneinfo')).map((line) => Number(line.split(':')[1]));
  const slabinfo = (await must('cat /proc/slabinfo')).slice(2).map((line) => line.split(/\s+/));
  const kib = Object.fromEntries(
    meminfo.filter(([name = '']) => totals.includes(name)).map(([name = '', size]) => [name, Number(size)]),
  );
  const pages = inLists.reduce((sum, count) => sum + count, 0);
  return {
    kib: { ...kib, MemFree: (kib.MemFree ?? 0) + pages * 4 },
    objects: Object.fromEntries(slabinfo.map(([name = '', active]) => [name, Number(active)])),
  };
}

export interface CycleReport {
  readonly cycles: number;
  /** What went wrong, by cycle: none of it should. */
  readonly failed: readonly string[];
  /** Odd options that the module was loaded with, and whether it was. */
  readonly options: Readonly<Record<string, boolean>>;
  /** Refusals in the log other than those that the exercise provokes. */
  readonly unexpected: readonly string[];
  /** After so many cycles, and at the end. */
  readonly measuredAt: number;
  readonly before: Memory;
  readonly after: Memory;
  /** Addresses of code that is gone and that has left objects in slabs. */
  readonly orphans: readonly string[];
  readonly health: Health;
  readonly wallMs: number;
}

/** Options of insmod that are none of the module's. */
const oddOptions = ['nonsense=1', 'nonsense', '=', '"nonsense=a b"', 'dyndbg=+p', 'point=direct type=panic'];

/** What the writer that waits at `direct` is told. */
const provoked = 'disarmed by another writer while waiting';

/** Loads, plants, arms, fails to unload, disarms and unloads, over all points in turn, with a disk and a card at work. */
export function cycleModule(lab: Lab, cycles: number): Promise<CycleReport> {
  const startedAt = performance.now();
  const withinMs = 180_000 + cycles * 4000;
  return exercise(lab, everything, { withinMs }, async (guest) => {
    const { sh, must } = guest;
    const orphansIn = await slabsOf(guest);
    const options: Record<string, boolean> = {};
    for (const words of oddOptions) {
      const { status } = await sh(`${load} ${words}`);
      options[words] = status === 0;
      if (status === 0) await must('rmmod crashpoint');
    }
    const arming = await harmless(guest);
    const points = namesOf(crashPoints);
    const failed: string[] = [];
    const measuredAt = Math.min(50, Math.floor(cycles / 2));
    let before: Memory = { kib: {}, objects: {} };
    await must('start_traffic');
    for (let done = 0; done < cycles && failed.length < 10; done++) {
      if (done === measuredAt) {
        await must('stop_traffic');
        before = await measure(guest);
        await must('start_traffic');
      }
      const point = points[done % points.length] as CrashPoint;
      const nonce = (done + 1).toString(16).padStart(32, '0');
      const { status, out } = await sh(`cycle ${nonce} ${arming(point)}`);
      if (status !== 0) failed.push(`cycle ${done + 1}, ${point}: ${out.join(' ')}`);
    }
    await must('stop_traffic');
    const after = await measure(guest);
    const unexpected = (await must(readLog))
      .map(refusalIn)
      .filter((text) => text !== null)
      .filter((text) => text !== provoked);
    const orphans = await orphansIn();
    const health = await healthOf(guest);
    const wallMs = performance.now() - startedAt;
    return { cycles, failed, options, unexpected, measuredAt, before, after, orphans, health, wallMs };
  });
}

/** By how much each total rose between the measurements, in KiB; free memory counts as used when it is not. */
export function growth({ before, after }: CycleReport): Record<string, number> {
  return Object.fromEntries(
    totals.map((name) => {
      const kib = (after.kib[name] ?? 0) - (before.kib[name] ?? 0);
      return [name, name === 'MemFree' ? -kib : kib];
    }),
  );
}

/**
 * By how much a total, in KiB, or a cache, in objects, may rise without a leak: about twice what it does. With one in
 * every cycle, 1000 cycles would leave 3800 KiB in pages and 1900 in per-CPU memory; with one in every cycle of one
 * point, 52 objects in slabs. What is left in slabs by the module's own code is found without any of these.
 */
// What else the guest keeps in memory moves free memory by up to a MiB, however few the cycles.
const slackKib: Readonly<Record<string, number>> = { Percpu: 8, VmallocUsed: 128, MemFree: 2048 };
const otherSlackKib = 1024;
const slackObjects = 45;

/** What a report of cycles shows to be wrong. */
export function cycleFaults(report: CycleReport): string[] {
  const { before, after } = report;
  const grown = (name: string) => (after.objects[name] ?? 0) - (before.objects[name] ?? 0);
  return [
    ...report.failed,
    ...report.unexpected.map((text) => `the module refused: ${text}`),
    ...Object.entries(growth(report))
      .filter(([name, kib]) => kib > (slackKib[name] ?? otherSlackKib))
      .map(([name, kib]) => `${name} is worse by ${kib} KiB`),
    ...Object.keys(after.objects)
      .filter((name) => grown(name) > slackObjects)
      .map((name) => `the cache ${name} has ${grown(name)} objects more`),
    ...report.orphans.map((address) => `code that is gone left an object in a slab: ${address}`),
    ...healthFaults(report.health),
  ];
}
