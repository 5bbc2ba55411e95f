/** The search for a trial's dump on this system. */
import { join } from 'node:path';
import type { Listing } from '../../../schema/canary.ts';
import type { LogPlan } from '../../../schema/log-canary.ts';
import type { SystemTree } from '../../machine/tree.ts';
import { type DumpSearch, findDump, type SearchOptions } from './dump.ts';
import { landingOf } from './place.ts';

/** Twice the memory, and a GiB: no dump is larger, in whatever format. Without a size of the memory, a tebibyte. */
function mostDumpBytes(tree: SystemTree): number {
  const kib = /^MemTotal:\s+(\d{1,12}) kB$/m.exec(tree.read('/proc/meminfo') ?? '')?.[1];
  return 2 * Number(kib ?? 1 << 30) * 1024 + (1 << 30);
}

/** What the directory of dumps holds of the trial, or null where this system's dumps do not land where they can be read. */
export async function searchDump(
  tree: SystemTree,
  root: string,
  armed: { readonly listing: Listing | LogPlan; readonly crash_before: readonly string[] },
  more: Pick<SearchOptions, 'freeBytesAt'> = {},
): Promise<DumpSearch | null> {
  const landing = landingOf(tree);
  if (landing.kind !== 'here' || landing.directory === null) return null;
  return findDump({
    directory: join(root, landing.directory),
    layout: landing.layout,
    planted: armed.listing,
    before: new Set(armed.crash_before),
    mostBytes: mostDumpBytes(tree),
    ...more,
  });
}
