/** The image of a complete Debian 12, made once for each recipe and copied for each guest. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Advice } from '../../../agent/advice.ts';
import { ensureHost } from '../../../agent/lab/host.ts';
import type { Progress } from '../../../agent/lab/unpack.ts';
import { takeLock } from '../../../agent/lock.ts';
import { CommandError, run } from '../../../agent/run.ts';
import { startDebian } from '../guest/guest.ts';
import { makeDisk } from './disk.ts';
import { diskBytes, finish, packages, recipeDigest } from './recipe.ts';

const finishWithinMs = 600_000;

/** Makes the root file system's tree. Throws Advice where this process may not mount. */
async function makeRoot(root: string, cache: string): Promise<void> {
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
    ...[root, overlay, cache, ...packages],
  ]);
}

/** The first boot: what only a running machine can do to itself. */
async function finishIn(disk: string, progress: Progress): Promise<void> {
  const guest = startDebian({ disk });
  try {
    await guest.booted(1, finishWithinMs);
    progress('the image: first boot; making the capture initrd in the guest takes a minute');
    for (const command of finish) await guest.must(command, finishWithinMs);
    await guest.run('systemctl poweroff').catch(() => {});
    await guest.ended;
  } finally {
    await guest.cut();
  }
}

/**
 * The image's path; it is made where it is not there, which takes some minutes. `dir` holds images and packages; images of
 * other recipes are removed from it.
 */
export async function ensureImage(dir: string, progress: Progress): Promise<string> {
  const image = join(dir, `debian-12-${recipeDigest()}.img`);
  await ensureHost(progress, ['debootstrap', 'mke2fs', 'debugfs', 'grub', 'grubImages']);
  if (existsSync(image)) return image;
  await mkdir(dir, { recursive: true });
  const release = await takeLock(join(dir, 'lock'), "Making the guest's image");
  const root = join(dir, 'root');
  try {
    for (const old of await readdir(dir))
      if (/^(debian-|root$)/.test(old)) await rm(join(dir, old), { recursive: true });
    progress('the image: installing Debian 12 into a directory');
    await makeRoot(root, join(dir, 'packages'));
    progress('the image: making a disk of it');
    const unfinished = `${image}.new`;
    await makeDisk(root, unfinished, diskBytes);
    await rm(root, { recursive: true });
    await finishIn(unfinished, progress);
    await rename(unfinished, image);
    return image;
  } finally {
    await release();
  }
}
