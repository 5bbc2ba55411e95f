/**
 * What the lab unpacks into its directory: the programs that the guests run, in `programs/`, and each kernel or
 * only its headers, in `kernels/<name>/root/`. What is there is not fetched again, however old it is.
 */
import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import * as z from 'zod';
import { writeDurably } from '../durable.ts';
import { flavors, type KernelName } from './flavors.ts';
import { extractVmlinux, type Kernel, kernelIn, mendHeaders } from './kernel.ts';
import {
  headerPackages,
  newestRelease,
  unpackPackages,
  updatePackageLists,
  withLibraries,
} from './packages.ts';

/** Tells about a step before it begins; long steps are told one by one. */
export type Progress = (step: string) => void;

/** What a JSON file holds, or null where there is none that can be read. */
export async function readState<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch {
    return null;
  }
}

/** A kernel's own part of the lab's directory. */
export function kernelDir(dir: string, name: KernelName): string {
  return join(dir, 'kernels', name);
}

/** Version numbers by package, from the names of the files that were unpacked. Pure. */
export function versionsIn(files: readonly string[], names: readonly string[]): Record<string, string> {
  const version = (name: string) =>
    new RegExp(`^${name}_(?:\\d+%3a)?([\\d.]+)`, 'm').exec(files.map((f) => basename(f)).join('\n'))?.[1];
  return Object.fromEntries(names.map((name) => [name, version(name) ?? 'unknown']));
}

const programsState = z.object({ tools: z.record(z.string(), z.string()) });

/** The programs that the guests run: where they are unpacked, and the versions of those under test. */
export interface Programs {
  readonly root: string;
  readonly tools: Readonly<Record<string, string>>;
}

/** The programs, where they are unpacked already. */
export async function unpackedPrograms(dir: string): Promise<Programs | null> {
  const root = join(dir, 'programs');
  const state = await readState(join(root, 'unpacked.json'), programsState);
  return state && { root, tools: state.tools };
}

/** Unpacks kexec, makedumpfile and busybox, where they are not there. */
export async function unpackPrograms(dir: string, progress: Progress): Promise<Programs> {
  const existing = await unpackedPrograms(dir);
  if (existing) return existing;
  await updatePackageLists(progress);
  progress('downloading and unpacking kexec-tools, makedumpfile, busybox and their libraries');
  const root = join(dir, 'programs');
  await rm(root, { recursive: true, force: true });
  const names = await withLibraries(['kexec-tools', 'makedumpfile', 'busybox-static']);
  const versions = versionsIn(await unpackPackages(names, root), ['kexec-tools', 'makedumpfile']);
  const { 'kexec-tools': kexec = 'unknown', makedumpfile = 'unknown' } = versions;
  const tools = { kexec, makedumpfile };
  await writeDurably(join(root, 'unpacked.json'), JSON.stringify({ tools }));
  return { root, tools };
}

/** `image` says whether more than the headers is there. */
const kernelState = z.object({ release: z.string(), image: z.boolean() });

async function unpack(
  dir: string,
  name: KernelName,
  wanted: 'headers' | 'image',
  progress: Progress,
): Promise<Kernel> {
  const root = join(kernelDir(dir, name), 'root');
  const statePath = join(kernelDir(dir, name), 'unpacked.json');
  const existing = await readState(statePath, kernelState);
  if (existing && (wanted === 'headers' || existing.image)) return kernelIn(root, existing.release);
  await updatePackageLists(progress);
  progress(`finding Debian's newest kernel ${name}`);
  const release = await newestRelease(flavors[name].metapackage);
  // Headers of an older release are of no use to the image that can be had.
  const hasHeaders = existing?.release === release;
  if (!hasHeaders) {
    await rm(statePath, { force: true });
    await rm(root, { recursive: true, force: true });
  }
  const image = wanted === 'image';
  const names = [
    ...(image ? [`linux-image-${release}`] : []),
    ...(hasHeaders ? [] : await headerPackages(release)),
  ];
  progress(`downloading and unpacking ${image ? '' : 'the headers of '}Linux ${release}`);
  await unpackPackages(names, root);
  const kernel = kernelIn(root, release);
  await mendHeaders(kernel);
  if (image) {
    progress('extracting the ELF kernel from its compressed image');
    await extractVmlinux(kernel);
  }
  await writeDurably(statePath, JSON.stringify({ release, image }));
  return kernel;
}

/** Unpacks a kernel's headers, where they are not there: enough to build modules against. */
export function unpackHeaders(dir: string, name: KernelName, progress: Progress): Promise<Kernel> {
  return unpack(dir, name, 'headers', progress);
}

/** Unpacks a kernel: image, modules and headers. */
export function unpackKernel(dir: string, name: KernelName, progress: Progress): Promise<Kernel> {
  return unpack(dir, name, 'image', progress);
}
