/** Where the dumps of this system land, as the distribution's tooling is configured, and what lies there already. */
import { join } from 'node:path';
import { distributionOf } from '../../machine/distribution.ts';
import { dumpPlace } from '../../machine/dump-place.ts';
import { mountsOf } from '../../machine/mounts.ts';
import type { SystemTree } from '../../machine/tree.ts';
import { layouts } from '../distribution/index.ts';
import type { Layout } from '../distribution/layout.ts';
import { crashEntries, markOf } from './crash-directory.ts';

/** `directory`: null where it is not to be found here, because it is not mounted, raw, or not understood. */
export type Landing =
  | { readonly kind: 'here'; readonly layout: Layout; readonly directory: string | null }
  | { readonly kind: 'elsewhere'; readonly layout: Layout }
  | { readonly kind: 'unknown'; readonly layout: null };

/** Where the device that a configuration names is mounted, or null. Device links are resolved. */
function mountPointOf(tree: SystemTree, device: string): string | null {
  const [, kind, value] = /^(UUID|LABEL|PARTUUID|PARTLABEL)=(.+)$/.exec(device) ?? [];
  const path = kind === undefined ? device : `/dev/disk/by-${kind.toLowerCase()}/${value}`;
  const real = tree.follow(path) ?? path;
  const mount = mountsOf(tree).find(({ source }) => source === path || source === real);
  return mount?.point ?? null;
}

/**
 * Whether what fstab(5) mounts at a directory, or above it, is mounted. A target that is missing leaves an empty directory
 * of another file system in its place, which says nothing of the dump.
 */
function isMountedAsMeant(tree: SystemTree, directory: string): boolean {
  const mounted = new Set(mountsOf(tree).map(({ point }) => point));
  if (mounted.size === 0) return true;
  const meant = (tree.read('/etc/fstab') ?? '')
    .split('\n')
    .map((line) => /^\s*[^#\s]\S*\s+(\/\S*)\s/.exec(line)?.[1]?.replaceAll('\\040', ' '))
    .filter((point) => point !== undefined && `${directory}/`.startsWith(point === '/' ? '/' : `${point}/`));
  return meant.every((point) => point !== undefined && mounted.has(point));
}

/** Where the dumps land. */
export function landingOf(tree: SystemTree): Landing {
  const { family } = distributionOf(tree);
  if (family === null) return { kind: 'unknown', layout: null };
  const layout = layouts[family];
  const { place } = dumpPlace(tree, family);
  switch (place.kind) {
    case 'directory': {
      if (place.device === null) {
        const isThere = isMountedAsMeant(tree, place.directory);
        return { kind: 'here', layout, directory: isThere ? place.directory : null };
      }
      const point = mountPointOf(tree, place.device);
      return { kind: 'here', layout, directory: point === null ? null : join(point, place.directory) };
    }
    case 'nfs':
    case 'ssh':
      return { kind: 'elsewhere', layout };
    case 'raw':
    case 'unknown':
      return { kind: 'here', layout, directory: null };
  }
}

/** Where records of pstore are found: where the kernel shows them, and where systemd-pstore moves them at the start. */
const pstorePlaces = ['/sys/fs/pstore', '/var/lib/systemd/pstore'] as const;

/** The records of pstore, as names that are unique in a machine's life. */
export function pstoreNames(tree: SystemTree): string[] {
  const [shown, moved] = pstorePlaces;
  const within = tree.list(moved).flatMap((name) => {
    const inside = tree.list(`${moved}/${name}`);
    return inside.length === 0 ? [`${moved}/${name}`] : inside.map((file) => `${moved}/${name}/${file}`);
  });
  return [...tree.list(shown).map((name) => `${shown}/${name}`), ...within].slice(0, 10_000);
}

/** More dumps than this are not told apart from a trial's own: a machine with so many is not to be armed. */
export const namesBeforeMax = 20_000;

/**
 * What there is before a trial is armed: nothing of it is the trial's. Goes into the journal. `root` is `/` but in
 * tests.
 */
export async function namesBefore(tree: SystemTree, root = '/'): Promise<string[]> {
  const landing = landingOf(tree);
  const entries =
    landing.kind === 'here' && landing.directory !== null
      ? await crashEntries(join(root, landing.directory), landing.layout.directory, new Set(), namesBeforeMax)
      : null;
  return [...(entries ?? []).map(markOf), ...pstoreNames(tree)];
}
