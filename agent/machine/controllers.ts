/** Which devices on a path in sysfs a disk or a network interface hangs on. Pure. */
import type { Device } from '../../schema/profile.ts';
import type { SystemTree } from './tree.ts';

/** What of a device decides. */
export type PathDevice = Pick<Device, 'bus' | 'address' | 'driver'>;

/**
 * The controllers next to what has this path in sysfs: of the devices on it, the last one that has a driver. A USB device
 * hangs on two, its own and that of the bus.
 */
export function controllersOn(path: string, devices: readonly PathDevice[]): string[] {
  const driven = new Map(devices.filter(({ driver }) => driver !== null).map((d) => [d.address, d]));
  const on = path.split('/').flatMap((part) => driven.get(part) ?? []);
  const last = on.at(-1);
  if (last === undefined) return [];
  const host = last.bus === 'usb' ? on.findLast(({ bus }) => bus !== 'usb') : undefined;
  return host === undefined ? [last.address] : [host.address, last.address];
}

/** The devices under a network interface; those under its parts for a bond, a bridge or a VLAN. */
export function devicesOfInterface(
  tree: SystemTree,
  name: string,
  devices: readonly PathDevice[],
  depth = 0,
): string[] {
  const at = `/sys/class/net/${name}`;
  const own = tree.follow(`${at}/device`);
  if (own !== null) return controllersOn(own, devices);
  if (depth > 8) return [];
  const lower = tree.list(at).flatMap((entry) => /^lower_(.+)$/.exec(entry)?.[1] ?? []);
  return [...new Set(lower.flatMap((part) => devicesOfInterface(tree, part, devices, depth + 1)))];
}
