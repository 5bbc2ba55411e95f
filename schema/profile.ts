/**
 * The hardware profile, version 1: an allow-list. Never serial numbers, MAC addresses, UUIDs, host or user
 * names, IP addresses. A profile travels as text, and its hash is that of the text's UTF-8 bytes.
 */
import * as z from 'zod';
import { crashPoints } from './crash-point.ts';
import type { Scenario } from './scenario.ts';
import type { Role } from './vocabulary.ts';

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

export const profile = z.strictObject({
  version: z.literal('1.0'),
  population: z.enum(['metal', 'lab']),
  /** In `lab`, the row of the machine catalogue. */
  lab_machine: name.nullable(),
  kernel: z.strictObject({
    release: name,
    series: z.string().regex(/^\d{1,5}\.\d{1,5}$/),
    preemption: z.enum(preemptions),
  }),
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
  /** Addresses of the controllers next to the disks that the dump is written to. */
  dump_target: z.array(name).max(64),
});
export type Profile = z.infer<typeof profile>;

/** The largest profile that a server admits. */
export const profileMaxBytes = 128 * 1024;

/** A driver and a role that a device of this profile plays in a trial of this scenario. */
export interface Part {
  readonly driver: string;
  readonly role: Role;
}

const networkClass = /^0x02/;

/**
 * The parts of a trial, each pair of driver and role once. A device with no other role is `present`. A network
 * scenario names its device only where the machine has one network card.
 */
export function partsOf(p: Profile, s: Pick<Scenario, 'load' | 'crash_point'>): Part[] {
  const parts = new Map<string, Part>();
  const add = (driver: string, role: Role) => parts.set(`${driver} ${role}`, { driver, role });
  const cards = p.devices.filter((d) => d.driver !== null && networkClass.test(d.class ?? ''));
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
