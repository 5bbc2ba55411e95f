/**
 * Debian packages that are unpacked into directories of the lab and never installed: kernels, headers,
 * kexec-tools, makedumpfile, busybox, and the libraries that these need.
 */
import { mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../run.ts';

/** The packages that `apt-cache depends` names, whose names match, in apt's order. Pure. */
export function dependenciesIn(text: string, wanted: RegExp): string[] {
  const found = [...text.matchAll(/^\s*\|?\s*(?:Pre)?Depends: (\S+)$/gm)].map((match) => match[1] ?? '');
  return found.filter((name) => wanted.test(name));
}

/** The direct dependencies of these packages whose names match. One call for all: each costs seconds. */
async function dependencies(names: readonly string[], wanted: RegExp): Promise<string[]> {
  return dependenciesIn(await run(['apt-cache', 'depends', '--important', ...names]), wanted);
}

/** Packages and the libraries that they need, directly or not. */
export async function withLibraries(names: readonly string[]): Promise<string[]> {
  const all = new Set<string>();
  for (let level = [...names]; level.length > 0; ) {
    for (const name of level) all.add(name);
    const needed = await dependencies(level, /^(lib(?!c-bin)|zlib1g)/);
    level = [...new Set(needed)].filter((name) => !all.has(name));
  }
  return [...all];
}

/** The release of the newest image that a metapackage stands for, such as `6.1.0-56-amd64`. */
export async function newestRelease(metapackage: string): Promise<string> {
  const [image] = await dependencies([metapackage], /^linux-image-\d/);
  if (image === undefined)
    throw new Error(`apt knows no kernel image: is ${metapackage} in the package lists? Try apt-get update.`);
  return image.slice('linux-image-'.length);
}

/** Every package that building a module against a kernel release takes. */
export async function headerPackages(release: string): Promise<string[]> {
  const headers = `linux-headers-${release}`;
  return [headers, ...(await dependencies([headers], /^linux-(headers|kbuild)/))];
}

let updated: Promise<void> | null = null;

/** Updates apt's lists where this process may: once, however often it is called. */
export function updatePackageLists(progress: (step: string) => void): Promise<void> {
  updated ??= (async () => {
    if (process.getuid?.() !== 0) return;
    progress('updating the package lists');
    await run(['apt-get', 'update', '-q']);
  })();
  return updated;
}

/**
 * Downloads packages (nothing is run, nothing is installed) and gives the files' paths, in `debs`, which holds
 * nothing else then.
 */
export async function downloadPackages(names: readonly string[], debs: string): Promise<string[]> {
  await rm(debs, { recursive: true, force: true });
  await mkdir(debs, { recursive: true });
  await run(['apt-get', 'download', '-q', '-o', 'APT::Sandbox::User=root', ...names], { cwd: debs });
  const files = (await readdir(debs)).filter((f) => f.endsWith('.deb')).sort();
  return files.map((file) => join(debs, file));
}

/** Downloads packages and unpacks them into `root`. Gives the paths that the packages had. */
export async function unpackPackages(names: readonly string[], root: string): Promise<string[]> {
  const debs = `${root}.debs`;
  const files = await downloadPackages(names, debs);
  await mkdir(root, { recursive: true });
  for (const file of files) await run(['dpkg-deb', '-x', file, root]);
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
