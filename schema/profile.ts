/**
 * The hardware profile: an allow-list. Never serial numbers, MAC addresses, UUIDs, host or user names, IP addresses. A
 * profile travels as text, and its hash is that of the text's UTF-8 bytes. 1.0 says what every machine of the lab can;
 * 1.1 adds what only a whole installation has. Both are admitted, and each field list is closed.
 */
import * as z from 'zod';
import { crashPoints } from './crash-point.ts';
import { stackKinds } from './dump-stack.ts';
import { kernelOptions } from './kernel-options.ts';
import type { Scenario } from './scenario.ts';
import { namesOf, type Role } from './vocabulary.ts';

const name = z.string().regex(/^[A-Za-z0-9_.:+~/ -]{1,80}$/, 'letters, digits and _.:+~/- only');
const hexId = z.string().regex(/^0x[0-9a-f]{2,8}$/);

/** One device with a driver, or a host bridge. */
export const device = z.strictObject({
  bus: z.enum(['pci', 'virtio', 'usb', 'platform']),
  /** Its place, such as `0000:00:03.0` or `virtio0`: no identity. */
  address: name,
  vendor: hexId.nullable(),
  device: hexId.nullable(),
  subsystem_vendor: hexId.nullable(),
  subsystem_device: hexId.nullable(),
  class: hexId.nullable(),
  revision: hexId.nullable(),
  driver: name.nullable(),
  /** GNU build-id of the driver's module, or null for a built-in one. */
  build_id: z
    .string()
    .regex(/^[0-9a-f]{40}$/)
    .nullable(),
});
export type Device = z.infer<typeof device>;

/** Preemption models (kernel/sched/core.c, PREEMPT_DYNAMIC). Under `rt`, interrupt handlers and softirqs run in threads. */
export const preemptions = ['none', 'voluntary', 'full', 'lazy', 'rt', 'unknown'] as const;

/** What the kernel lets root do (security/lockdown). */
export const lockdowns = ['none', 'integrity', 'confidentiality', 'unknown'] as const;

/** How devices' addresses are translated: `identity` lets DMA through as it is, `mixed` says that both are in use. */
export const iommuDomains = ['none', 'identity', 'translated', 'mixed', 'unknown'] as const;

const kernelFields = {
  release: name,
  series: z.string().regex(/^\d{1,5}\.\d{1,5}$/),
  preemption: z.enum(preemptions),
} as const;

const option = z.enum(['y', 'm', 'n']).nullable();

const originFields = {
  population: z.enum(['metal', 'lab']),
  /** In `lab`, the row of the machine catalogue. */
  lab_machine: name.nullable(),
} as const;

const hardwareFields = {
  /** Numeric name of the host bridge, or its common name where that is known. */
  chipset: name,
  firmware: z.enum(['bios', 'efi', 'none', 'unknown']),
  cpu: z.strictObject({
    vendor: name,
    family: z.int().min(0).max(10_000),
    model: z.int().min(0).max(10_000),
    count: z.int().min(1).max(100_000),
  }),
  memory_mib: z.int().min(1),
  iommu: z.boolean(),
  crash_kernel_mib: z.int().min(0),
  /** Versions of the tools of the mechanism under test, such as `kexec` and `makedumpfile`. */
  tools: z.record(name, name),
  devices: z.array(device).max(512),
  /** Addresses of the controllers next to the disks that the dump is written to, or of the network card that it goes through. */
  dump_target: z.array(name).max(64),
} as const;

/** The profiles of both versions, oldest first. Throughout 1.1, null says: not known. */
export const profile = z.discriminatedUnion('version', [
  z.strictObject({
    version: z.literal('1.0'),
    ...originFields,
    kernel: z.strictObject(kernelFields),
    ...hardwareFields,
  }),
  z.strictObject({
    version: z.literal('1.1'),
    ...originFields,
    kernel: z.strictObject({
      ...kernelFields,
      lockdown: z.enum(lockdowns),
      /** `n` where the kernel's own list does not name the option; null where the list cannot be read. */
      options: z.strictObject(
        Object.fromEntries(namesOf(kernelOptions).map((o) => [o, option])) as Record<
          keyof typeof kernelOptions,
          typeof option
        >,
      ),
    }),
    ...hardwareFields,
    /** `ID` and `VERSION_ID` of os-release(5). */
    distribution: z
      .strictObject({
        id: z.string().regex(/^[a-z0-9._-]{1,40}$/),
        version: z
          .string()
          .regex(/^[0-9A-Za-z._~+-]{1,40}$/)
          .nullable(),
      })
      .nullable(),
    /** Whether the processor says that a hypervisor runs below the kernel. */
    hypervisor: z.boolean().nullable(),
    /** Who wrote the firmware, and the year that it gives for itself. */
    firmware_vendor: name.nullable(),
    firmware_year: z.int().min(1980).max(2200).nullable(),
    secure_boot: z.boolean().nullable(),
    iommu_domain: z.enum(iommuDomains),
    /** What lies between the dump and the hardware, from the hardware up; empty where the target is not known. */
    dump_stack: z.array(z.enum(namesOf(stackKinds))).max(32),
    /** How many devices did not fit into `devices`, or into the allow-list. */
    devices_left_out: z.int().min(0).max(1_000_000),
  }),
]);
export type Profile = z.infer<typeof profile>;
/** A profile of one version. */
export type ProfileOf<V extends Profile['version']> = Extract<Profile, { readonly version: V }>;

/** The versions that there are, oldest first. */
export const profileVersions = profile.options.map(({ shape }) => shape.version.value);

/** A profile as 1.0 says it, for a survey that knows no newer one. Nothing is made up: what 1.0 cannot say is left out. */
export function asFirstVersion(p: Profile): ProfileOf<'1.0'> {
  if (p.version === '1.0') return p;
  const { release, series, preemption } = p.kernel;
  return {
    version: '1.0',
    population: p.population,
    lab_machine: p.lab_machine,
    kernel: { release, series, preemption },
    chipset: p.chipset,
    firmware: p.firmware,
    cpu: p.cpu,
    memory_mib: p.memory_mib,
    iommu: p.iommu,
    crash_kernel_mib: p.crash_kernel_mib,
    tools: p.tools,
    devices: p.devices,
    dump_target: p.dump_target,
  };
}

/** The largest profile that a server admits. */
export const profileMaxBytes = 128 * 1024;

/** A driver and a role that a device of this profile plays in a trial of this scenario. */
export interface Part {
  readonly driver: string;
  readonly role: Role;
}

/** A network card by its PCI class. USB counts its classes otherwise: there, 0x02 is a modem's. */
const isCard = (d: Device) => d.bus !== 'usb' && /^0x02/.test(d.class ?? '');

/**
 * The parts of a trial, each pair of driver and role once. A device with no other role is `present`. A network
 * scenario names its device only where the machine has one network card.
 */
export function partsOf(p: Profile, s: Pick<Scenario, 'load' | 'crash_point'>): Part[] {
  const parts = new Map<string, Part>();
  const add = (driver: string, role: Role) => parts.set(`${driver} ${role}`, { driver, role });
  const cards = p.devices.filter((d) => d.driver !== null && isCard(d));
  const card = cards.length === 1 ? cards[0]?.address : undefined;
  const { needs } = crashPoints[s.crash_point];
  for (const { driver, address } of p.devices) {
    if (driver === null) continue;
    const isTarget = p.dump_target.includes(address);
    const roles: Role[] = isTarget ? ['dump_target'] : [];
    if (
      s.load === 'all'
        ? isTarget || address === card
        : s.load === 'net'
          ? address === card
          : s.load === 'disk' && isTarget
    )
      roles.push('load');
    if (needs === 'interface' ? address === card : needs !== null && isTarget) roles.push('crash_site');
    for (const role of roles.length > 0 ? roles : (['present'] as const)) add(driver, role);
  }
  return [...parts.values()];
}
