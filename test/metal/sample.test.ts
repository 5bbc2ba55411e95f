/**
 * The short version of `npm run metal`: a whole Debian is given the package, cured as its doctor says, crashed once, comes back
 * by itself, reports, and is left as it was.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildDeb } from '../../agent/build/deb.ts';
import { dataDir } from '../../agent/paths.ts';
import { endServers } from '../http/spawn.ts';
import { ensureImage } from './image/image.ts';
import { campaignStory } from './story/campaign.ts';
import { makeMachine, packagePath, withGuest } from './story/machine.ts';
import { startSurvey } from './story/survey.ts';

const guests = join(dataDir(), 'guests');
let image = '';
let work = '';

beforeAll(async () => {
  image = await ensureImage(guests, console.log);
  work = mkdtempSync(join(guests, 'sample-'));
});
afterAll(() => {
  endServers();
  if (work !== '') rmSync(work, { recursive: true, force: true });
});

it('a spare machine is crashed, comes back, reports, and is left as it was', {
  timeout: 1_500_000,
}, async () => {
  const survey = await startSurvey(join(work, 'survey'));
  const deb = await buildDeb(work, 0);
  const disk = await makeMachine(image, work, 'volunteer', [{ from: deb, to: packagePath }]);
  const { steps, rows } = await withGuest({ disk }, (guest) => campaignStory(guest, survey, 1, console.log));
  expect(rows).toMatchObject([
    {
      scenario: 'direct/panic/idle/distribution',
      result: 'captured',
      reached: 'dump_written',
      verdict: 'verified',
      recovery: 'self',
    },
  ]);
  expect(steps.filter(({ isGood }) => !isGood)).toEqual([]);
  expect(steps.at(-1)?.result).toMatch(/^left are 0 files of the package/);
  await survey.stop();
});
