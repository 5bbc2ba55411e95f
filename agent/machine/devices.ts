/** The devices of a system, from /sys/bus: numeric ids, the driver, and the build of the driver. Nothing else of a device is read. */
import { basename } from 'node:path';
import { type Device, device } from '../../schema/profile.ts';
import type { SystemTree } from './tree.ts';

type IdField = Exclude<keyof Device, 'bus' | 'address' | 'driver' | 'build_id'>;
type Ids = Pick<Device, IdField>;

const noIds: Ids = {
  vendor: null,
  device: null,
  subsystem_vendor: null,
  subsystem_device: null,
  class: null,
  revision: null,
};

/** Where the driver of a device, and that driver's build-id, come from. */
function driverAt(tree: SystemTree, at: string): Pick<Device, 'driver' | 'build_id'> {
  const driver = tree.follow(`${at}/driver`);
  const module = tree.follow(`${at}/driver/module`);
  return { driver: driver && basename(driver), build_id: module && tree.buildId(basename(module)) };
}

/** All devices of a bus whose files are named as the fields are. */
export function devicesOn(tree: SystemTree, bus: 'pci' | 'virtio'): Device[] {
  return tree.list(`/sys/bus/${bus}/devices`).map((address) => {
    const at = `/sys/bus/${bus}/devices/${address}`;
    const id = (file: IdField) => tree.read(`${at}/${file}`);
    const ids: Ids = {
      vendor: id('vendor'),
      device: id('device'),
      subsystem_vendor: id('subsystem_vendor'),
      subsystem_device: id('subsystem_device'),
      class: id('class'),
      revision: id('revision'),
    };
    return { bus, address, ...ids, ...driverAt(tree, at) };
  });
}

/** The device that a USB interface is of: `1-2:1.0` of `1-2`, and `1-0:1.0` of the root hub `usb1`. */
export function usbDeviceOf(address: string): string {
  const [device = ''] = address.split(':');
  return device.endsWith('-0') ? `usb${device.slice(0, -2)}` : device;
}

/** USB interfaces that have a driver: to an interface a driver binds, not to the device. */
export function usbInterfaces(tree: SystemTree): Device[] {
  const root = '/sys/bus/usb/devices';
  return tree.list(root).flatMap((address) => {
    if (!address.includes(':')) return [];
    const at = `${root}/${address}`;
    const bound = driverAt(tree, at);
    if (bound.driver === null) return [];
    const of = `${root}/${usbDeviceOf(address)}`;
    const hex = (...files: string[]) => {
      const digits = files.map((file) => tree.read(file)?.trim() ?? '?').join('');
      return /^[0-9a-f]+$/.test(digits) ? `0x${digits}` : null;
    };
    const kind = ['Class', 'SubClass', 'Protocol'].map((part) => `${at}/bInterface${part}`);
    const ids: Ids = {
      ...noIds,
      vendor: hex(`${of}/idVendor`),
      device: hex(`${of}/idProduct`),
      class: hex(...kind),
      revision: hex(`${of}/bcdDevice`),
    };
    return [{ bus: 'usb' as const, address, ...ids, ...bound }];
  });
}

/** Platform devices that have a driver. They have no numeric ids. */
export function platformDevices(tree: SystemTree): Device[] {
  const root = '/sys/bus/platform/devices';
  return tree.list(root).flatMap((address) => {
    const bound = driverAt(tree, `${root}/${address}`);
    return bound.driver === null ? [] : [{ bus: 'platform' as const, address, ...noIds, ...bound }];
  });
}

/** All devices that a profile may name. */
export function allDevices(tree: SystemTree): Device[] {
  return [
    ...devicesOn(tree, 'pci'),
    ...devicesOn(tree, 'virtio'),
    ...usbInterfaces(tree),
    ...platformDevices(tree),
  ];
}

/**
 * The devices that fit into a profile: those that the allow-list takes, at most `max`, first those that dumps go through,
 * then those with a driver. In the order of `devices`.
 */
export function admissible(
  devices: readonly Device[],
  targets: readonly string[],
  max: number,
): { readonly devices: Device[]; readonly leftOutCount: number } {
  const fitting = devices.filter((d) => device.safeParse(d).success);
  const rank = (d: Device) => (targets.includes(d.address) ? 0 : d.driver !== null ? 1 : 2);
  const kept = new Set(fitting.toSorted((a, b) => rank(a) - rank(b)).slice(0, max));
  return { devices: fitting.filter((d) => kept.has(d)), leftOutCount: devices.length - kept.size };
}
