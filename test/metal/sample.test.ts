/**
 * The short version of `npm run metal`: a whole Debian that has the package is cured as its doctor says, crashed once, comes back
 * by itself, reports, and keeps nothing of the agent when that goes. The package was installed on this processor, while the
 * image was made: on the guest's, which is emulated, that alone takes minutes.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildDeb } from '../../agent/build/deb.ts';
import { dataDir } from '../../agent/paths.ts';
import { endServers } from '../http/spawn.ts';
import { ensureImage } from './image/image.ts';
import { reported, trialRow } from './story/campaign.ts';
import { makeMachine, withGuest } from './story/machine.ts';
import { beginCampaign, cure, declareSpare, makeHurry, uninstall } from './story/owner.ts';
import { startSurvey } from './story/survey.ts';

const guests = join(dataDir(), 'guests');
let image = '';
let work = '';

beforeAll(async () => {
  mkdirSync(guests, { recursive: true });
  work = mkdtempSync(join(guests, 'sample-'));
  image = await ensureImage(guests, console.log, await buildDeb(work, 0));
}, 600_000);
afterAll(() => {
  endServers();
  if (work !== '') rmSync(work, { recursive: true, force: true });
});

it('a spare machine is crashed, comes back, reports, and is rid of the agent', {
  timeout: 1_200_000,
}, async () => {
  const survey = await startSurvey(join(work, 'survey'));
  const disk = await makeMachine(image, work, 'volunteer', []);
  await withGuest({ disk }, async (guest) => {
    await makeHurry(guest);
    await declareSpare(guest, survey.guestUrl);
    await guest.must(`dumpsurvey enroll --url ${survey.guestUrl}`);
    // What a Debian has not that was never meant to crash: the doctor knows, and what it advises is enough.
    const { rounds } = await cure(guest);
    expect(rounds.flat().map(({ id }) => id)).toContain('crash-memory');
    expect(await beginCampaign(guest, 1)).toBeNull();
    expect((await reported(guest, survey, 1)).map(trialRow)).toMatchObject([
      {
        scenario: 'direct/panic/idle/distribution',
        result: 'captured',
        reached: 'dump_written',
        verdict: 'verified',
        recovery: 'self',
      },
    ]);
    await uninstall(guest);
    const named = '\\( -iname "*dumpsurvey*" -o -iname "*crashpoint*" \\)';
    // /root is where this test works, the timer's own directory is its hurry, and the journal has logged that there was a service.
    const left = await guest.must(
      `find / -xdev ${named} -not -path '/root/*' -not -path '/var/log/*' -not -path '*/dumpsurvey.timer.d*'`,
    );
    expect(left.trim()).toBe('');
  });
  await survey.stop();
});
