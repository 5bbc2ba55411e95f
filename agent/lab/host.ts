/** What the lab needs of the host: Debian, QEMU, a compiler. Installs what is missing where it may, else says how. */
import { existsSync, readFileSync } from 'node:fs';
import { Advice } from '../advice.ts';
import { run } from '../run.ts';
import { updatePackageLists } from './packages.ts';

/** What of the host decides whether the lab can run. */
export interface Host {
  /** `ID` and `VERSION_ID` of /etc/os-release, such as `debian 12`. */
  readonly distribution: string;
  readonly isRoot: boolean;
  readonly machine: string;
  /** Whether a file is there. */
  readonly has: (path: string) => boolean;
}

interface Need {
  readonly path: string;
  readonly debianPackage: string;
}

const needs: readonly Need[] = [
  { path: '/usr/bin/qemu-system-x86_64', debianPackage: 'qemu-system-x86' },
  { path: '/usr/bin/make', debianPackage: 'make' },
  { path: '/usr/bin/gcc', debianPackage: 'gcc' },
  { path: '/usr/bin/xz', debianPackage: 'xz-utils' },
  { path: '/usr/bin/setpriv', debianPackage: 'util-linux' },
  { path: '/usr/lib/x86_64-linux-gnu/libelf.so.1', debianPackage: 'libelf1' },
];

/** What the lab can do without, for whoever asks for it. */
const extras = {
  sparse: { path: '/usr/bin/sparse', debianPackage: 'sparse' },
  debootstrap: { path: '/usr/sbin/debootstrap', debianPackage: 'debootstrap' },
  mke2fs: { path: '/usr/sbin/mke2fs', debianPackage: 'e2fsprogs' },
  debugfs: { path: '/usr/sbin/debugfs', debianPackage: 'e2fsprogs' },
  grub: { path: '/usr/bin/grub-mkimage', debianPackage: 'grub-common' },
  grubImages: { path: '/usr/lib/grub/i386-pc/boot.img', debianPackage: 'grub-pc-bin' },
} as const satisfies Record<string, Need>;
export type Extra = keyof typeof extras;

/** What to do about this host. Pure: `install` lists Debian packages, `advice` ends the run. */
export function preflight(
  host: Host,
  wanted: readonly Extra[] = [],
): { readonly install: readonly string[] } | { readonly advice: Advice } {
  const all: readonly Need[] = [...needs, ...wanted.map((name) => extras[name])];
  const missing = all.filter(({ path }) => !host.has(path)).map(({ debianPackage }) => debianPackage);
  if (host.distribution !== 'debian 12' || host.machine !== 'x64') {
    return {
      advice: new Advice(
        `The lab unpacks Debian's kernels and runs on Debian 12 on x86-64; this is ${host.distribution || 'an unknown system'} on ${host.machine}. In a container with Debian 12 it runs as it is:`,
        [
          'docker run --rm -it --network host -v "$PWD":/dumpsurvey -w /dumpsurvey debian:12 bash',
          'apt-get update && apt-get install -y --no-install-recommends nodejs npm git ca-certificates gcc make',
          'npm start',
        ],
      ),
    };
  }
  if (missing.length > 0 && !host.isRoot) {
    return {
      advice: new Advice('The lab needs programs that only root can install. Run this, then start again:', [
        'sudo apt-get update',
        `sudo apt-get install -y --no-install-recommends ${missing.join(' ')}`,
      ]),
    };
  }
  return { install: missing };
}

/** This host. */
export function thisHost(): Host {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const value = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(release)?.[1] ?? '';
  return {
    distribution: `${value('ID')} ${value('VERSION_ID')}`.trim(),
    isRoot: process.getuid?.() === 0,
    machine: process.arch,
    has: existsSync,
  };
}

/** Installs Debian packages, without what they only recommend. */
export async function installPackages(names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run(['apt-get', 'install', '-y', '-q', '--no-install-recommends', ...names], { env });
}

/**
 * Installs what the lab needs of this host, and the extras that are wanted. Does nothing where all is there. Throws
 * Advice where this process may not install it.
 */
export async function ensureHost(
  progress: (step: string) => void,
  wanted: readonly Extra[] = [],
): Promise<void> {
  const host = preflight(thisHost(), wanted);
  if ('advice' in host) throw host.advice;
  if (host.install.length === 0) return;
  await updatePackageLists(progress);
  progress(`installing ${host.install.join(', ')}`);
  await installPackages(host.install);
}
