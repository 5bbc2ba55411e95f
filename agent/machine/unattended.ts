/** What would keep a machine from starting without a person at its console, as far as its own files say it. Pure. */
import type { SystemTree } from './tree.ts';

/** Where GRUB's own configuration lies. Some are readable by root alone. */
const grubFiles = ['/boot/grub/grub.cfg', '/boot/grub2/grub.cfg'];

/** Whether GRUB starts this system: its settings, or what makes its configuration out of them. */
export function hasGrub(tree: SystemTree): boolean {
  return ['/etc/default/grub', '/usr/sbin/update-grub', '/usr/sbin/grub2-mkconfig'].some(
    (file) => tree.read(file) !== null,
  );
}

/** GRUB's manual, "Authentication and authorisation": with superusers, an entry without --unrestricted asks for a password. */
function grubWaits(text: string): string[] {
  const waits: string[] = [];
  const asks = /^\s*set superusers="?[^"\s]/m.test(text);
  if (asks && /^\s*menuentry [^\n]*\{/m.test(text) && !/^\s*menuentry [^\n]*--unrestricted/m.test(text))
    waits.push('GRUB asks for a password before it starts the system');
  const timeouts = [...text.matchAll(/^\s*set timeout=(-?\d+)/gm)].map(([, seconds]) => Number(seconds));
  // The generated file sets it more than once, under conditions; where all say so, it waits whatever holds.
  if (timeouts.length > 0 && timeouts.every((seconds) => seconds < 0))
    waits.push('GRUB waits in its menu for ever');
  return waits;
}

/** crypttab(5): an entry without a key file, and without a token that gives the key, asks for a passphrase. */
function encryptedWaits(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [name, device, key = 'none', options = ''] = line.trim().split(/\s+/);
    if (!name || name.startsWith('#') || !device) return [];
    const words = options.split(',').map((word) => word.split('=')[0] ?? '');
    const opensItself =
      !/^(none|-)$/.test(key) || words.some((w) => ['tpm2-device', 'fido2-device', 'pkcs11-uri'].includes(w));
    const isNeeded = !words.some((word) => ['noauto', 'nofail'].includes(word));
    return isNeeded && !opensItself ? [`${name} asks for a passphrase`] : [];
  });
}

/** Everything that would wait for a person, in words; null where GRUB is used and its configuration cannot be read. */
export function waitsForPerson(tree: SystemTree): string[] | null {
  const grub = grubFiles.map((file) => tree.read(file)).find((text) => text !== null);
  if (grub === undefined && hasGrub(tree)) return null;
  return [...grubWaits(grub ?? ''), ...encryptedWaits(tree.read('/etc/crypttab') ?? '')];
}

/** Whether the boot loader will set memory aside for a capture kernel at the next start. */
export function reservesNextTime(tree: SystemTree): boolean {
  const texts = [...grubFiles, '/etc/kernel/cmdline'].map((file) => tree.read(file) ?? '');
  const entries = tree
    .list('/boot/loader/entries')
    .map((name) => tree.read(`/boot/loader/entries/${name}`) ?? '');
  return [...texts, ...entries].some((text) => /\bcrashkernel=/.test(text));
}
