/** What is wrong with arrays and file systems, as far as the kernel says it in sysfs and in its table of mounts. Pure. */
import { basename } from 'node:path';
import { type Mount, mountsOf } from './mounts.ts';
import type { SystemTree } from './tree.ts';

/** A file system that something is wrong with. */
export interface FileSystemFault {
  readonly mountPoint: string;
  readonly what: string;
}

/** Work of md that a crash would set back or make worse. A mere `check` is none. */
const rebuilding = ['resync', 'recover', 'reshape'];

/** Arrays of md and of btrfs that are not whole, in words. */
export function brokenArrays(tree: SystemTree): string[] {
  const md = tree
    .list('/sys/block')
    .filter((name) => /^md/.test(name))
    .flatMap((name) => {
      const field = (file: string) => tree.read(`/sys/block/${name}/md/${file}`)?.trim() ?? '';
      const lacking = Number(field('degraded') || '0');
      if (lacking > 0) return [`${name} lacks ${lacking} disk${lacking === 1 ? '' : 's'}`];
      const action = field('sync_action');
      return rebuilding.includes(action) ? [`${name} is in ${action}`] : [];
    });
  const btrfs = tree.list('/sys/fs/btrfs').flatMap((id) => {
    const at = `/sys/fs/btrfs/${id}/devinfo`;
    const missing = tree.list(at).filter((n) => tree.read(`${at}/${n}/missing`)?.trim() === '1').length;
    const members = tree.list(`/sys/fs/btrfs/${id}/devices`).join(', ');
    return missing === 0 ? [] : [`btrfs on ${members} lacks ${missing} disk${missing === 1 ? '' : 's'}`];
  });
  return [...md, ...btrfs];
}

/** RAID of device mapper, from `dmsetup status`: `NAME: START LENGTH raid TYPE COUNT HEALTH …`, where `A` is a whole leg. */
export function brokenMapperArrays(status: string): string[] {
  return [...status.matchAll(/^(\S+): \d+ \d+ raid \S+ \d+ ([AaD-]+)/gm)].flatMap(([, name, health]) =>
    /[aD]/.test(health ?? '') ? [`${name} (${health})`] : [],
  );
}

/** Mount points that /etc/fstab wants to be writable. */
function writableByTable(tree: SystemTree): Set<string> {
  const points = new Set<string>();
  for (const line of (tree.read('/etc/fstab') ?? '').split('\n')) {
    const [source, point, , options] = line.trim().split(/\s+/);
    if (!source || source.startsWith('#') || !point || !options) continue;
    if (!options.split(',').includes('ro')) points.add(point);
  }
  return points;
}

function nameOf(tree: SystemTree, mount: Mount): string {
  return basename(tree.follow(`/sys/dev/block/${mount.device}`) ?? tree.follow(mount.source) ?? mount.source);
}

/** File systems with recorded errors, and those that went read-only by themselves. */
export function fileSystemFaults(tree: SystemTree): FileSystemFault[] {
  const mounts = mountsOf(tree);
  const pointOf = (device: string) =>
    mounts.find((m) => nameOf(tree, m) === device)?.point ?? `/dev/${device}`;
  const ext4 = tree.list('/sys/fs/ext4').flatMap((device) => {
    const errors = Number(tree.read(`/sys/fs/ext4/${device}/errors_count`)?.trim() ?? '0');
    return errors > 0 ? [{ mountPoint: pointOf(device), what: `${errors} errors recorded` }] : [];
  });
  const btrfs = tree.list('/sys/fs/btrfs').flatMap((id) => {
    const [member] = tree.list(`/sys/fs/btrfs/${id}/devices`);
    const at = `/sys/fs/btrfs/${id}/devinfo`;
    const counts = tree
      .list(at)
      .flatMap((n) => [...(tree.read(`${at}/${n}/error_stats`) ?? '').matchAll(/\d+$/gm)]);
    const errors = counts.reduce((sum, [count]) => sum + Number(count), 0);
    return errors > 0 && member !== undefined
      ? [{ mountPoint: pointOf(member), what: `${errors} errors recorded` }]
      : [];
  });
  const writable = writableByTable(tree);
  const readOnly = mounts
    .filter(({ point, superOptions }) => writable.has(point) && superOptions.includes('ro'))
    .map(({ point }) => ({ mountPoint: point, what: 'read-only against /etc/fstab' }));
  return [...ext4, ...btrfs, ...readOnly];
}
