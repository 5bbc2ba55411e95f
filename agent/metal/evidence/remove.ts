/** Removes the dump of a trial whose report is safe: dumps must not fill the target. Never another crash's. */
import { constants } from 'node:fs';
import { open, readlink, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { findPlanted } from '../../dump/planted.ts';
import { openDump } from '../../dump/verify.ts';
import type { SystemTree } from '../../machine/tree.ts';
import type { Layout } from '../distribution/layout.ts';
import { type CrashEntry, crashEntries, filesOf, openWithin } from './crash-directory.ts';
import type { ArmedFacts } from './gather.ts';
import { landingOf } from './place.ts';

/** More dumps than this since one arming are none that a machine makes. */
const entriesMax = 16;

/**
 * Whether a dump's own records say that it is this trial's. Two pages of it are read, not the whole: it was verified
 * before. What cannot be read is not this trial's.
 */
async function isOfTrial(
  entry: CrashEntry,
  layout: Layout,
  listing: ArmedFacts['listing'],
): Promise<boolean> {
  const { dump: name } = layout.filesIn(await filesOf(entry), () => null);
  if (name === null || !('canaries' in listing)) return false;
  const source = await openWithin(entry, name);
  try {
    const { dump } = await openDump(source);
    if (dump === null) return false;
    const { armed, fired } = await findPlanted(dump.memory, { ...listing, canaries: [] });
    return armed === 'present' || fired === 'present';
  } finally {
    await source.close();
  }
}

/** Removes the regular files of a dump's directory, and it, if nothing else is in it. False where it has become a link. */
async function removeEntry(entry: CrashEntry): Promise<boolean> {
  const names = await filesOf(entry);
  const handle = await open(entry.path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const held = `/proc/self/fd/${handle.fd}`;
    if ((await readlink(held)) !== entry.path) return false;
    for (const name of names) await unlink(join(held, name));
  } finally {
    await handle.close();
  }
  // What the tooling did not put there keeps its directory.
  await rmdir(entry.path).catch(() => {});
  return true;
}

/**
 * Removes it where its own records say that it is this trial's, and gives the directory's path; null where nothing was
 * removed. Only regular files go, and nothing outside of the directory: a link in its place is not followed.
 */
export async function removeTrialDump(
  tree: SystemTree,
  root: string,
  { listing, crash_before }: Pick<ArmedFacts, 'listing' | 'crash_before'>,
): Promise<string | null> {
  const landing = landingOf(tree);
  if (landing.kind !== 'here' || landing.directory === null) return null;
  const { layout, directory } = landing;
  const before = new Set(crash_before);
  const entries = (await crashEntries(join(root, directory), layout.directory, before, entriesMax)) ?? [];
  for (const entry of entries)
    if (await isOfTrial(entry, layout, listing).catch(() => false))
      return (await removeEntry(entry)) ? entry.path : null;
  return null;
}
