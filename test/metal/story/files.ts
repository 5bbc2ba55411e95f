/** What is on a machine, file by file, to see what a program left behind. Pure, but for the command. */

/** Prints each file of the root file system by path, kind, mode, owner, size and time; directories without size and time. */
export const listFiles =
  "find / -xdev -mindepth 1 \\( -type d -printf '%p|d|%m|%U:%G\\n' \\) -o \\( -type l -printf '%p|l|%l\\n' \\) -o -printf '%p|%y|%m|%U:%G|%s|%T@\\n' | sort";

/** What a running Debian writes by itself, and why that is nobody's trace. */
export const ownLife: readonly { readonly path: RegExp; readonly why: string }[] = [
  { path: /^\/var\/log\//, why: 'logs' },
  { path: /^\/(tmp|run|root)(\/|$)/, why: 'where the test itself works' },
  { path: /^\/var\/lib\/dpkg\//, why: "the package manager's own books" },
  { path: /^\/var\/(lib|cache)\/(apt|debconf|ucf)\//, why: "the package manager's own books" },
  { path: /^\/var\/(lib|cache)\/(systemd|private|man|ldconfig)\//, why: 'state that services keep' },
  { path: /^\/var\/tmp\//, why: 'temporary files' },
  {
    path: /^\/lib\/modules\/[^/]+\/modules\.|^\/usr\/lib\/modules\/[^/]+\/modules\./,
    why: 'indexes that depmod writes anew',
  },
  { path: /^\/var\/lib\/kdump\//, why: 'what kdump-tools keeps of its last load' },
  { path: /^\/var\/crash\/(kexec_cmd|kdump_lock)$/, why: 'what kdump-tools keeps of its last load' },
  {
    path: /^\/boot\/grub\/grubenv$|^\/etc\/(ld\.so\.cache|mtab|resolv\.conf|machine-id|\.updated)$/,
    why: 'files that boots and tools write',
  },
];

export interface FileChange {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed';
}

function byPath(list: string): Map<string, string> {
  const lines = list.split('\n').filter(Boolean);
  return new Map(lines.map((line) => [line.slice(0, line.indexOf('|')), line.slice(line.indexOf('|') + 1)]));
}

/** In what two lists of files differ, but for what a running Debian writes by itself. */
export function differences(before: string, after: string): FileChange[] {
  const [old, young] = [byPath(before), byPath(after)];
  const isForeign = (path: string) => !ownLife.some(({ path: known }) => known.test(path));
  const changes: FileChange[] = [];
  for (const path of new Set([...old.keys(), ...young.keys()].filter(isForeign))) {
    if (!young.has(path)) changes.push({ path, change: 'removed' });
    else if (!old.has(path)) changes.push({ path, change: 'added' });
    else if (old.get(path) !== young.get(path)) changes.push({ path, change: 'changed' });
  }
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Changes by whose they are. */
export interface Left {
  /** The owner's, who followed the doctor: files that a command of the advice names. */
  readonly advised: readonly FileChange[];
  /** Dumps, which kdump-tools has written; the consent says that they stay. */
  readonly dumps: readonly FileChange[];
  /** What the package should have taken away. */
  readonly others: readonly FileChange[];
}

/** Sorts what has changed on a machine whose owner ran these commands. */
export function whoseIs(changes: readonly FileChange[], commands: readonly string[]): Left {
  const isAdvised = ({ path }: FileChange) =>
    commands.some((c) => c.includes(path) || (c.startsWith('update-grub') && path === '/boot/grub/grub.cfg'));
  const isDump = ({ path }: FileChange) => /^\/var\/crash\/\d{12}(\/|$)/.test(path);
  return {
    advised: changes.filter(isAdvised),
    dumps: changes.filter((c) => !isAdvised(c) && isDump(c)),
    others: changes.filter((c) => !isAdvised(c) && !isDump(c)),
  };
}
