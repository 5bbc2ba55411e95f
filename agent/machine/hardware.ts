/** Chipset, processors, memory, firmware and IOMMU, as a profile says them. Never a serial number, a UUID or the name of a board. */
import type { Device, Profile, ProfileOf } from '../../schema/profile.ts';
import type { SystemTree } from './tree.ts';

type Whole = ProfileOf<'1.1'>;

/** Host bridges by `vendor:device` (pci.ids), for the chipsets that have one name. */
const chipsetNames: Readonly<Record<string, string>> = {
  '0x8086:0x1237': 'i440FX',
  '0x8086:0x29c0': 'Q35',
};

const hostBridgeClass = '0x060000';

export function chipsetOf(devices: readonly Device[]): string {
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

export function cpu(tree: SystemTree): Profile['cpu'] {
  const text = tree.read('/proc/cpuinfo') ?? '';
  const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'm').exec(text)?.[1];
  return {
    vendor: field('vendor_id') ?? 'unknown',
    family: number(field('cpu family'), 0),
    model: number(field('model'), 0),
    count: Math.max(1, [...text.matchAll(/^processor\s*:/gm)].length),
  };
}

/** Whether a hypervisor runs below: x86 has a flag for it (CPUID 1, ECX bit 31), Xen a file. Null where nothing could say. */
export function hypervisor(tree: SystemTree): Whole['hypervisor'] {
  if (tree.read('/sys/hypervisor/type') !== null) return true;
  const flags = /^flags\s*:\s*(.*)$/m.exec(tree.read('/proc/cpuinfo') ?? '')?.[1];
  return flags === undefined ? null : flags.split(/\s+/).includes('hypervisor');
}

/** Where the size of the memory for the capture kernel stands: newer kernels have it in a directory of its own. */
export const crashSizeFiles = ['/sys/kernel/kexec_crash_size', '/sys/kernel/kexec/crash_size'] as const;

/** MiB that are set aside for the capture kernel. */
export function crashKernelMib(tree: SystemTree): number {
  const text = crashSizeFiles.map((file) => tree.read(file)).find((size) => size !== null);
  return Math.round(number(text, 0) / 1024 / 1024);
}

/** MiB of memory with the capture kernel's part, to the nearest 64: what the kernel keeps for itself varies from boot to boot. */
export function memoryMib(tree: SystemTree): number {
  const totalMib = number(tree.read('/proc/meminfo'), 0) / 1024 + crashKernelMib(tree);
  return Math.max(64, Math.round(totalMib / 64) * 64);
}

export const efiFile = '/sys/firmware/efi/fw_platform_size';

export function firmware(tree: SystemTree): Profile['firmware'] {
  return tree.read(efiFile) === null ? 'bios' : 'efi';
}

export const firmwareVendorFile = '/sys/class/dmi/id/bios_vendor';
export const firmwareDateFile = '/sys/class/dmi/id/bios_date';

/** Who wrote the firmware: what it says of itself (SMBIOS type 0), without characters that a profile does not take. */
export function firmwareVendor(tree: SystemTree): string | null {
  const said = (tree.read(firmwareVendorFile) ?? '').replaceAll(/[^A-Za-z0-9_.:+~/ -]/g, ' ');
  return said.replaceAll(/ +/g, ' ').trim().slice(0, 80) || null;
}

/** The year of `MM/DD/YYYY` or `MM/DD/YY` (SMBIOS type 0). The day is not said. */
export function firmwareYear(tree: SystemTree): number | null {
  const said = /^\d{1,2}\/\d{1,2}\/(\d{2}|\d{4})$/.exec((tree.read(firmwareDateFile) ?? '').trim())?.[1];
  if (said === undefined) return null;
  const year = said.length === 2 ? 1900 + Number(said) : Number(said);
  return year >= 1980 && year <= 2200 ? year : null;
}

/** The UEFI variable: four bytes of attributes, then one of value. */
export const secureBootFile = '/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c';

export function secureBoot(tree: SystemTree): Whole['secure_boot'] {
  if (firmware(tree) === 'bios') return false;
  const value = tree.read(secureBootFile);
  return value === null || value.length !== 5 ? null : value.charCodeAt(4) === 1;
}

/** How devices' addresses are translated, from the domain type of each IOMMU group. */
export function iommuDomain(tree: SystemTree): Whole['iommu_domain'] {
  const groups = tree.list('/sys/kernel/iommu_groups');
  if (groups.length === 0) return 'none';
  const types = new Set(
    groups.map((group) => {
      const type = tree.read(`/sys/kernel/iommu_groups/${group}/type`) ?? '';
      return type === 'identity' ? 'identity' : /^(DMA|DMA-FQ)$/.test(type) ? 'translated' : 'unknown';
    }),
  );
  if (types.size === 1) return [...types][0] ?? 'unknown';
  return types.has('unknown') ? 'unknown' : 'mixed';
}
