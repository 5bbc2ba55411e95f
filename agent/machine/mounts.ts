/** What is mounted where: /proc/self/mountinfo, as proc(5) describes it. Pure. */
import type { SystemTree } from './tree.ts';

export interface Mount {
  readonly point: string;
  readonly type: string;
  /** `/dev/sda1`, `host:/export`, or a word. */
  readonly source: string;
  /** `major:minor` of the device that the kernel gives; 0:N for btrfs and for what has no device. */
  readonly device: string;
  readonly options: readonly string[];
  readonly superOptions: readonly string[];
}

const unquoted = (text: string) =>
  text.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));

/** All mounts of this process' name space, in the order in which they were made. Lines that do not fit are left out. */
export function mountsOf(tree: SystemTree): Mount[] {
  const lines = (tree.read('/proc/self/mountinfo') ?? '').split('\n');
  return lines.flatMap((line): Mount[] => {
    const match = /^\d+ \d+ (\d+:\d+) \S+ (\S+) (\S+)(?: \S+)*? - (\S+) (\S+) (\S+)$/.exec(line);
    if (!match) return [];
    const [, device = '', point = '', options = '', type = '', source = '', superOptions = ''] = match;
    return [
      {
        point: unquoted(point),
        type,
        source: unquoted(source),
        device,
        options: options.split(','),
        superOptions: superOptions.split(','),
      },
    ];
  });
}

/** The mount that a directory lies on: the longest mount point above it, and of equal ones the last. Null where there is none. */
export function mountAt(mounts: readonly Mount[], directory: string): Mount | null {
  const path = `${directory.replace(/\/+$/, '')}/`;
  let found: Mount | null = null;
  for (const mount of mounts) {
    const point = mount.point === '/' ? '/' : `${mount.point}/`;
    if (path.startsWith(point) && mount.point.length >= (found?.point.length ?? 0)) found = mount;
  }
  return found;
}
