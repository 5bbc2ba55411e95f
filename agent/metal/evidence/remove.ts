/** Removes the dump of a trial whose report is safe: dumps must not fill the target. Never another crash's. */
import { constants } from 'node:fs';
import { open, readlink, rmdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { SystemTree } from '../../machine/tree.ts';
import { filesOf } from './crash-directory.ts';
import type { ArmedFacts } from './gather.ts';
import { searchDump } from './search.ts';

/**
 * Removes it where its own records say that it is this trial's, and gives the directory's path; null where nothing was
 * removed. Only regular files go, and nothing outside of the directory: a link in its place is not followed.
 */
export async function removeTrialDump(
  tree: SystemTree,
  root: string,
  armed: Pick<ArmedFacts, 'listing' | 'crash_before'>,
): Promise<string | null> {
  const search = await searchDump(tree, root, armed);
  const { finding = null, directory = null } = search ?? {};
  if (directory === null || (finding?.armed !== 'present' && finding?.fired !== 'present')) return null;
  const names = await filesOf({ name: '', path: directory, changedMs: 0 });
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    const held = `/proc/self/fd/${handle.fd}`;
    if ((await readlink(held)) !== directory) return null;
    for (const name of names) await unlink(join(held, name));
  } finally {
    await handle.close();
  }
  // What the tooling did not put there keeps its directory.
  await rmdir(directory).catch(() => {});
  return directory;
}
