/** What every exercise of the crash module wants: harmless armings, the log, and how the guest is in the end. */
import type { LabMachineName } from '../../agent/lab/machines.ts';
import { type CrashPoint, crashPoints } from '../../schema/crash-point.ts';
import type { Exercise } from './exercise.ts';
import { splatsIn, unexpectedTaint } from './splats.ts';

/** The machine that has every crash point. */
export const everything = 'ahci-e1000-q35' satisfies LabMachineName;

/** How the guest was when everything was over. */
export interface Health {
  readonly splats: readonly string[];
  /** What the kernel is tainted with, but for the module itself. */
  readonly taint: number;
  /** Whether the module is gone. */
  readonly gone: boolean;
}

export const load = 'insmod /modules/crashpoint.ko';
export const readLog = 'dmesg -s 8388608';

export async function healthOf({ must }: Exercise): Promise<Health> {
  const [taint = ''] = await must('cat /proc/sys/kernel/tainted');
  const modules = await must('cat /proc/modules');
  return {
    splats: splatsIn(await must(readLog)),
    taint: unexpectedTaint(Number(taint)),
    gone: !modules.some((line) => line.startsWith('crashpoint ')),
  };
}

/**
 * Checks all slabs, and gives what does so again and says which addresses of code that is gone have left objects in
 * them since: before the module was there, only the initialisation of other modules has.
 */
export async function slabsOf({ must }: Exercise): Promise<() => Promise<string[]>> {
  const before = new Set(await must('check_slabs'));
  return async () => [...new Set(await must('check_slabs'))].filter((address) => !before.has(address));
}

/** The words that arm a point so that it is hit and does not fire. */
export async function harmless({ must }: Exercise): Promise<(point: CrashPoint) => string> {
  const [found = ''] = await must('echo "$(cat /sys/block/$disk/dev) $(pci_device) $(opt ds.interface)"');
  const [device, pci, card] = found.split(' ');
  const keys = {
    device: `device=${device} inflight=1024`,
    pci: `pci=${pci} device=${device} inflight=1024`,
    interface: `interface=${card} device=${device} inflight=1024`,
  };
  return (point) => {
    const { needs } = crashPoints[point];
    return `point=${point} type=panic ${needs === null ? 'skip=1000000' : keys[needs]}`;
  };
}

/** What is wrong with a guest. */
export function healthFaults({ splats, taint, gone }: Health): string[] {
  return [
    ...splats.map((line) => `the log has: ${line}`),
    ...(taint === 0 ? [] : [`the kernel is tainted with ${taint}`]),
    ...(gone ? [] : ['the module is still there']),
  ];
}
