/** The image of a complete Debian 12, made once for each recipe and copied for each guest. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Advice } from '../../../agent/advice.ts';
import { type Extra, ensureHost } from '../../../agent/lab/host.ts';
import type { Progress } from '../../../agent/lab/unpack.ts';
import { takeLock } from '../../../agent/lock.ts';
import { CommandError, run } from '../../../agent/run.ts';
import { makeDisk } from './disk.ts';
import { diskBytes, packages, recipeDigest } from './recipe.ts';

/** The programs of this host that make an image. */
export const imageNeeds: readonly Extra[] = ['debootstrap', 'mke2fs', 'debugfs', 'grub', 'grubImages'];

/** Makes the root file system's tree. Throws Advice where this process may not mount. */
async function makeRoot(root: string, cache: string, own: string | null): Promise<void> {
  const overlay = join(import.meta.dirname, 'overlay');
  const script = join(import.meta.dirname, 'root.sh');
  try {
    await run(['unshare', '--mount', '--propagation', 'private', 'true']);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new Advice(
      `The guest's image is made in a mount namespace, and this process may not have one: ${error.message}. Run this as root, in a container with:`,
      ['docker run --cap-add SYS_ADMIN --security-opt apparmor=unconfined …'],
    );
  }
  await run([
    ...['unshare', '--mount', '--propagation', 'private', '--', 'sh', script],
    ...[root, overlay, cache, own ?? '', ...packages],
  ]);
}

/** What an image is called: by what it is made of. */
function imageName(own: string | null): { readonly prefix: string; readonly name: string } {
  if (own === null) return { prefix: 'debian-12-bare-', name: `debian-12-bare-${recipeDigest()}.img` };
  const digest = createHash('sha256').update(recipeDigest()).update(readFileSync(own)).digest('hex');
  return { prefix: 'debian-12-own-', name: `debian-12-own-${digest.slice(0, 16)}.img` };
}

/**
 * The image's path; it is made where it is not there, which takes some minutes. `dir` holds images and packages; images of
 * other recipes are removed from it. `own` is a package of ours that is installed in it; null for a Debian without.
 */
export async function ensureImage(
  dir: string,
  progress: Progress,
  own: string | null = null,
): Promise<string> {
  const { prefix, name } = imageName(own);
  const image = join(dir, name);
  await ensureHost(progress, imageNeeds);
  if (existsSync(image)) return image;
  await mkdir(dir, { recursive: true });
  const release = await takeLock(join(dir, 'lock'), "Making the guest's image");
  const root = join(dir, 'root');
  try {
    for (const old of await readdir(dir))
      if (old.startsWith(prefix) || old === 'root') await rm(join(dir, old), { recursive: true });
    progress('the image: installing Debian 12 into a directory');
    await makeRoot(root, join(dir, 'packages'), own);
    progress('the image: making a disk of it');
    const unfinished = `${image}.new`;
    await makeDisk(root, unfinished, diskBytes);
    await rm(root, { recursive: true });
    await rename(unfinished, image);
    return image;
  } finally {
    await release();
  }
}
