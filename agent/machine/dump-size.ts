/** How large a dump may become: by what is in memory, and by what makedumpfile(8) is told to leave out. Pure. */
import { assignments, type Family } from './distribution.ts';
import type { SystemTree } from './tree.ts';

/** The dump level that the tooling is configured for. All three leave everything out that they can (31) where nothing else is said. */
export function dumpLevel(tree: SystemTree, family: Family | null): number {
  const level = (text: string | null | undefined) => {
    const found = /-d\s*(\d+)/.exec(text ?? '')?.[1];
    return found === undefined ? 31 : Number(found);
  };
  if (family === 'debian')
    return level(assignments(tree.read('/etc/default/kdump-tools') ?? '').get('MAKEDUMP_ARGS'));
  if (family === 'fedora')
    return level(/^\s*core_collector\s+(.*)$/m.exec(tree.read('/etc/kdump.conf') ?? '')?.[1]);
  const said = assignments(tree.read('/etc/sysconfig/kdump') ?? '').get('KDUMP_DUMPLEVEL') ?? '';
  return /^\d+$/.test(said) ? Number(said) : 31;
}

/** Without these four (cache, private cache, user data, free pages) only the kernel's own pages are left. */
const kernelOnly = 2 | 4 | 8 | 16;

/**
 * Bytes that a dump may need, at the most that is likely. Compression is not counted on: twice what the kernel itself
 * holds, because a load makes it hold more, or all of memory where other pages are dumped, too.
 */
export function dumpBytes(tree: SystemTree, family: Family | null): number {
  const text = tree.read('/proc/meminfo') ?? '';
  const bytes = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? '0') * 1024;
  const total = bytes('MemTotal');
  if ((dumpLevel(tree, family) & kernelOnly) !== kernelOnly) return total;
  const kernel = ['MemFree', 'Cached', 'Buffers', 'AnonPages'].reduce(
    (left, name) => left - bytes(name),
    total,
  );
  return Math.min(total, 2 * Math.max(kernel, 0) + 64 * 2 ** 20);
}
