/**
 * The dump target's real stack: from where the dump goes, down through file system, device mapper, RAID and partitions to
 * disks and their controllers, or to the network card that leads to it. From sysfs and procfs alone.
 */
import { basename } from 'node:path';
import { fileSystemKinds, type StackKind } from '../../schema/dump-stack.ts';
import { controllerPaths, type Layer, layersBelow, together } from './block-layers.ts';
import { controllersOn, devicesOfInterface, type PathDevice } from './controllers.ts';
import type { Family } from './distribution.ts';
import { type DumpPlace, dumpPlace } from './dump-place.ts';
import { type Mount, mountAt, mountsOf } from './mounts.ts';
import { interfaceTo } from './route.ts';
import type { SystemTree } from './tree.ts';

export interface DumpTarget {
  readonly place: DumpPlace;
  /** From the hardware up, each layer once. Empty where the target is not known. */
  readonly layers: readonly Layer[];
  /** Names of the whole disks at the bottom, as in /sys/block. */
  readonly disks: readonly string[];
  /** Addresses of the controllers next to them, or of the network card. */
  readonly controllers: readonly string[];
  /** The network interface that leads to the target, or null. */
  readonly interface: string | null;
  /** The file system that dumps go to: null for what is not mounted here. */
  readonly mount: Mount | null;
  /** The files that said so, in the order in which they were read. */
  readonly origins: readonly string[];
  /** Why it could not be followed to the end, or null. */
  readonly fault: string | null;
}

const none = { layers: [], disks: [], controllers: [], interface: null, mount: null } as const;

/** The path in sysfs of a block device as a configuration names it (`/dev/…`, `UUID=…`), or null. */
function pathOfDevice(tree: SystemTree, device: string): string | null {
  const match = /^(UUID|LABEL|PARTUUID|PARTLABEL)=(?:"(.*)"|(.*))$/.exec(device);
  const value = match?.[2] ?? match?.[3] ?? '';
  // udev writes what is not plain in a label as \x20.
  const escaped = value.replaceAll(
    /[^A-Za-z0-9_.:@+-]/g,
    (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  const link = match ? `/dev/disk/by-${match[1]?.toLowerCase()}/${escaped}` : device;
  const name = basename(tree.follow(link) ?? link);
  return tree.follow(`/sys/class/block/${name}`);
}

/** Paths in sysfs of the block devices under a mounted file system. btrfs has a device number of its own, and maybe several disks. */
function pathsUnder(tree: SystemTree, mount: Mount): string[] {
  if (mount.type !== 'btrfs') {
    const path = tree.follow(`/sys/dev/block/${mount.device}`) ?? pathOfDevice(tree, mount.source);
    return path === null ? [] : [path];
  }
  const source = pathOfDevice(tree, mount.source);
  if (source === null) return [];
  for (const id of tree.list('/sys/fs/btrfs')) {
    const members = tree.list(`/sys/fs/btrfs/${id}/devices`);
    if (members.includes(basename(source)))
      return members.flatMap((name) => tree.follow(`/sys/class/block/${name}`) ?? []);
  }
  return [source];
}

function fileSystemKind(type: string): StackKind {
  return fileSystemKinds.find((kind) => kind === type) ?? 'other-fs';
}

/** What lies under block devices, with `top` above it. */
function onBlocks(
  tree: SystemTree,
  paths: readonly string[],
  top: Layer | null,
  devices: readonly PathDevice[],
): Pick<DumpTarget, 'layers' | 'disks' | 'controllers'> {
  const below = together(paths.map((path) => layersBelow(tree, path)));
  const controllers = below.disks
    .flatMap((disk) => controllerPaths(tree, disk))
    .flatMap((path) => controllersOn(path, devices));
  return {
    layers: top === null ? below.layers : [...below.layers, top],
    disks: below.disks.map((path) => basename(path)),
    controllers: [...new Set(controllers)],
  };
}

function localTarget(
  tree: SystemTree,
  place: Extract<DumpPlace, { kind: 'directory' }>,
  devices: readonly PathDevice[],
): Omit<DumpTarget, 'place' | 'origins'> {
  const mounts = mountsOf(tree);
  const named = place.device === null ? null : pathOfDevice(tree, place.device);
  if (place.device !== null && named === null)
    return { ...none, fault: `the system has no block device ${place.device}` };
  const mount =
    named === null
      ? mountAt(mounts, place.directory)
      : (mounts.find((m) => pathsUnder(tree, m).includes(named)) ?? null);
  if (mount !== null && /^nfs4?$/.test(mount.type)) {
    const host = /^(?:\[(.*)\]|([^:]+)):/.exec(mount.source);
    return { ...overNetwork(tree, 'nfs', host?.[1] ?? host?.[2] ?? '', devices), mount };
  }
  const paths = named === null ? (mount === null ? [] : pathsUnder(tree, mount)) : [named];
  if (paths.length === 0)
    return {
      ...none,
      mount,
      fault: `${mount === null ? 'nothing' : `${mount.type} without a block device`} is mounted at ${place.directory}`,
    };
  const top: Layer = { kind: fileSystemKind(mount?.type ?? ''), name: mount?.point ?? place.directory };
  return { ...onBlocks(tree, paths, top, devices), interface: null, mount, fault: null };
}

function overNetwork(
  tree: SystemTree,
  kind: 'nfs' | 'ssh',
  host: string,
  devices: readonly PathDevice[],
): Omit<DumpTarget, 'place' | 'origins'> {
  const found = interfaceTo(tree, host);
  if (found === null) return { ...none, layers: [{ kind, name: kind }], fault: 'no route leads to the host' };
  const controllers = devicesOfInterface(tree, found, devices);
  return {
    ...none,
    layers: [
      { kind: 'nic', name: found },
      { kind, name: kind },
    ],
    controllers,
    interface: found,
    fault: controllers.length > 0 ? null : `${found} is no card with a driver`,
  };
}

/** What the owner says that dumps go to, whatever the configuration says. */
function chosenDisk(tree: SystemTree, disk: string, devices: readonly PathDevice[]): DumpTarget {
  const place = { kind: 'raw', device: `/dev/${disk}` } as const;
  const origins = ['the disk that was named', '/sys/class/block'];
  const path = tree.follow(`/sys/class/block/${disk}`) ?? tree.follow(`/sys/block/${disk}`);
  if (path === null) return { ...none, place, origins, fault: `the system has no disk ${disk}` };
  return { ...none, ...onBlocks(tree, [path], null, devices), place, origins, fault: null };
}

/**
 * Where dumps of this tooling go, and what lies below. `devices` are those that the inventory found; `disk` is named where
 * the owner overrides the configuration. Never throws.
 */
export function dumpTarget(
  tree: SystemTree,
  family: Family | null,
  devices: readonly PathDevice[],
  disk: string | null = null,
): DumpTarget {
  if (disk !== null) return chosenDisk(tree, disk, devices);
  const { place, origin } = dumpPlace(tree, family);
  if (place.kind === 'unknown') return { ...none, place, origins: [origin], fault: place.why };
  if (place.kind === 'directory') {
    const found = localTarget(tree, place, devices);
    // By the number that the kernel gives, or by name where it gives none of a block device.
    const isByName = place.device !== null || found.mount?.type === 'btrfs';
    const origins = [origin, '/proc/self/mountinfo', isByName ? '/sys/class/block' : '/sys/dev/block'];
    return { ...found, place, origins };
  }
  if (place.kind !== 'raw')
    return {
      ...overNetwork(tree, place.kind, place.host, devices),
      place,
      origins: [origin, '/proc/net/route', '/sys/class/net'],
    };
  const origins = [origin, '/sys/class/block'];
  const path = pathOfDevice(tree, place.device);
  if (path === null)
    return { ...none, place, origins, fault: `the system has no block device ${place.device}` };
  const top: Layer = { kind: 'raw', name: place.device };
  return { ...none, ...onBlocks(tree, [path], top, devices), place, origins, fault: null };
}

/** The kinds of the layers, each once, as a profile says them. */
export function stackOf({ layers }: Pick<DumpTarget, 'layers'>): StackKind[] {
  return [...new Set(layers.map(({ kind }) => kind))];
}
