/**
 * `npm run metal`: the agent on a whole machine, a Debian 12 in QEMU: package, doctor, enrolment, a campaign of real
 * crashes and reboots with nobody at hand, reports at a survey on this host, removal. Prints what happened, and exits with
 * 1 where something is not as it should be. Takes about half an hour; `npm test` runs a sample.
 *
 *   --trials N       how many trials the campaign has (6)
 *   --power-cuts N   also kills the machine at N random instants of a campaign
 *   --broken         also runs machines that are broken in seven ways
 *   --only PART      campaign, power-cuts or broken; several times
 *   --seed N         of the random instants; printed, so that a run can be repeated
 *   --write          writes docs/metal.md
 */
import { randomInt } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildDeb } from '../../agent/build/deb.ts';
import { dataDir, packageDir } from '../../agent/paths.ts';
import { describeHost } from '../bench/host.ts';
import { runMain } from '../main.ts';
import { stamped } from '../progress.ts';
import { ensureImage } from './image/image.ts';
import { type Findings, isGood, page, parts } from './report.ts';
import { brokenMachines } from './story/broken.ts';
import { type BrokenFinding, runBroken } from './story/broken-machine.ts';
import { campaignStory, setUp } from './story/campaign.ts';
import { makeMachine, packagePath, powerOff, removeMachine, withGuest } from './story/machine.ts';
import { powerCuts } from './story/power-cuts.ts';
import { beginStory } from './story/steps.ts';
import { startSurvey } from './story/survey.ts';

/** mulberry32: the same seed gives the same instants. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      trials: { type: 'string', default: '6' },
      'power-cuts': { type: 'string', default: '0' },
      broken: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: ['campaign', 'power-cuts', 'broken'] },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      write: { type: 'boolean', default: false },
    },
  });
  const say = stamped(false);
  const dir = join(dataDir(), 'guests');
  const work = join(dir, 'work');
  await mkdir(work, { recursive: true });
  const image = await ensureImage(dir, say);
  say('building the Debian package');
  const deb = await buildDeb(work, Math.floor(Date.now() / 1000));
  const survey = await startSurvey(join(work, `survey-${Date.now()}`));
  const files = [{ from: deb, to: packagePath }];
  const [cutCount, isWanted] = [Number(values['power-cuts']), (part: string) => values.only.includes(part)];
  let campaign: Findings['campaign'] = null;
  let cuts: Findings['powerCuts'] = null;
  let broken: Findings['broken'] = null;
  try {
    if (isWanted('campaign')) {
      const disk = await makeMachine(image, work, 'volunteer', files);
      campaign = await withGuest({ disk }, (guest) =>
        campaignStory(guest, survey, Number(values.trials), say),
      );
      await removeMachine(disk);
    }
    if (cutCount > 0 || values.broken) {
      const ready = await makeMachine(image, work, 'ready', files);
      await withGuest({ disk: ready }, async (guest) => {
        await setUp(guest, survey, beginStory(say));
        await powerOff(guest);
      });
      if (cutCount > 0 && isWanted('power-cuts')) {
        const disk = await makeMachine(ready, work, 'cut', []);
        say(`power cuts: seed ${values.seed}`);
        cuts = await powerCuts(disk, survey, cutCount, randomFrom(Number(values.seed)), say);
        await removeMachine(disk);
      }
      if (values.broken && isWanted('broken')) {
        const found: BrokenFinding[] = [];
        for (const [i, machine] of brokenMachines.entries()) {
          const disk = await makeMachine(ready, work, `broken-${i}`, []);
          found.push(await runBroken(machine, disk, survey, say));
          await removeMachine(disk);
        }
        broken = found;
      }
      await removeMachine(ready);
    }
  } finally {
    await survey.stop();
  }
  const findings: Findings = { campaign, powerCuts: cuts, broken };
  console.log(`\n${parts(findings).join('\n\n')}`);
  if (values.write) await writeFile(join(packageDir, 'docs/metal.md'), page(await describeHost(), findings));
  await rm(work, { recursive: true, force: true });
  return isGood(findings) ? 0 : 1;
}

await runMain(main);
