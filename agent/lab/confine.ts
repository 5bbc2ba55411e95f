/**
 * The lab crashes guests only. Before it does anything it gives up, for itself and all that it starts, the
 * capabilities with which a mistake could crash or reboot the host: CAP_SYS_MODULE and CAP_SYS_BOOT.
 */

import { readFileSync } from 'node:fs';
import { Advice } from '../advice.ts';

/** Bits of the capability sets in /proc/PID/status (include/uapi/linux/capability.h). */
const sysModule = 1n << 16n;
const sysBoot = 1n << 22n;

/** Whether a /proc/PID/status text shows a process that can neither load modules nor reboot, nor regain that. */
export function isConfined(status: string): boolean {
  return ['CapPrm', 'CapEff', 'CapBnd'].every((set) => {
    const hex = new RegExp(`^${set}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1];
    return hex !== undefined && (BigInt(`0x${hex}`) & (sysModule | sysBoot)) === 0n;
  });
}

/**
 * Replaces this process by itself without the two capabilities, through setpriv (util-linux). Returns where it
 * is already without them, or is not root: then the kernel grants neither.
 */
export function confine(): void {
  if (process.getuid?.() !== 0 || isConfined(readFileSync('/proc/self/status', 'utf8'))) return;
  if (!process.execve)
    throw new Advice(
      'The lab needs Node 24 or newer as root: older ones cannot give rights up for good. Run it from the package or a checkout.',
    );
  const self = [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const setpriv = [
    'setpriv',
    '--bounding-set',
    '-sys_module,-sys_boot',
    '--inh-caps',
    '-sys_module,-sys_boot',
  ];
  process.execve('/usr/bin/setpriv', [...setpriv, '--', ...self], process.env);
}
