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
