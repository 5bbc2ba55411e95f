/**
 * Removes the dump of one trial, once that is reported: dumps must not fill the target. It is told from all others by the
 * nonce in its records alone, which takes no reading of the whole; nothing else in the directory is ever removed.
 */
import { rm } from 'node:fs/promises';
import { findPlanted } from '../dump/planted.ts';
import { openDump } from '../dump/verify.ts';
import type { SystemTree } from '../machine/tree.ts';
import type { Layout } from './distribution/layout.ts';
import { type CrashEntry, crashEntries, filesOf, openWithin } from './evidence/crash-directory.ts';
import { landingOf } from './evidence/place.ts';
import type { ArmedTrial } from './machine.ts';

/** More dumps than this since one arming are none that a machine makes. */
const entriesMax = 16;

/** Whether a dump holds the records of this trial. What cannot be read is not this trial's. */
async function isOfTrial(
  entry: CrashEntry,
  layout: Layout,
  planted: ArmedTrial['planted'],
): Promise<boolean> {
  const { dump: name } = layout.filesIn(await filesOf(entry), () => null);
  if (name === null || !('canaries' in planted)) return false;
  const source = await openWithin(entry, name);
  try {
    const { dump } = await openDump(source);
    if (dump === null) return false;
    const { armed, fired } = await findPlanted(dump.memory, { ...planted, canaries: [] });
    return [armed, fired].some((record) => record === 'present' || record === 'unfired');
  } finally {
    await source.close();
  }
}

/** Removes the directory of this trial's dump, if one has come since the arming. Never rejects. `root` is `/` but in tests. */
export async function removeDumpOf(
  tree: SystemTree,
  { planted, metal }: Pick<ArmedTrial, 'planted' | 'metal'>,
  root = '/',
): Promise<void> {
  const landing = landingOf(tree);
  if (landing.kind !== 'here' || landing.directory === null) return;
  const { layout, directory } = landing;
  const before = new Set(metal.crash_before);
  const entries = (await crashEntries(`${root}${directory}`, layout.directory, before, entriesMax)) ?? [];
  for (const entry of entries)
    if (await isOfTrial(entry, layout, planted).catch(() => false))
      await rm(entry.path, { recursive: true, force: true }).catch(() => {});
}
