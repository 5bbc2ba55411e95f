/** What the running kernel says of its own start. */
import type { SystemTree } from '../machine/tree.ts';

/** The kernel's boot id: another one at each start. Throws where the kernel tells none: nothing is then certain. */
export function bootIdOf(tree: SystemTree): string {
  const id = tree.read('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  if (/^[0-9a-f-]{36}$/.test(id)) return id;
  throw new Error('/proc/sys/kernel/random/boot_id holds no boot id: is /proc mounted?');
}

/** How long the kernel has been up, in milliseconds: a clock that never jumps. */
export function uptimeMsOf(tree: SystemTree): number {
  const seconds = Number(/^[\d.]+/.exec(tree.read('/proc/uptime') ?? '')?.[0] ?? Number.NaN);
  if (Number.isFinite(seconds)) return Math.round(seconds * 1000);
  throw new Error('/proc/uptime holds no time: is /proc mounted?');
}

/** The word on the kernel command line that disables everything. */
export const offWord = 'dumpsurvey.off';

/** Whether the owner disabled the agent on the kernel command line. */
export function isSwitchedOff(tree: SystemTree): boolean {
  return (tree.read('/proc/cmdline') ?? '').split(/\s+/).includes(offWord);
}

/** Whether this is a capture kernel: the agent has no business there. */
export function isCaptureKernel(tree: SystemTree): boolean {
  return tree.list('/proc').includes('vmcore');
}

/** Whether a capture kernel is loaded. Newer kernels say it in another place. */
export function isCrashKernelLoaded(tree: SystemTree): boolean {
  const said = tree.read('/sys/kernel/kexec/crash_loaded') ?? tree.read('/sys/kernel/kexec_crash_loaded');
  return said?.trim() === '1';
}
