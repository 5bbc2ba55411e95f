/**
 * The kernel's own crash module for the lab, from Debian's kernel sources: Debian's kernels are built without
 * LKDTM (drivers/misc/lkdtm). It is a second opinion about crashes, for proofs that take their time; a trial of the
 * survey never uses it.
 */
import { existsSync } from 'node:fs';
import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../run.ts';
import { flavors, type KernelName } from './flavors.ts';
import { kbuild } from './kbuild.ts';
import { downloadPackages, updatePackageLists } from './packages.ts';
import { kernelDir, type Progress, unpackHeaders } from './unpack.ts';

/**
 * Kernels export native_write_cr4 to LKDTM only where they are built with it (arch/x86/kernel/cpu/common.c). With
 * this one in its place UNSET_SMEP unsets nothing and must not be used; everything else is as in mainline.
 */
const emptyCr4Writer = `// SPDX-License-Identifier: GPL-2.0
#include <asm/special_insns.h>

void native_write_cr4(unsigned long val)
{
}
`;

/** Takes LKDTM's sources, and nothing else, out of Debian's kernel sources. */
async function unpackSource(series: string, into: string, debs: string): Promise<void> {
  const [deb] = await downloadPackages([`linux-source-${series}`], debs);
  if (deb === undefined) throw new Error(`apt gave no linux-source-${series}`);
  await mkdir(into, { recursive: true });
  const name = `linux-source-${series}`;
  const script =
    'set -e; dpkg-deb --fsys-tarfile "$1" | tar -xO "./usr/src/$2.tar.xz" | tar -xJ -C "$3" --strip-components=4 "$2/drivers/misc/lkdtm"';
  await run(['sh', '-c', script, 'sh', deb, name, into]);
  await rm(debs, { recursive: true });
}

/**
 * Builds LKDTM for a kernel, once, and gives the path of lkdtm.ko. The first call downloads the kernel's sources
 * (140 MB). Throws a CommandError where it does not build.
 */
export async function lkdtmModule(dir: string, name: KernelName, progress: Progress): Promise<string> {
  const kernel = await unpackHeaders(dir, name, progress);
  const source = join(kernelDir(dir, name), 'lkdtm', kernel.release);
  const built = join(source, 'lkdtm.ko');
  if (existsSync(built)) return built;
  const { series } = flavors[name];
  await updatePackageLists(progress);
  progress(`downloading the sources of Linux ${series} and taking LKDTM out of them`);
  await rm(source, { recursive: true, force: true });
  await unpackSource(series, source, `${source}.debs`);
  await writeFile(join(source, 'cr4.c'), emptyCr4Writer);
  await appendFile(join(source, 'Makefile'), '\nlkdtm-$(CONFIG_LKDTM) += cr4.o\n');
  progress(`building LKDTM for Linux ${kernel.release}`);
  await kbuild(kernel, source, ['CONFIG_LKDTM=m']);
  return built;
}
