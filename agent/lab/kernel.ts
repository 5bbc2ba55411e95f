/** An unpacked kernel: its image, the ELF in it, its modules in load order, its headers ready to build against. */
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { run } from '../run.ts';

export interface Kernel {
  readonly release: string;
  /** The bzImage, which kexec needs. */
  readonly bzImage: string;
  /** The ELF image, which QEMU boots without decompression (PVH). */
  readonly vmlinux: string;
  readonly moduleDir: string;
  readonly headers: string;
}

/** Where the parts of an unpacked kernel are. */
export function kernelIn(root: string, release: string): Kernel {
  return {
    release,
    bzImage: join(root, 'boot', `vmlinuz-${release}`),
    vmlinux: join(root, 'boot', `vmlinux-${release}`),
    moduleDir: join(root, existsSync(join(root, 'lib/modules')) ? 'lib/modules' : 'usr/lib/modules', release),
    headers: join(root, 'usr/src', `linux-headers-${release}`),
  };
}

/** Magic numbers of the compressed payload in a bzImage (scripts/extract-vmlinux), with the program that unpacks it. */
const payloads = [
  { magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), command: 'xz -dc --single-stream' },
  { magic: Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), command: 'zstd -dc' },
  { magic: Buffer.from([0x02, 0x21, 0x4c, 0x18]), command: 'lz4 -dc' },
] as const;

/** Writes the ELF vmlinux that a bzImage holds. Throws where the payload's compression is not known. */
export async function extractVmlinux(kernel: Kernel): Promise<void> {
  const image = await readFile(kernel.bzImage);
  for (const { magic, command } of payloads) {
    const at = image.indexOf(magic, 0x1000);
    if (at < 0) continue;
    // The payload is followed by its size and the decompressor's own data, at which the program stops with an error.
    const script = `tail -c +${at + 1} "$1" | ${command} 2>/dev/null > "$2"; head -c 4 "$2" | grep -q ELF`;
    await run(['sh', '-c', script, 'sh', kernel.bzImage, kernel.vmlinux]);
    return;
  }
  throw new Error(`${kernel.bzImage}: the compression of its payload is not known`);
}

/** Makes headers that were unpacked elsewhere find their own parts. */
export async function mendHeaders(kernel: Kernel): Promise<void> {
  const makefile = join(kernel.headers, 'Makefile');
  const text = await readFile(makefile, 'utf8');
  await writeFile(
    makefile,
    text.replace(
      /^include \/.*(?=\/linux-headers-[^/]*\/Makefile$)/m,
      `include ${join(kernel.headers, '..')}`,
    ),
  );
}

/** Module names use `_` and `-` alike. */
function canonical(path: string): string {
  return basename(path).replace(/\.ko$/, '').replaceAll('-', '_');
}

/** The value of a field of a module's `.modinfo` section (include/linux/moduleparam.h), or null. */
export function modinfo(file: Buffer, field: string): string | null {
  const at = file.indexOf(`\0${field}=`);
  if (at < 0) return null;
  const from = at + field.length + 2;
  return file.toString('latin1', from, file.indexOf(0, from));
}

/** The GNU build-id of a module, 40 hexadecimal digits, or null: its note (type 3, name "GNU", 20 bytes). */
export function buildId(file: Buffer): string | null {
  const note = Buffer.from([4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4e, 0x55, 0]);
  const at = file.indexOf(note);
  return at < 0 ? null : file.toString('hex', at + note.length, at + note.length + 20);
}

/**
 * The files to insert for these modules, each behind what it depends on; what is built into the kernel is left
 * out. Throws for a module that the kernel does not have.
 */
export async function moduleLoadOrder(kernel: Kernel, names: readonly string[]): Promise<string[]> {
  const entries = await readdir(kernel.moduleDir, { recursive: true });
  const paths = new Map(
    entries.filter((e) => e.endsWith('.ko')).map((e) => [canonical(e), join(kernel.moduleDir, e)]),
  );
  const builtin = await readFile(join(kernel.moduleDir, 'modules.builtin'), 'utf8');
  const isBuiltin = new Set(builtin.trim().split('\n').map(canonical));
  const order = new Set<string>();
  const visit = async (name: string): Promise<void> => {
    const path = paths.get(name);
    if (isBuiltin.has(name) || (path !== undefined && order.has(path))) return;
    if (path === undefined) throw new Error(`the kernel ${kernel.release} has no module ${name}`);
    for (const needed of modinfo(await readFile(path), 'depends')
      ?.split(',')
      .filter(Boolean) ?? []) {
      await visit(canonical(needed));
    }
    order.add(path);
  };
  for (const name of names) await visit(canonical(name));
  return [...order];
}
