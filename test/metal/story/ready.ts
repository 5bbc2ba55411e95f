/** A machine that is set up: installed, cured, enrolled, and switched off. Made once for each image and package. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setUp } from './campaign.ts';
import { makeMachine, packagePath, powerOff, withGuest } from './machine.ts';
import { makeHurry } from './owner.ts';
import { beginStory } from './steps.ts';
import type { Survey } from './survey.ts';

/** Its disk, beside the image. `becomeAnother` makes a machine of its own of each copy. */
export async function ensureReady(
  image: string,
  deb: string,
  survey: Survey,
  say: (line: string) => void,
): Promise<string> {
  const dir = dirname(image);
  const hash = createHash('sha256')
    .update(basename(image))
    .update(await readFile(deb));
  const path = join(dir, `ready-${hash.digest('hex').slice(0, 16)}.img`);
  if (existsSync(path)) return path;
  for (const old of await readdir(dir)) if (old.startsWith('ready-')) await rm(join(dir, old));
  say('setting up a machine for what follows');
  const disk = await makeMachine(image, dir, 'unready', [{ from: deb, to: packagePath }]);
  await withGuest({ disk }, async (guest) => {
    await makeHurry(guest);
    await setUp(guest, survey, beginStory(say));
    await powerOff(guest);
  });
  await rename(disk, path);
  return path;
}
