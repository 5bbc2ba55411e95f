/** Builds kernel modules out of tree, against headers that were unpacked. Nothing is loaded. */
import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { carriedFiles } from '../carried.ts';
import { run } from '../run.ts';
import type { KernelName } from './flavors.ts';
import type { Kernel } from './kernel.ts';
import { kernelDir, type Progress, unpackHeaders } from './unpack.ts';

/** What compiler, modpost and sparse complain of; not that the kernel was built elsewhere. Pure. */
export function warningsIn(said: string): string[] {
  return said
    .split('\n')
    .filter((line) => /\b(warning|error)\b/i.test(line) && !/compiler differs|Skipping BTF/.test(line));
}

/**
 * Runs kbuild in `source` with `settings` on its command line. Gives its warnings. Throws a CommandError where the
 * module does not build. Without BTF: headers that come with a vmlinux would ask for pahole.
 */
export async function kbuild(kernel: Kernel, source: string, settings: readonly string[]): Promise<string[]> {
  const jobs = `-j${availableParallelism()}`;
  const make = ['make', '-s', jobs, '-O', '-C', kernel.headers, `M=${source}`, ...settings];
  const script = '"$@" CONFIG_DEBUG_INFO_BTF_MODULES= modules 2>&1';
  return warningsIn(await run(['sh', '-c', script, 'sh', ...make]));
}

/** A copy of the crash module's sources: kbuild writes beside them. */
async function crashModuleSource(into: string): Promise<string> {
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true });
  for (const [name, text] of await carriedFiles('kmod')) await writeFile(join(into, name), text);
  return into;
}

/** Builds the crash module in `into`; warnings of W=1 are errors of ours. Gives its path. */
export async function buildCrashModule(kernel: Kernel, into: string): Promise<string> {
  const warnings = await kbuild(kernel, await crashModuleSource(into), ['W=1']);
  if (warnings.length > 0)
    throw new Error(`the crash module builds with warnings for ${kernel.release}:\n${warnings.join('\n')}`);
  return join(into, 'crashpoint.ko');
}

/** What building the crash module for a flavor said. */
export interface FlavorBuild {
  readonly release: string;
  /** Whether sparse looked at it as well. */
  readonly sparse: boolean;
  readonly warnings: readonly string[];
}

/**
 * Builds the crash module for a flavor with W=1, and with sparse where the host has it. Takes the flavor's headers
 * only, and unpacks them below the lab's directory where they are not there. Throws a CommandError where the
 * module does not build.
 */
export async function buildForFlavor(
  dir: string,
  name: KernelName,
  progress: Progress,
): Promise<FlavorBuild> {
  const kernel = await unpackHeaders(dir, name, progress);
  const sparse = existsSync('/usr/bin/sparse');
  progress(`building the crash module for Linux ${kernel.release}${sparse ? ', with sparse' : ''}`);
  const source = await crashModuleSource(join(kernelDir(dir, name), 'check'));
  const warnings = await kbuild(kernel, source, ['W=1', ...(sparse ? ['C=2', 'CHECK=sparse'] : [])]);
  return { release: kernel.release, sparse, warnings };
}
