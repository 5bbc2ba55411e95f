/**
 * From a block device down to the disks: partitions, device mapper, RAID. sysfs has it all, in `slaves`, `partition`,
 * `dm/uuid` and `md/level` (Documentation/ABI/testing/sysfs-block and sysfs-block-dm).
 */
import { basename, dirname } from 'node:path';
import type { StackKind } from '../../schema/dump-stack.ts';
import type { SystemTree } from './tree.ts';

/** One layer of a stack. The name is the kernel's; it stays on this machine. */
export interface Layer {
  readonly kind: StackKind;
  readonly name: string;
}

export interface Below {
  /** From the hardware up, each layer once. */
  readonly layers: readonly Layer[];
  /** Paths in sysfs of the whole disks at the bottom. */
  readonly disks: readonly string[];
}

/** Stacks are a few layers deep; more is a loop of links. */
const depthMax = 16;

/** What a device mapper device is, by the prefix that its maker gave its uuid; LVM's own RAID shows in the names below it. */
function mapperKind(tree: SystemTree, path: string): StackKind {
  const uuid = tree.read(`${path}/dm/uuid`) ?? '';
  if (/^part\d+-/.test(uuid)) return 'partition';
  if (uuid.startsWith('CRYPT-')) return 'crypt';
  if (uuid.startsWith('mpath-')) return 'multipath';
  if (uuid.startsWith('DMRAID-')) return 'dm-raid';
  if (!uuid.startsWith('LVM-')) return 'other-dm';
  const parts = tree
    .list(`${path}/slaves`)
    .map((slave) => tree.read(`${path}/slaves/${slave}/dm/name`) ?? '');
  return parts.some((name) => /_r(image|meta)_\d+$|_mimage_\d+$/.test(name)) ? 'dm-raid' : 'lvm';
}

/** Whether another machine may write to it, or a network carries it. */
function nvmeKind(tree: SystemTree, path: string): StackKind {
  const transports = controllerNames(tree, path).map((name) =>
    tree.read(`/sys/class/nvme/${name}/transport`),
  );
  return transports.every((t) => t === null || t === 'pcie') ? 'nvme' : 'nvme-of';
}

/** The NVMe controllers on a path; those of the subsystem for a name space with several paths (nvme-core.multipath). */
function controllerNames(tree: SystemTree, path: string): string[] {
  const isController = (name: string) => /^nvme\d+$/.test(name);
  const own = path.split('/').filter(isController);
  return own.length > 0 ? own : tree.list(dirname(path)).filter(isController);
}

function diskKind(tree: SystemTree, path: string): StackKind {
  const name = basename(path);
  if (/^nvme/.test(name)) return nvmeKind(tree, path);
  if (/^vd[a-z]/.test(name)) return 'virtio';
  if (/^mmcblk/.test(name)) return 'mmc';
  if (/^xvd/.test(name)) return 'xen';
  if (/^pmem/.test(name)) return 'pmem';
  if (/^nbd/.test(name)) return 'nbd';
  if (/^drbd/.test(name)) return 'drbd';
  if (/^loop/.test(name)) return 'loop';
  if (!/^(sd[a-z]|sr\d)/.test(name)) return 'other-disk';
  if (/\/session\d+\//.test(path)) return 'iscsi';
  if (/\/rport-\d/.test(path)) return 'fc';
  if (/\/usb\d+\//.test(path)) return 'usb';
  return /\/ata\d+\//.test(path) ? 'ata' : 'scsi';
}

function ownKind(tree: SystemTree, path: string): StackKind {
  const name = basename(path);
  if (/^dm-\d+$/.test(name)) return mapperKind(tree, path);
  if (/^md/.test(name)) return 'md';
  if (/^bcache\d+$/.test(name)) return 'bcache';
  return diskKind(tree, path);
}

/** Puts the layers of several legs together: each kind and name once, in the order of the first leg that has it. */
export function together(legs: readonly Below[]): Below {
  const layers = new Map<string, Layer>();
  for (const layer of legs.flatMap((leg) => leg.layers)) layers.set(`${layer.kind} ${layer.name}`, layer);
  return { layers: [...layers.values()], disks: [...new Set(legs.flatMap(({ disks }) => disks))] };
}

/** What lies at and below a block device, given by its path in sysfs. */
export function layersBelow(tree: SystemTree, path: string, depth = 0): Below {
  const name = basename(path);
  if (depth > depthMax) return { layers: [], disks: [] };
  if (tree.read(`${path}/partition`) !== null) {
    const whole = layersBelow(tree, dirname(path), depth + 1);
    return { ...whole, layers: [...whole.layers, { kind: 'partition', name }] };
  }
  const own: Layer = { kind: ownKind(tree, path), name };
  const slaves = tree.list(`${path}/slaves`);
  if (slaves.length === 0) return { layers: [own], disks: [path] };
  const legs = slaves.map((slave) => {
    const at = tree.follow(`${path}/slaves/${slave}`) ?? tree.follow(`/sys/class/block/${slave}`);
    return at === null ? { layers: [], disks: [] } : layersBelow(tree, at, depth + 1);
  });
  const below = together(legs);
  return { ...below, layers: [...below.layers, own] };
}

/** Paths in sysfs that lead to the controllers of a disk: its own, or those of each NVMe controller that leads to it. */
export function controllerPaths(tree: SystemTree, disk: string): string[] {
  if (!disk.includes('/nvme-subsystem/')) return [disk];
  return controllerNames(tree, disk).flatMap((name) => tree.follow(`/sys/class/nvme/${name}`) ?? []);
}
