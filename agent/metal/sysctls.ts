/** Sysctls of a set-up: set, read back, and put back. */
import type { Sysctls } from '../../schema/crash-type.ts';
import type { System } from './system.ts';

/** The file of a sysctl: `kernel.` is left out in the catalog. */
export function sysctlPath(name: string): string {
  const full = name.includes('.') ? name : `kernel.${name}`;
  return `/proc/sys/${full.replaceAll('.', '/')}`;
}

/** The value of a sysctl, or null where the kernel has no such one, or none that is a number. */
export function readSysctl({ tree }: Pick<System, 'tree'>, name: string): number | null {
  const text = tree.read(sysctlPath(name))?.trim() ?? '';
  return /^-?\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Sets sysctls and gives what they are then. Throws an Error that names the one that the kernel did not take. */
export async function setSysctls(
  system: Pick<System, 'tree' | 'write'>,
  wanted: Sysctls,
): Promise<Record<string, number>> {
  const read: Record<string, number> = {};
  for (const [name, value] of Object.entries(wanted)) {
    await system.write(sysctlPath(name), `${value}\n`).catch((error: unknown) => {
      throw new Error(
        `${sysctlPath(name)} did not take ${value}: ${error instanceof Error ? error.message : error}`,
      );
    });
    const got = readSysctl(system, name);
    if (got !== value) throw new Error(`${sysctlPath(name)} is ${got} after ${value} was written to it`);
    read[name] = got;
  }
  return read;
}
