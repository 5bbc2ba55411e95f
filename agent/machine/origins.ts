/** Where each value of a profile came from: for the owner, who wants to see what is read before it is sent. */
import type { Device, ProfileOf } from '../../schema/profile.ts';
import { usbDeviceOf } from './devices.ts';
import { distributionOf } from './distribution.ts';
import { crashSizeFiles, efiFile, firmwareDateFile, firmwareVendorFile, secureBootFile } from './hardware.ts';
import type { MachineInventory } from './inventory.ts';
import { optionFile, optionFiles } from './kernel.ts';
import type { SystemTree } from './tree.ts';

/** One value of a profile, as its place in it, the JSON text that is sent, and what it was read from. */
export interface Explained {
  readonly field: string;
  readonly value: string;
  /** Paths of this system, programs, or in words what was decided without reading. */
  readonly from: readonly string[];
}

const usbFiles: Readonly<Partial<Record<keyof Device, readonly string[]>>> = {
  vendor: ['idVendor'],
  device: ['idProduct'],
  revision: ['bcdDevice'],
};

function originsOfDevice({ bus, address }: Device, field: keyof Device): string[] {
  const at = `/sys/bus/${bus}/devices/${address}`;
  if (field === 'bus' || field === 'address') return [`/sys/bus/${bus}/devices`];
  if (field === 'driver') return [`${at}/driver`];
  if (field === 'build_id') return [`${at}/driver/module`, 'notes/.note.gnu.build-id of the module'];
  if (bus === 'platform') return ['a platform device has none'];
  if (bus === 'pci' || bus === 'virtio') return [`${at}/${field}`];
  if (field === 'class') return ['Class', 'SubClass', 'Protocol'].map((part) => `${at}/bInterface${part}`);
  const files = usbFiles[field];
  if (files === undefined) return ['a USB device has none'];
  return files.map((file) => `/sys/bus/usb/devices/${usbDeviceOf(address)}/${file}`);
}

/** What each field but the devices is read from. */
function originsOfFields(
  tree: SystemTree,
  { profile, target }: MachineInventory,
): Readonly<
  Record<Exclude<keyof ProfileOf<'1.1'>, 'kernel' | 'devices'> | `kernel.${string}`, readonly string[]>
> {
  const options = optionFile(tree);
  return {
    version: ['the version of the list of fields'],
    population: ['metal: a real machine'],
    lab_machine: ['null: a real machine'],
    'kernel.release': ['/proc/sys/kernel/osrelease'],
    'kernel.series': ['/proc/sys/kernel/osrelease'],
    'kernel.preemption': ['/proc/sys/kernel/version', '/sys/kernel/debug/sched/preempt'],
    'kernel.lockdown': ['/sys/kernel/security/lockdown'],
    'kernel.options': options === null ? optionFiles(profile.kernel.release) : [options],
    chipset: ['the host bridge among the devices'],
    firmware: [efiFile],
    cpu: ['/proc/cpuinfo'],
    memory_mib: ['/proc/meminfo', ...crashSizeFiles],
    iommu: ['/sys/class/iommu'],
    crash_kernel_mib: crashSizeFiles,
    tools: ['kexec --version', 'makedumpfile -v', 'the version of the installed package'],
    dump_target: target.origins,
    distribution: [distributionOf(tree).origin],
    hypervisor: ['/sys/hypervisor/type', '/proc/cpuinfo'],
    firmware_vendor: [firmwareVendorFile],
    firmware_year: [firmwareDateFile],
    secure_boot: profile.firmware === 'efi' ? [efiFile, secureBootFile] : [efiFile],
    iommu_domain: ['/sys/kernel/iommu_groups'],
    dump_stack: target.origins,
    devices_left_out: ['counted'],
  };
}

/** Every value of the profile with where it came from, in the order in which it is sent. */
export function explained(tree: SystemTree, inventory: MachineInventory): Explained[] {
  const { profile } = inventory;
  const origins: Readonly<Record<string, readonly string[]>> = originsOfFields(tree, inventory);
  const lines: Explained[] = [];
  const add = (field: string, value: unknown, from: readonly string[]) =>
    lines.push({ field, value: JSON.stringify(value), from });
  for (const [field, value] of Object.entries(profile)) {
    if (field === 'devices')
      for (const [i, device] of profile.devices.entries())
        for (const [name, id] of Object.entries(device))
          add(`devices[${i}].${name}`, id, originsOfDevice(device, name as keyof Device));
    else if (field === 'kernel')
      for (const [name, part] of Object.entries(profile.kernel))
        add(`kernel.${name}`, part, origins[`kernel.${name}`] ?? []);
    else add(field, value, origins[field] ?? []);
  }
  return lines;
}
