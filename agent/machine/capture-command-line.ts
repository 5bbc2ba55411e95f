/** The words that the distribution's tooling adds to the command line of the capture kernel. Pure. */
import { isCrashKernelLoaded } from '../metal/boot.ts';
import { assignments, type Family } from './distribution.ts';
import type { SystemTree } from './tree.ts';

/** What each tooling adds where its configuration says nothing (kdump-config 1.8.1; /etc/sysconfig/kdump of kdump-utils; kdump(7)). */
export const appendedByDefault: Readonly<Record<Family, string>> = {
  debian: 'reset_devices systemd.unit=kdump-tools-dump.service nr_cpus=1 irqpoll usbcore.nousb',
  fedora:
    'irqpoll nr_cpus=1 reset_devices cgroup_disable=memory mce=off numa=off udev.children-max=2 panic=10 acpi_no_memhotplug transparent_hugepage=never nokaslr hest_disable novmcoredd cma=0 hugetlb_cma=0',
  suse: 'reset_devices acpi_no_memhotplug cgroup_disable=memory nokaslr numa=off irqpoll nr_cpus=1 panic=1',
};

/** The file and the name in it that change what is added. */
export const appendSettings = {
  debian: { file: '/etc/default/kdump-tools', name: 'KDUMP_CMDLINE_APPEND', replaces: true },
  fedora: { file: '/etc/sysconfig/kdump', name: 'KDUMP_COMMANDLINE_APPEND', replaces: true },
  suse: { file: '/etc/sysconfig/kdump', name: 'KDUMP_COMMANDLINE_APPEND', replaces: false },
} as const satisfies Record<Family, { file: string; name: string; replaces: boolean }>;

/** What is appended, as the configuration stands. */
export function appended(tree: SystemTree, family: Family): string {
  const { file, name, replaces } = appendSettings[family];
  const said = assignments(tree.read(file) ?? '').get(name) ?? '';
  if (said === '') return appendedByDefault[family];
  return replaces ? said : `${appendedByDefault[family]} ${said}`;
}

/** What kdump-config wrote down when it loaded the capture kernel (`kexec_cmd` beside the dumps), or null. */
function loadedByDebian(tree: SystemTree): string | null {
  if (!isCrashKernelLoaded(tree)) return null;
  const directory =
    assignments(tree.read('/etc/default/kdump-tools') ?? '').get('KDUMP_COREDIR') || '/var/crash';
  return /--command-line="([^"]*)"/.exec(tree.read(`${directory}/kexec_cmd`) ?? '')?.[1] ?? null;
}

/**
 * The words of the capture kernel's command line: as it was loaded where that is known, else those of this kernel that are
 * handed on and those that are added.
 */
export function captureWords(tree: SystemTree, family: Family): string[] {
  const wordsOf = (text: string) => text.split(/\s+/).filter((word) => word !== '');
  const loaded = family === 'debian' ? loadedByDebian(tree) : null;
  if (loaded !== null) return wordsOf(loaded);
  const given =
    family === 'debian' ? assignments(tree.read('/etc/default/kdump-tools') ?? '').get('KDUMP_CMDLINE') : '';
  const own = wordsOf(given || (tree.read('/proc/cmdline') ?? ''));
  return [...own.filter((word) => !word.startsWith('crashkernel=')), ...wordsOf(appended(tree, family))];
}
