/** What the running kernel is: release, preemption model, lockdown, and the few build options that matter. */
import { kernelOptions } from '../../schema/kernel-options.ts';
import { lockdowns, type ProfileOf, preemptions } from '../../schema/profile.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import type { SystemTree } from './tree.ts';

type Kernel = ProfileOf<'1.1'>['kernel'];

export function kernelRelease(tree: SystemTree): Pick<Kernel, 'release' | 'series'> {
  const release = tree.read('/proc/sys/kernel/osrelease') ?? 'unknown';
  return { release, series: /^\d+\.\d+/.exec(release)?.[0] ?? '0.0' };
}

/** The preemption model: `none (voluntary) full` in debugfs where it can be switched, else a word of the kernel's version. */
export function preemption(tree: SystemTree): Kernel['preemption'] {
  const version = tree.read('/proc/sys/kernel/version') ?? '';
  if (version.includes('PREEMPT_RT')) return 'rt';
  const chosen = /\((\w+)\)/.exec(tree.read('/sys/kernel/debug/sched/preempt') ?? '')?.[1];
  const known = preemptions.find((model) => model === chosen);
  if (known || version.includes('PREEMPT_DYNAMIC')) return known ?? 'unknown';
  return version === '' ? 'unknown' : version.includes('PREEMPT') ? 'full' : 'none';
}

/** `none [integrity] confidentiality`; without the file there is no lockdown, if securityfs is there at all. */
export function lockdown(tree: SystemTree): Kernel['lockdown'] {
  const text = tree.read('/sys/kernel/security/lockdown');
  if (text === null) return tree.list('/sys/kernel/security').length > 0 ? 'none' : 'unknown';
  const chosen = /\[(\w+)\]/.exec(text)?.[1];
  return lockdowns.find((level) => level === chosen) ?? 'unknown';
}

/** Where distributions, and the kernel itself, keep the list of its build options, in the order in which it is looked for. */
export function optionFiles(release: string): string[] {
  return [
    `/boot/config-${release}`,
    `/usr/lib/modules/${release}/config`,
    `/lib/modules/${release}/config`,
    '/proc/config.gz',
  ];
}

/** The file that lists the options of the running kernel, or null. */
export function optionFile(tree: SystemTree): string | null {
  return optionFiles(kernelRelease(tree).release).find((file) => tree.read(file) !== null) ?? null;
}

/** The options of the table. An option that the list does not name is off. */
export function buildOptions(tree: SystemTree): Kernel['options'] {
  const file = optionFile(tree);
  const text = file === null ? null : tree.read(file);
  const set = new Map(
    [...(text ?? '').matchAll(/^(CONFIG_\w+)=([ym])$/gm)].map(([, name, value]) => [name, value]),
  );
  const value = (name: string) => (text === null ? null : ((set.get(name) as 'y' | 'm' | undefined) ?? 'n'));
  return Object.fromEntries(namesOf(kernelOptions).map((name) => [name, value(name)])) as Kernel['options'];
}
