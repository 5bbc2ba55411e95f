/** An unpacked kernel: its image, the ELF in it, its modules in load order, its headers ready to build against. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';

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

/** What `xz` makes of compressed bytes. */
function unxz(compressed: Buffer): Promise<Buffer> {
  return new Promise((settle, fail) => {
    const options = { encoding: 'buffer', maxBuffer: 1 << 30 } as const;
    const child = execFile('xz', ['-dc', '--single-stream'], options, (error, out) =>
      error ? fail(error) : settle(out),
    );
    child.stdin?.on('error', () => {}).end(compressed);
  });
}

/**
 * The compressed ELF vmlinux in a bzImage, and its size when decompressed, in bytes. Where it lies is in the
 * image's header: payload_offset and payload_length (Documentation/arch/x86/boot.rst), behind the boot sectors;
 * its last four bytes are the size (scripts/Makefile.lib, size_append). Throws for what is no bzImage.
 */
export function payloadIn(image: Buffer): { readonly compressed: Buffer; readonly byteCount: number } {
  if (image.length < 0x250 || image.toString('latin1', 0x202, 0x206) !== 'HdrS')
    throw new Error('it is no bzImage');
  const from = ((image[0x1f1] || 4) + 1) * 512 + image.readUInt32LE(0x248);
  const to = from + image.readUInt32LE(0x24c) - 4;
  if (to <= from || to + 4 > image.length) throw new Error('it is cut short');
  return { compressed: image.subarray(from, to), byteCount: image.readUInt32LE(to) };
}

/** Decompresses a payload by its magic number. Throws where its compression is not known. */
async function decompressed(payload: Buffer): Promise<Buffer> {
  const magic = payload.toString('hex', 0, 4);
  if (magic === 'fd377a58') return unxz(payload);
  if (magic === '28b52ffd') return zstdDecompressSync(payload);
  throw new Error(`the compression of its payload is not known (${magic})`);
}

/** Writes the ELF vmlinux that a bzImage holds. Throws where it cannot be had. */
export async function extractVmlinux(kernel: Kernel): Promise<void> {
  try {
    const { compressed, byteCount } = payloadIn(await readFile(kernel.bzImage));
    const elf = await decompressed(compressed);
    if (elf.length !== byteCount || elf.toString('latin1', 1, 4) !== 'ELF')
      throw new Error('its payload is not the ELF image that its header promises');
    await writeFile(kernel.vmlinux, elf);
  } catch (error) {
    throw new Error(`${kernel.bzImage}: ${error instanceof Error ? error.message : error}`);
  }
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

/** A module's name from its file's: names use `_` and `-` alike. */
function canonical(path: string): string {
  return basename(path)
    .replace(/\.ko(\.xz)?$/, '')
    .replaceAll('-', '_');
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

/** A kernel's modules. What was read is kept: the images of the machines have most of them in common. */
export interface Modules {
  /** Those of these that the kernel neither has as files nor built in. */
  readonly missing: (names: readonly string[]) => string[];
  /**
   * The files to insert for these modules, each behind what it depends on; what is built into the kernel is left
   * out. Throws for a module that the kernel does not have.
   */
  readonly loadOrder: (names: readonly string[]) => Promise<string[]>;
  /** A module's file, decompressed. */
  readonly contents: (path: string) => Promise<Buffer>;
}

/** Opens the modules of a kernel. */
export async function openModules(kernel: Kernel): Promise<Modules> {
  const entries = await readdir(kernel.moduleDir, { recursive: true });
  const paths = new Map(
    entries.filter((e) => /\.ko(\.xz)?$/.test(e)).map((e) => [canonical(e), join(kernel.moduleDir, e)]),
  );
  const builtin = await readFile(join(kernel.moduleDir, 'modules.builtin'), 'utf8');
  const isBuiltin = new Set(builtin.trim().split('\n').map(canonical));
  const files = new Map<string, Promise<Buffer>>();

  function contents(path: string): Promise<Buffer> {
    const known = files.get(path);
    if (known) return known;
    const file = path.endsWith('.xz') ? readFile(path).then(unxz) : readFile(path);
    files.set(path, file);
    return file;
  }

  async function loadOrder(names: readonly string[]): Promise<string[]> {
    const order = new Set<string>();
    const visit = async (name: string): Promise<void> => {
      const path = paths.get(name);
      if (isBuiltin.has(name) || (path !== undefined && order.has(path))) return;
      if (path === undefined) throw new Error(`the kernel ${kernel.release} has no module ${name}`);
      for (const needed of modinfo(await contents(path), 'depends')
        ?.split(',')
        .filter(Boolean) ?? []) {
        await visit(canonical(needed));
      }
      order.add(path);
    };
    for (const name of names) await visit(canonical(name));
    return [...order];
  }

  const has = (name: string) => paths.has(canonical(name)) || isBuiltin.has(canonical(name));
  return { missing: (names) => names.filter((name) => !has(name)), loadOrder, contents };
}
