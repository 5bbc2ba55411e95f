/**
 * Provisions the lab, once: QEMU and a compiler are installed, everything else is unpacked into the data
 * directory. What was built is described by `lab.json`; it is built again when its inputs change.
 */
import { createHash } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { writeDurably } from '../durable.ts';
import { packageDir } from '../paths.ts';
import { run } from '../run.ts';
import { captureCommandLine } from './command-line.ts';
import { installPackages, preflight, thisHost } from './host.ts';
import { buildImages, type Images, imagesIn, sharedParts } from './images.ts';
import { extractVmlinux, type Kernel, kernelIn, mendHeaders } from './kernel.ts';
import { type LabMachineName, labMachines } from './machines.ts';
import { newestKernelRelease, packagesFor, unpackPackages } from './packages.ts';

const state = z.object({
  inputs: z.string(),
  release: z.string(),
  tools: z.record(z.string(), z.string()),
  emulator: z.string(),
});

/** A lab that is ready to run trials. */
export interface Lab {
  readonly dir: string;
  readonly kernel: Kernel;
  /** Versions of kexec and makedumpfile. */
  readonly tools: Readonly<Record<string, string>>;
  /** What emulates the machines, with its version. */
  readonly emulator: string;
  readonly images: (machine: LabMachineName) => Images;
}

/** Tells about a step before it begins; long steps are told one by one. */
export type Progress = (step: string) => void;

/** A digest of everything in this package that the provisioned lab is made from. */
async function digestInputs(): Promise<string> {
  const hash = createHash('sha256');
  for (const dir of ['kmod', 'agent/lab', 'agent/lab/guest']) {
    for (const entry of (await readdir(join(packageDir, dir), { withFileTypes: true })).sort((a, b) =>
      a.name < b.name ? -1 : 1,
    )) {
      if (!entry.isFile() || entry.name.endsWith('.test.ts')) continue;
      hash.update(`${dir}/${entry.name}\n`).update(await readFile(join(packageDir, dir, entry.name)));
    }
  }
  return hash.digest('hex');
}

function labFrom(dir: string, s: z.infer<typeof state>): Lab {
  return {
    dir,
    kernel: kernelIn(join(dir, 'root'), s.release),
    tools: s.tools,
    emulator: s.emulator,
    images: (machine) => imagesIn(join(dir, 'images', machine)),
  };
}

async function readState(dir: string): Promise<z.infer<typeof state> | null> {
  const text = await readFile(join(dir, 'lab.json'), 'utf8').catch(() => null);
  if (text === null) return null;
  try {
    return state.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** Builds the crash module against the unpacked headers; warnings of W=1 are errors of ours. Gives its path. */
async function buildCrashModule(dir: string, kernel: Kernel): Promise<string> {
  const source = join(dir, 'kmod');
  await rm(source, { recursive: true, force: true });
  await cp(join(packageDir, 'kmod'), source, { recursive: true });
  const warnings = await run([
    'sh',
    '-c',
    'make -s -C "$1" M="$2" W=1 modules 2>&1',
    'sh',
    kernel.headers,
    source,
  ]);
  if (/\bwarning\b/.test(warnings.replaceAll(/^.*(compiler differs|Skipping BTF).*$/gm, ''))) {
    throw new Error(`the crash module builds with warnings:\n${warnings}`);
  }
  return join(source, 'crashpoint.ko');
}

/** Version numbers of the programs under test, from the packages that were unpacked. */
function toolVersions(packages: string): Record<string, string> {
  const version = (name: string) =>
    new RegExp(`^${name}_(?:\\d+%3a)?([\\d.]+)`, 'm').exec(packages)?.[1] ?? 'unknown';
  return { kexec: version('kexec-tools'), makedumpfile: version('makedumpfile') };
}

/** Unpacks a kernel and the programs that the guests run. Gives the release and the programs' versions. */
async function unpack(
  dir: string,
  progress: Progress,
): Promise<Pick<z.infer<typeof state>, 'release' | 'tools'>> {
  const root = join(dir, 'root');
  const existing = await readState(join(dir, 'unpacked'));
  if (existing) return existing;
  progress('finding the newest Debian kernel');
  const release = await newestKernelRelease();
  const names = await packagesFor(release);
  progress(
    `downloading and unpacking Linux ${release}, kexec-tools, makedumpfile (${names.length} packages)`,
  );
  await rm(root, { recursive: true, force: true });
  const files = await unpackPackages(names, join(dir, 'debs'), root);
  const kernel = kernelIn(root, release);
  await mendHeaders(kernel);
  progress('extracting the ELF kernel from its compressed image');
  await extractVmlinux(kernel);
  const unpacked = { inputs: '', release, tools: toolVersions(files.join('\n')), emulator: '' };
  await mkdir(join(dir, 'unpacked'), { recursive: true });
  await writeDurably(join(dir, 'unpacked/lab.json'), JSON.stringify(unpacked));
  return unpacked;
}

/**
 * Makes the lab in `dir` ready and gives it. Does nothing where it is. Throws Advice where the host lacks
 * something that this process may not install.
 */
export async function provision(dir: string, progress: Progress): Promise<Lab> {
  const inputs = await digestInputs();
  const known = await readState(dir);
  const host = preflight(thisHost());
  if ('advice' in host) throw host.advice;
  if (known?.inputs === inputs && host.install.length === 0) return labFrom(dir, known);
  await mkdir(dir, { recursive: true });
  const isUnpacked = (await readState(join(dir, 'unpacked'))) !== null;
  if (process.getuid?.() === 0 && (host.install.length > 0 || !isUnpacked)) {
    progress('updating the package lists');
    await run(['apt-get', 'update', '-q']);
  }
  if (host.install.length > 0) {
    progress(`installing ${host.install.join(', ')}`);
    await installPackages(host.install);
  }
  const { release, tools } = await unpack(dir, progress);
  const kernel = kernelIn(join(dir, 'root'), release);
  progress('building the crash module');
  const crashModule = await buildCrashModule(dir, kernel);
  progress(`building the images of ${Object.keys(labMachines).length} machines`);
  const shared = await sharedParts(join(dir, 'root'), kernel, crashModule, captureCommandLine());
  for (const [name, machine] of Object.entries(labMachines)) {
    await buildImages(shared, machine, join(dir, 'images', name));
  }
  const version = /version ([\d.]+)/.exec(await run(['qemu-system-x86_64', '--version']))?.[1] ?? 'unknown';
  const made = { inputs, release, tools, emulator: `QEMU ${version} tcg` };
  await writeDurably(join(dir, 'lab.json'), JSON.stringify(made));
  return labFrom(dir, made);
}
