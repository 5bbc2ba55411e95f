/**
 * The inventory: from sysfs and procfs to the hardware profile. Only what the profile's allow-list names is read;
 * nothing that identifies one machine is.
 */
import { basename } from 'node:path';
import { type Device, type Profile, type ProfileOf, preemptions, profile } from '../../schema/profile.ts';
import type { SystemTree } from './tree.ts';

/** What the inventory cannot read from the system. */
export interface KnownFacts {
  readonly population: Profile['population'];
  readonly labMachine: string | null;
  /** The disk that the dump is written to, as its name in /sys/block; null where there is none. */
  readonly dumpDisk: string | null;
  readonly tools: Readonly<Record<string, string>>;
}

/** Host bridges by `vendor:device` (pci.ids), for the chipsets that have one name. */
const chipsetNames: Readonly<Record<string, string>> = {
  '0x8086:0x1237': 'i440FX',
  '0x8086:0x29c0': 'Q35',
};

const hostBridgeClass = '0x060000';

function devicesOn(tree: SystemTree, bus: 'pci' | 'virtio'): Device[] {
  return tree.list(`/sys/bus/${bus}/devices`).map((address) => {
    const at = `/sys/bus/${bus}/devices/${address}`;
    const driver = tree.follow(`${at}/driver`);
    const module = tree.follow(`${at}/driver/module`);
    const id = (file: string) => tree.read(`${at}/${file}`);
    return {
      bus,
      address,
      vendor: id('vendor'),
      device: id('device'),
      subsystem_vendor: id('subsystem_vendor'),
      subsystem_device: id('subsystem_device'),
      class: id('class'),
      revision: id('revision'),
      driver: driver && basename(driver),
      build_id: module && tree.buildId(basename(module)),
    };
  });
}

function chipsetOf(devices: readonly Device[]): string {
  const bridge = devices.find((d) => d.class === hostBridgeClass);
  if (!bridge) return 'none';
  const id = `${bridge.vendor}:${bridge.device}`;
  return chipsetNames[id] ?? id;
}

/** The first number in a text, or `otherwise`. */
function number(text: string | null | undefined, otherwise: number): number {
  const found = /\d+/.exec(text ?? '')?.[0];
  return found === undefined ? otherwise : Number(found);
}

function cpu(tree: SystemTree): Profile['cpu'] {
  const text = tree.read('/proc/cpuinfo') ?? '';
  const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(text)?.[1];
  return {
    vendor: field('vendor_id') ?? 'unknown',
    family: number(field('cpu family'), 0),
    model: number(field('model'), 0),
    count: Math.max(1, [...text.matchAll(/^processor\s*:/gm)].length),
  };
}

/** The controllers next to a disk: of the devices on its path in sysfs, the last one that has a driver. */
function controllersOf(tree: SystemTree, disk: string, devices: readonly Device[]): string[] {
  const path = tree.follow(`/sys/block/${disk}`)?.split('/') ?? [];
  const last = path.findLast((part) => devices.some((d) => d.address === part && d.driver !== null));
  return last === undefined ? [] : [last];
}

/** MiB of memory with the capture kernel's part, to the nearest 64: what the kernel keeps for itself varies from boot to boot. */
function memoryMib(tree: SystemTree, crashKernelMib: number): number {
  const totalMib = number(tree.read('/proc/meminfo'), 0) / 1024 + crashKernelMib;
  return Math.max(64, Math.round(totalMib / 64) * 64);
}

/** The preemption model: `none (voluntary) full` in debugfs where it can be switched, else a word of the kernel's version. */
function preemption(tree: SystemTree): Profile['kernel']['preemption'] {
  const version = tree.read('/proc/sys/kernel/version') ?? '';
  if (version.includes('PREEMPT_RT')) return 'rt';
  const chosen = /\((\w+)\)/.exec(tree.read('/sys/kernel/debug/sched/preempt') ?? '')?.[1];
  const known = preemptions.find((model) => model === chosen);
  if (known || version.includes('PREEMPT_DYNAMIC')) return known ?? 'unknown';
  return version === '' ? 'unknown' : version.includes('PREEMPT') ? 'full' : 'none';
}

/** The profile of a system. Throws a ZodError where a value does not fit the allow-list. */
export function inventory(tree: SystemTree, known: KnownFacts): ProfileOf<'1.0'> {
  const release = tree.read('/proc/sys/kernel/osrelease') ?? 'unknown';
  const devices = [...devicesOn(tree, 'pci'), ...devicesOn(tree, 'virtio')];
  const crashBytes = tree.read('/sys/kernel/kexec_crash_size') ?? tree.read('/sys/kernel/kexec/crash_size');
  const crashKernelMib = Math.round(number(crashBytes, 0) / 1024 / 1024);
  const said: ProfileOf<'1.0'> = {
    version: '1.0',
    population: known.population,
    lab_machine: known.labMachine,
    kernel: {
      release,
      series: /^\d+\.\d+/.exec(release)?.[0] ?? '0.0',
      preemption: preemption(tree),
    },
    chipset: chipsetOf(devices),
    firmware: tree.read('/sys/firmware/efi/fw_platform_size') === null ? 'bios' : 'efi',
    cpu: cpu(tree),
    memory_mib: memoryMib(tree, crashKernelMib),
    iommu: tree.list('/sys/class/iommu').length > 0,
    crash_kernel_mib: crashKernelMib,
    tools: known.tools,
    devices,
    dump_target: known.dumpDisk === null ? [] : controllersOf(tree, known.dumpDisk, devices),
  };
  profile.parse(said);
  return said;
}

/** The exact text that is sent, and that the profile's hash covers. */
export function profileText(p: Profile): string {
  return JSON.stringify(p);
}
