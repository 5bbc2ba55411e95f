/** The commands that mend what `doctor` finds, for each distribution. They are shown, never run. Pure. */
import { appendedByDefault, appendSettings } from '../machine/capture-command-line.ts';
import type { Family } from '../machine/distribution.ts';

const installers: Readonly<Record<Family, string>> = {
  debian: 'apt-get install',
  fedora: 'dnf install',
  suse: 'zypper install',
};

/** The command that installs packages, or in words where the distribution is not known. */
export function installing(family: Family | null, packages: Readonly<Record<Family, string>>): string[] {
  if (family === null) return [`Install ${packages.debian} (as Debian calls it).`];
  return [`${installers[family]} ${packages[family]}`];
}

export const kdumpPackages = { debian: 'kdump-tools', fedora: 'kdump-utils', suse: 'kdump' } as const;

/** Installs the kdump tooling. RHEL 9 and older have it in a package of another name. */
export function installingKdump(family: Family | null): string[] {
  const older = family === 'fedora' ? ['On RHEL 9 and older: dnf install kexec-tools'] : [];
  return [...installing(family, kdumpPackages), ...older];
}
export const makedumpfilePackages = {
  debian: 'makedumpfile',
  fedora: 'makedumpfile',
  suse: 'makedumpfile',
} as const;

/** What a module is built with, for the running kernel. */
function buildPackages(release: string): Record<Family, string> {
  const flavor = /-([a-z]+)$/.exec(release)?.[1] ?? 'default';
  return {
    debian: `dkms linux-headers-${release}`,
    fedora: `dkms kernel-devel-${release}`,
    suse: `dkms kernel-${flavor}-devel`,
  };
}

/** Sets memory aside for the capture kernel at the next start. */
export function reserving(family: Family | null, hasGrub: boolean, mib: number): string[] {
  const word = `crashkernel=${mib}M`;
  if (family === 'fedora') return [`grubby --update-kernel=ALL --args=${word}`, 'reboot'];
  if (family === 'debian' && hasGrub)
    return [
      'mkdir -p /etc/default/grub.d',
      // The last crashkernel= of a command line counts, and this is the file that kdump-tools has its own one in.
      `echo 'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT ${word}"' > /etc/default/grub.d/kdump-tools.cfg`,
      'update-grub',
      'reboot',
    ];
  if (family === 'suse' && hasGrub)
    return [
      // The last crashkernel= of a command line counts: those that stand there go.
      `sed -i -E '/^GRUB_CMDLINE_LINUX_DEFAULT=/ { s/ *crashkernel=[^" ]*//g; s/"$/ ${word}"/ }' /etc/default/grub`,
      'grub2-mkconfig -o /boot/grub2/grub.cfg',
      'reboot',
    ];
  return [`Add ${word} to the kernel command line in the boot loader's configuration, and reboot.`];
}

/** Starts the service that loads the capture kernel, now and at each start. */
export function loadingCaptureKernel(
  family: Family | null,
  unit: string,
  { isSwitchedOn, isFailed }: { readonly isSwitchedOn: boolean; readonly isFailed: boolean },
): string[] {
  if (family === null) return ['Load a capture kernel with kexec -p at each start.'];
  return [
    ...(isSwitchedOn ? [] : ["sed -i 's/^USE_KDUMP=.*/USE_KDUMP=1/' /etc/default/kdump-tools"]),
    `systemctl enable ${unit}`,
    `systemctl restart ${unit}`,
    ...(isFailed ? [`journalctl -b -u ${unit}`] : []),
  ];
}

const reloading = {
  debian: 'kdump-config reload',
  fedora: 'kdumpctl restart',
  suse: 'systemctl restart kdump.service',
} as const satisfies Record<Family, string>;

/**
 * Makes a capture kernel that panics start the machine anew: without it, it would stand still for ever. `added` is what
 * the tooling adds to its command line; where that has it already, the kernel was loaded before.
 */
export function restartingCapture(family: Family | null, added: string): string[] {
  if (family === null) return ['Add panic=10 to the command line of the capture kernel.'];
  const last = added.split(' ').findLast((word) => word.startsWith('panic='));
  if (last !== undefined && last !== 'panic=0') return [reloading[family]];
  const { file, name, replaces } = appendSettings[family];
  const own = replaces ? added : added.replace(appendedByDefault[family], '');
  const value = `${own} panic=10`.trim();
  return [`echo '${name}="${value}"' >> ${file}`, reloading[family]];
}

/** Builds our module for the running kernel. */
export function buildingModule(
  family: Family | null,
  release: string,
  has: { readonly headers: boolean; readonly dkms: boolean; readonly source: boolean },
): string[] {
  const { debian, fedora, suse } = buildPackages(release);
  return [
    ...(has.headers && has.dkms ? [] : installing(family, { debian, fedora, suse })),
    ...(has.source ? [`dkms install crashpoint/1 -k ${release}`] : ['dumpsurvey install --spare-machine']),
  ];
}
