/** A volunteer's machine of the stories: a copy of the image with the package on its disk. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DebianGuest, GuestGone, type GuestOptions, startDebian } from '../guest/guest.ts';
import { copyDisk, putFiles } from '../image/disk.ts';

/** A start under software emulation takes 30 s to 60 s alone, and longer beside another guest. */
export const startWithinMs = 400_000;
export const packagePath = '/root/dumpsurvey.deb';

/** Makes a machine's disk in `dir` from an image. `files` are put on it beside the package. */
export async function makeMachine(
  image: string,
  dir: string,
  name: string,
  files: readonly { from: string; to: string }[],
): Promise<string> {
  await mkdir(dir, { recursive: true });
  const disk = join(dir, `${name}.img`);
  await copyDisk(image, disk);
  if (files.length > 0) await putFiles(disk, files);
  return disk;
}

/** Switches a machine on, hands it to `body`, and off again, however that ends. The disk stays. */
export async function withGuest<T>(
  options: GuestOptions,
  body: (guest: DebianGuest) => Promise<T>,
): Promise<T> {
  const guest = startDebian(options);
  try {
    await guest.booted(1, startWithinMs);
    return await body(guest);
  } finally {
    await guest.cut();
  }
}

/** Has the guest shut down in order. */
export async function powerOff(guest: DebianGuest): Promise<void> {
  await guest.run('systemctl poweroff').catch((error: unknown) => {
    if (!(error instanceof GuestGone)) throw error;
  });
  await guest.ended;
}

/** Has the guest reboot in order, as its owner would, and waits until it is back. */
export async function reboot(guest: DebianGuest): Promise<void> {
  const boot = guest.boots.length + 1;
  await guest.run('systemctl reboot').catch((error: unknown) => {
    if (!(error instanceof GuestGone)) throw error;
  });
  await guest.booted(boot, startWithinMs);
}

/** Removes a machine. */
export async function removeMachine(disk: string): Promise<void> {
  await rm(disk, { force: true });
}
