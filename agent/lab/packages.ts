/**
 * Debian packages that are unpacked into the lab's own root and never installed: kernel, headers, kexec-tools,
 * makedumpfile, busybox, and the libraries that these need.
 */
import { mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../run.ts';

/** The direct dependencies of these packages whose names match, in apt's order. One call for all: each costs seconds. */
async function dependencies(names: readonly string[], wanted: RegExp): Promise<string[]> {
  const text = await run(['apt-cache', 'depends', '--important', ...names]);
  const found = [...text.matchAll(/^\s*\|?\s*(?:Pre)?Depends: (\S+)$/gm)].map((match) => match[1] ?? '');
  return found.filter((name) => wanted.test(name));
}

/** Packages and the libraries that they need, directly or not. */
async function withLibraries(names: readonly string[]): Promise<string[]> {
  const all = new Set<string>();
  for (let level = [...names]; level.length > 0; ) {
    for (const name of level) all.add(name);
    const needed = await dependencies(level, /^(lib(?!c-bin)|zlib1g)/);
    level = [...new Set(needed)].filter((name) => !all.has(name));
  }
  return [...all];
}

/** The release that Debian's newest kernel of this system has, such as `6.1.0-56-amd64`. */
export async function newestKernelRelease(): Promise<string> {
  const [image] = await dependencies(['linux-image-amd64'], /^linux-image-\d/);
  if (image === undefined)
    throw new Error('apt knows no kernel image: is linux-image-amd64 in the package lists?');
  return image.slice('linux-image-'.length);
}

/** Every package that the lab unpacks for a kernel release. */
export async function packagesFor(release: string): Promise<string[]> {
  const headers = await dependencies([`linux-headers-${release}`], /^linux-(headers|kbuild)/);
  const programs = await withLibraries(['kexec-tools', 'makedumpfile', 'busybox-static']);
  return [`linux-image-${release}`, `linux-headers-${release}`, ...headers, ...programs];
}

/** Downloads packages (nothing is run, nothing is installed) and unpacks them into `root`. Gives the files' names. */
export async function unpackPackages(
  names: readonly string[],
  debs: string,
  root: string,
): Promise<string[]> {
  await mkdir(debs, { recursive: true });
  await mkdir(root, { recursive: true });
  await run(['apt-get', 'download', '-q', '-o', 'APT::Sandbox::User=root', ...names], { cwd: debs });
  const files = (await readdir(debs)).filter((f) => f.endsWith('.deb')).sort();
  for (const file of files) await run(['dpkg-deb', '-x', join(debs, file), root]);
  await rm(debs, { recursive: true });
  await relinkLibraries(root);
  return files;
}

/** Loaders are named by absolute links in some packages: makes them point into the root. */
async function relinkLibraries(root: string): Promise<void> {
  const loader = join(root, 'lib64/ld-linux-x86-64.so.2');
  const target = await readlink(loader).catch(() => null);
  if (target?.startsWith('/')) {
    await rm(loader);
    await symlink(join('..', target), loader);
  }
}
