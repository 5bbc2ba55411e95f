/**
 * Builds the crash module as DKMS does on a volunteer's machine, with Debian's own dkms, which is unpacked and never
 * installed: all its directories are below the lab's.
 */
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KernelName } from '../../agent/lab/flavors.ts';
import { unpackPackages, updatePackageLists, withLibraries } from '../../agent/lab/packages.ts';
import { type Progress, unpackHeaders } from '../../agent/lab/unpack.ts';
import { packageDir } from '../../agent/paths.ts';
import { run } from '../../agent/run.ts';

/** Programs that dkms and kbuild call, and that a host may lack. */
const programs = { modinfo: 'sbin/modinfo', depmod: 'sbin/depmod', pahole: 'usr/bin/pahole' } as const;

/** Unpacks dkms and what it calls, once. Gives the environment to run it in. */
async function unpackDkms(
  dir: string,
  progress: Progress,
): Promise<{ dkms: string; env: NodeJS.ProcessEnv }> {
  const root = join(dir, 'root');
  const bin = join(dir, 'bin');
  const dkms = join(root, 'usr/sbin/dkms');
  if (!(await stat(bin).catch(() => null))) {
    await updatePackageLists(progress);
    progress('downloading and unpacking dkms, kmod and pahole');
    await unpackPackages([...(await withLibraries(['kmod', 'pahole'])), 'dkms'], root);
    await mkdir(bin, { recursive: true });
    const libraries = ['lib', 'usr/lib'].map((lib) => join(root, lib, 'x86_64-linux-gnu')).join(':');
    for (const [name, path] of Object.entries(programs)) {
      const wrapper = join(bin, name);
      await writeFile(wrapper, `#!/bin/sh\nLD_LIBRARY_PATH='${libraries}' exec '${join(root, path)}' "$@"\n`);
      await chmod(wrapper, 0o755);
    }
  }
  return { dkms, env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } };
}

/** The version that dkms.conf names. */
async function packageVersion(): Promise<string> {
  const conf = await readFile(join(packageDir, 'kmod/dkms.conf'), 'utf8');
  const version = /^PACKAGE_VERSION="(.+)"$/m.exec(conf)?.[1];
  if (version === undefined) throw new Error('kmod/dkms.conf names no version');
  return version;
}

/** Adds and builds the module with DKMS for a kernel. Gives the release and what `dkms status` says. Throws a CommandError where it fails. */
export async function buildWithDkms(
  labDir: string,
  name: KernelName,
  progress: Progress,
): Promise<{ readonly release: string; readonly status: string }> {
  const kernel = await unpackHeaders(labDir, name, progress);
  const dir = join(labDir, 'dkms');
  const { dkms, env } = await unpackDkms(dir, progress);
  const trees = ['tree', 'source', 'install'].map((part) => join(dir, name, part));
  await rm(join(dir, name), { recursive: true, force: true });
  for (const tree of trees) await mkdir(tree, { recursive: true });
  const [tree = '', source = '', install = ''] = trees;
  const places = ['--dkmstree', tree, '--sourcetree', source, '--installtree', install];
  const version = await packageVersion();
  const module = ['-m', 'crashpoint', '-v', version];
  const { release } = kernel;
  progress(`building with DKMS for Linux ${release}`);
  await run(['bash', dkms, 'add', join(packageDir, 'kmod'), ...places], { env });
  const build = ['-k', release, '--arch', 'x86_64', '--kernelsourcedir', kernel.headers];
  await run(['bash', dkms, 'build', ...module, ...build, ...places], { env });
  const status = (await run(['bash', dkms, 'status', ...module, ...places], { env })).trim();
  await stat(join(tree, 'crashpoint', version, release, 'x86_64/module/crashpoint.ko'));
  return { release, status };
}
