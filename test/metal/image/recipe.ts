/** What the guest's image is made of. A change of anything here, or of a file beside it, makes another image. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Sparse: what is not used takes no room. */
export const diskBytes = 6 * 2 ** 30;

/** What a volunteer's Debian 12 has that wants to take part, beside what every Debian has. */
export const packages: readonly string[] = [
  ...['linux-image-amd64', 'linux-headers-amd64', 'initramfs-tools', 'kmod', 'udev', 'systemd-sysv', 'dbus'],
  ...['grub2-common', 'grub-pc-bin', 'iproute2', 'procps', 'file'],
  ...['kdump-tools', 'makedumpfile', 'dkms', 'gcc', 'make'],
];

/**
 * What is done in the guest's first boot, so that it is what a machine has that was installed long ago: its boot loader's
 * configuration is its own, without a crash kernel, and the initrd of the capture kernel is made (software emulation takes
 * a minute for it). What only this boot left is removed.
 */
export const finish: readonly string[] = [
  // Drivers of this machine only, as the installer offers: a small initrd is read and unpacked much faster.
  'echo MODULES=dep > /etc/initramfs-tools/conf.d/driver-policy',
  'update-initramfs -u',
  // As the package grub-pc leaves them, which wants to write to a disk; this one is a file on another machine.
  'mkdir -p /boot/grub/i386-pc && cp /usr/lib/grub/i386-pc/*.mod /usr/lib/grub/i386-pc/*.lst /boot/grub/i386-pc/',
  'cp /usr/share/grub/default/grub /etc/default/grub',
  'mv /etc/default/grub.d/kdump-tools.cfg /root/',
  'update-grub',
  'mv /root/kdump-tools.cfg /etc/default/grub.d/',
  // kdump-tools makes its initrd again at the next load unless this copy says what it was made with.
  'cp /etc/kdump/sysctl.conf /var/lib/kdump/latest_sysctls-"$(uname -r)"',
  'kdump-config symlinks "$(uname -r)"',
  'journalctl --rotate && journalctl --vacuum-time=1s',
  'rm -rf /var/crash/* /var/log/journal/*',
  'sync',
];

/** A digest of the recipe: of everything in this folder but its tests. */
export function recipeDigest(): string {
  const hash = createHash('sha256');
  const files = readdirSync(import.meta.dirname, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of files)
    hash.update(`${relative(import.meta.dirname, file)}\n`).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}
