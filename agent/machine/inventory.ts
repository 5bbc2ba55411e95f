/**
 * The inventory: from sysfs and procfs to the hardware profile. Only what the profile's allow-list names is read;
 * nothing that identifies one machine is.
 */
import { type Profile, type ProfileOf, profile } from '../../schema/profile.ts';
import { controllersOn } from './controllers.ts';
import { admissible, allDevices, devicesOn } from './devices.ts';
import { distributionOf } from './distribution.ts';
import {
  chipsetOf,
  cpu,
  crashKernelMib,
  firmware,
  firmwareVendor,
  firmwareYear,
  hypervisor,
  iommuDomain,
  memoryMib,
  secureBoot,
} from './hardware.ts';
import { buildOptions, kernelRelease, lockdown, preemption } from './kernel.ts';
import { type DumpTarget, dumpTarget, stackOf } from './target.ts';
import type { SystemTree } from './tree.ts';

/** What the inventory cannot read from the system. */
export interface KnownFacts {
  readonly population: Profile['population'];
  readonly labMachine: string | null;
  /** The disk that the dump is written to, as its name in /sys/block; null where there is none. */
  readonly dumpDisk: string | null;
  readonly tools: Readonly<Record<string, string>>;
}

/** What every profile says of the hardware. */
function common(tree: SystemTree) {
  return {
    firmware: firmware(tree),
    cpu: cpu(tree),
    memory_mib: memoryMib(tree),
    iommu: tree.list('/sys/class/iommu').length > 0,
    crash_kernel_mib: crashKernelMib(tree),
  };
}

/** The profile of a system whose dump disk is known: a guest of the lab. Throws a ZodError where a value does not fit the allow-list. */
export function inventory(tree: SystemTree, known: KnownFacts): ProfileOf<'1.0'> {
  const devices = [...devicesOn(tree, 'pci'), ...devicesOn(tree, 'virtio')];
  const path = known.dumpDisk === null ? null : tree.follow(`/sys/block/${known.dumpDisk}`);
  const { firmware, ...rest } = common(tree);
  const said: ProfileOf<'1.0'> = {
    version: '1.0',
    population: known.population,
    lab_machine: known.labMachine,
    kernel: { ...kernelRelease(tree), preemption: preemption(tree) },
    chipset: chipsetOf(devices),
    firmware,
    ...rest,
    tools: known.tools,
    devices,
    dump_target: path === null ? [] : controllersOn(path, devices),
  };
  profile.parse(said);
  return said;
}

/** A real machine's profile, and where its dumps go: of the latter the profile says only kinds and addresses. */
export interface MachineInventory {
  readonly profile: ProfileOf<'1.1'>;
  readonly target: DumpTarget;
}

/** A profile has room for so many devices, controllers and layers. */
const [, { shape: whole }] = profile.options;
const devicesMax = 512;

/** What does not fit becomes `otherwise`: no machine is kept out by an odd name that it cannot change. */
function fitting<T>(
  shape: { safeParse: (value: unknown) => { success: boolean } },
  value: T,
  otherwise: T,
): T {
  return shape.safeParse(value).success ? value : otherwise;
}

/**
 * The inventory of a real machine. `tools` are versions by name, `dumpDisk` is named where the owner overrides what the
 * configuration of kdump says. Throws nothing: what cannot be read is said not to be known.
 */
export function machineInventory(
  tree: SystemTree,
  tools: Readonly<Record<string, string>>,
  dumpDisk: string | null = null,
): MachineInventory {
  const found = allDevices(tree);
  const { family, id, version } = distributionOf(tree);
  const target = dumpTarget(tree, family, found, dumpDisk);
  const { devices, leftOutCount } = admissible(found, target.controllers, devicesMax);
  const { firmware, cpu, memory_mib, crash_kernel_mib, iommu } = common(tree);
  const release = kernelRelease(tree);
  const said: ProfileOf<'1.1'> = {
    version: '1.1',
    population: 'metal',
    lab_machine: null,
    kernel: {
      release: fitting(whole.kernel.shape.release, release.release, 'unknown'),
      series: fitting(whole.kernel.shape.series, release.series, '0.0'),
      preemption: preemption(tree),
      lockdown: lockdown(tree),
      options: buildOptions(tree),
    },
    chipset: fitting(whole.chipset, chipsetOf(devices), 'unknown'),
    firmware,
    cpu: fitting(whole.cpu, cpu, { vendor: 'unknown', family: 0, model: 0, count: 1 }),
    memory_mib: fitting(whole.memory_mib, memory_mib, 64),
    iommu,
    crash_kernel_mib: fitting(whole.crash_kernel_mib, crash_kernel_mib, 0),
    tools: Object.fromEntries(
      Object.entries(tools).filter(([k, v]) => whole.tools.safeParse({ [k]: v }).success),
    ),
    devices,
    dump_target: target.controllers
      .filter((address) => devices.some((d) => d.address === address))
      .slice(0, 64),
    distribution: id === null ? null : fitting(whole.distribution, { id, version }, null),
    hypervisor: hypervisor(tree),
    firmware_vendor: firmwareVendor(tree),
    firmware_year: firmwareYear(tree),
    secure_boot: secureBoot(tree),
    iommu_domain: iommuDomain(tree),
    dump_stack: stackOf(target).slice(0, 32),
    devices_left_out: leftOutCount,
  };
  profile.parse(said);
  return { profile: said, target };
}

/** The exact text that is sent, and that the profile's hash covers. */
export function profileText(p: Profile): string {
  return JSON.stringify(p);
}
