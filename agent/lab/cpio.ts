/** Writes cpio archives in the newc format, which the kernel unpacks as an initramfs (Documentation/driver-api/early-userspace/buffer-format.rst). */

export interface CpioEntry {
  readonly path: string;
  /** File type and permissions, as in `st_mode`. */
  readonly mode: number;
  readonly data: Uint8Array;
}

/** A regular file. */
export function file(path: string, data: Uint8Array | string, executable = false): CpioEntry {
  return { path, mode: executable ? 0o100755 : 0o100644, data: Buffer.from(data) };
}

/** A directory. */
export function directory(path: string): CpioEntry {
  return { path, mode: 0o040755, data: new Uint8Array() };
}

/** A symbolic link. */
export function link(path: string, target: string): CpioEntry {
  return { path, mode: 0o120777, data: Buffer.from(target) };
}

function padded(part: Buffer): Buffer {
  return Buffer.concat([part, Buffer.alloc((4 - (part.length % 4)) % 4)]);
}

function record(entry: CpioEntry, inode: number): Buffer[] {
  const name = Buffer.from(`${entry.path}\0`);
  const links = 1;
  const fields = [inode, entry.mode, 0, 0, links, 0, entry.data.length, 0, 0, 0, 0, name.length, 0];
  const header = `070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}`;
  return [padded(Buffer.concat([Buffer.from(header), name])), padded(Buffer.from(entry.data))];
}

/** The archive of these entries, with the directories that their paths need. Reproducible: no times, no owners. */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const all = new Map<string, CpioEntry>();
  for (const entry of entries) {
    const parts = entry.path.split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      const parent = parts.slice(0, depth).join('/');
      if (!all.has(parent)) all.set(parent, directory(parent));
    }
    all.set(entry.path, entry);
  }
  const trailer: CpioEntry = { path: 'TRAILER!!!', mode: 0, data: new Uint8Array() };
  return Buffer.concat([...all.values(), trailer].flatMap((entry, i) => record(entry, i + 1)));
}
