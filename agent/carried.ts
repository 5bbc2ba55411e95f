/**
 * Files that the agent hands on as they are: the kernel module's sources, scripts that run in other environments. In the
 * bundle another module is in this one's place (agent/build/carried.ts), which holds their text.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** The folders, relative to the package. */
export const carriedFolders = ['kmod', 'agent/lab/guest'] as const;
export type CarriedFolder = (typeof carriedFolders)[number];

/** Whether this is the bundle, which has no package around it. */
export const isBundled: boolean = false;

/** What belongs to a folder, and not what a build or a tool has left in it. */
export function isCarried(name: string): boolean {
  return /^(Kbuild|Makefile|COPYING|dkms\.conf|[\w-]+\.([ch]|sh))$/.test(name) && !name.endsWith('.mod.c');
}

/** The texts of a folder's files, by name, in the order of their names. What is in folders below it is left out. */
export async function carriedFiles(folder: CarriedFolder): Promise<ReadonlyMap<string, string>> {
  const dir = resolve(import.meta.dirname, '..', folder);
  const entries = await readdir(dir, { withFileTypes: true });
  const names = entries.filter((e) => e.isFile() && isCarried(e.name)).map((e) => e.name);
  const texts = names.sort().map(async (name) => [name, await readFile(join(dir, name), 'utf8')] as const);
  return new Map(await Promise.all(texts));
}
