/**
 * The part of a system's files that the inventory reads: procfs and sysfs. Behind one interface stand the real
 * files, and the files as a guest sent them.
 */
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

export interface SystemTree {
  /**
   * Contents without the last line end, or null where the file is not there or not readable. Of a file named `.gz`, what
   * is packed in it, as /proc/config.gz has it.
   */
  readonly read: (path: string) => string | null;
  /** Where a symbolic link leads in the end; null where that is nothing, or not in this tree. */
  readonly follow: (path: string) => string | null;
  /** Names in a directory, sorted; none where it is not there or not readable. */
  readonly list: (path: string) => string[];
  /** GNU build-id of a loaded module, 40 hexadecimal digits, or null. */
  readonly buildId: (module: string) => string | null;
}

/** What is packed and unpacks to more than this is no list of options. */
const unpackedMaxBytes = 16 * 2 ** 20;

/** The id in a note, both in hexadecimal: three words, the name `GNU`, then 20 bytes (include/linux/elfnote.h). */
function idInNote(note: string): string | null {
  return note.length >= 72 ? note.slice(32, 72) : null;
}

/** The files of this system below `root`, which is `/` but in tests. */
export function fileTree(root = '/'): SystemTree {
  const at = (path: string) => join(root, path);
  const read = (path: string) => {
    try {
      const bytes = readFileSync(at(path));
      const plain = path.endsWith('.gz') ? gunzipSync(bytes, { maxOutputLength: unpackedMaxBytes }) : bytes;
      return plain.toString('utf8').replace(/\n$/, '');
    } catch {
      return null;
    }
  };
  return {
    read,
    follow: (path) => {
      try {
        const real = realpathSync(at(path));
        if (root === '/') return real;
        const top = realpathSync(root);
        return real.startsWith(`${top}/`) ? real.slice(top.length) : null;
      } catch {
        return null;
      }
    },
    list: (path) => {
      try {
        return readdirSync(at(path)).sort();
      } catch {
        return [];
      }
    },
    buildId: (module) => {
      try {
        return idInNote(readFileSync(at(`/sys/module/${module}/notes/.note.gnu.build-id`), 'hex'));
      } catch {
        return null;
      }
    },
  };
}

/** The files that a guest sent: `path:line` (one for each line of a file), `path -> target`, `module note`. */
export function capturedMap(
  files: readonly string[],
  links: readonly string[],
  buildIds: readonly string[],
): SystemTree {
  const contents = new Map<string, string>();
  for (const line of files) {
    // Directories may hold colons (PCI addresses), file names here do not.
    const match = /^(\/(?:[^/]+\/)*?[a-z_]+):(.*)$/.exec(line);
    if (!match?.[1]) continue;
    const before = contents.get(match[1]);
    contents.set(match[1], before === undefined ? (match[2] ?? '') : `${before}\n${match[2]}`);
  }
  const targets = new Map<string, string>();
  for (const line of links) {
    const [path, target] = line.split(' -> ');
    if (path && target) targets.set(path, resolve(dirname(path), target));
  }
  const ids = new Map(buildIds.map((line) => line.split(' ') as [string, string]));
  const paths = [...contents.keys(), ...targets.keys()];
  return {
    read: (path) => contents.get(path) ?? null,
    follow: (path) => targets.get(path) ?? null,
    list: (dir) => {
      const names = paths
        .filter((p) => p.startsWith(`${dir}/`))
        .map((p) => p.slice(dir.length + 1).split('/')[0] ?? '');
      return [...new Set(names)].sort();
    },
    buildId: (module) => idInNote(ids.get(module) ?? ''),
  };
}
