/**
 * Provisions the lab for one kernel, once: QEMU and a compiler are installed, everything else is unpacked into the
 * data directory. What is built (crash module, images) is described by the kernel's `lab.json`; it is built again
 * when its inputs change, and nothing is fetched for that.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { carriedFiles, isBundled } from '../carried.ts';
import { writeDurably } from '../durable.ts';
import { takeLock } from '../lock.ts';
import { run } from '../run.ts';
import { captureCommandLine } from './command-line.ts';
import { type Flavor, flavors, type KernelName } from './flavors.ts';
import { ensureHost } from './host.ts';
import { buildImages, firstModules, type Images, imagesIn, sharedParts } from './images.ts';
import { buildCrashModule } from './kbuild.ts';
import { type Kernel, kernelIn, openModules } from './kernel.ts';
import { type LabMachineName, labMachines } from './machines.ts';
import {
  kernelDir,
  type Programs,
  type Progress,
  readState,
  unpackedPrograms,
  unpackKernel,
  unpackPrograms,
} from './unpack.ts';

const state = z.object({
  inputs: z.string(),
  release: z.string(),
  emulator: z.string(),
  machines: z.array(z.enum(Object.keys(labMachines) as [LabMachineName, ...LabMachineName[]])),
});

/** A lab that is ready to run trials on one kernel. */
export interface Lab {
  /** The directory of the lab; those of other kernels share it. */
  readonly dir: string;
  readonly name: KernelName;
  readonly kernel: Kernel;
  /** Where kexec, makedumpfile and their libraries are unpacked. */
  readonly programs: string;
  /** Versions of kexec and makedumpfile. */
  readonly tools: Readonly<Record<string, string>>;
  /** What emulates the machines, with its version. */
  readonly emulator: string;
  /** The machines whose drivers the kernel has. */
  readonly machines: readonly LabMachineName[];
  /** Where the images of one of these machines are. */
  readonly images: (machine: LabMachineName) => Images;
}

/** A digest of everything in this package that the provisioned lab is made from; of the bundle, where that runs. */
async function digestInputs(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of ['kmod', 'agent/lab/guest'] as const)
    for (const [name, text] of await carriedFiles(folder)) hash.update(`${folder}/${name}\n`).update(text);
  const sources = (await readdir(import.meta.dirname)).filter((name) => /(?<!\.test)\.ts$/.test(name)).sort();
  for (const name of isBundled ? [] : sources)
    hash.update(`${name}\n`).update(await readFile(join(import.meta.dirname, name)));
  if (isBundled) hash.update(await readFile(import.meta.filename));
  return hash.digest('hex');
}

function labFrom(dir: string, name: KernelName, programs: Programs, made: z.infer<typeof state>): Lab {
  const own = kernelDir(dir, name);
  return {
    dir,
    name,
    kernel: kernelIn(join(own, 'root'), made.release),
    programs: programs.root,
    tools: programs.tools,
    emulator: made.emulator,
    machines: made.machines,
    images: (machine) => imagesIn(join(own, 'images', machine)),
  };
}

/** Builds the images of all machines whose drivers the kernel has, and gives these machines. */
async function buildAllImages(
  own: string,
  programs: Programs,
  kernel: Kernel,
  crashModule: string,
  progress: Progress,
): Promise<LabMachineName[]> {
  const modules = await openModules(kernel);
  const all = Object.keys(labMachines) as LabMachineName[];
  const machines = all.filter((name) => modules.missing(firstModules(labMachines[name])).length === 0);
  progress(`building the images of ${machines.length} machines`);
  await rm(join(own, 'images'), { recursive: true, force: true });
  const shared = await sharedParts(programs.root, kernel, modules, crashModule, captureCommandLine());
  for (const name of machines) await buildImages(shared, labMachines[name], join(own, 'images', name));
  return machines;
}

/**
 * Makes the lab in `dir` ready for a kernel and gives it. Does nothing where it is. Throws Advice where the host
 * lacks something that this process may not install, an Error for a kernel that runs no trials.
 */
export async function provision(dir: string, progress: Progress, name: KernelName = '6.1'): Promise<Lab> {
  const { noTrials }: Flavor = flavors[name];
  if (noTrials) throw new Error(`the lab runs no trial on the kernel ${name}: ${noTrials}`);
  const own = kernelDir(dir, name);
  const inputs = await digestInputs();
  const known = await readState(join(own, 'lab.json'), state);
  const unpacked = await unpackedPrograms(dir);
  await ensureHost(progress);
  if (unpacked && known?.inputs === inputs) return labFrom(dir, name, unpacked, known);
  await mkdir(own, { recursive: true });
  const release = await takeLock(join(dir, 'lock'), 'Making this lab ready');
  return make(dir, name, inputs, progress).finally(release);
}

/** Unpacks and builds what is not there. */
async function make(dir: string, name: KernelName, inputs: string, progress: Progress): Promise<Lab> {
  const own = kernelDir(dir, name);
  const [programs, kernel] = await Promise.all([
    unpackPrograms(dir, progress),
    unpackKernel(dir, name, progress),
  ]);
  progress(`building the crash module for Linux ${kernel.release}`);
  const crashModule = await buildCrashModule(kernel, join(own, 'kmod'));
  const machines = await buildAllImages(own, programs, kernel, crashModule, progress);
  const version = /version ([\d.]+)/.exec(await run(['qemu-system-x86_64', '--version']))?.[1] ?? 'unknown';
  const made = { inputs, release: kernel.release, emulator: `QEMU ${version} tcg`, machines };
  await writeDurably(join(own, 'lab.json'), JSON.stringify(made));
  return labFrom(dir, name, programs, made);
}
