/** A machine that is set up: cured, enrolled, and switched off. Made once for each image. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeMachine, powerOff, withGuest } from './machine.ts';
import { cure, declareSpare, makeHurry } from './owner.ts';
import type { Survey } from './survey.ts';

/** Its disk, beside the image, which has the package. `becomeAnother` makes a machine of its own of each copy. */
export async function ensureReady(
  image: string,
  survey: Survey,
  say: (line: string) => void,
): Promise<string> {
  const dir = dirname(image);
  const digest = createHash('sha256').update(basename(image)).digest('hex').slice(0, 16);
  const path = join(dir, `ready-${digest}.img`);
  if (existsSync(path)) return path;
  for (const old of await readdir(dir)) if (old.startsWith('ready-')) await rm(join(dir, old));
  say('setting up a machine for what follows');
  const disk = await makeMachine(image, dir, 'unready', []);
  await withGuest({ disk }, async (guest) => {
    await makeHurry(guest);
    await declareSpare(guest, survey.guestUrl);
    await guest.must(`dumpsurvey enroll --url ${survey.guestUrl}`);
    await cure(guest);
    await powerOff(guest);
  });
  await rename(disk, path);
  return path;
}
