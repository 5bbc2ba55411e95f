/**
 * `npm run metal`: the agent on a whole machine, a Debian 12 in QEMU: package, doctor, enrolment, a campaign of real
 * crashes and reboots with nobody at hand, reports at a survey on this host, removal. Prints what happened, and exits with
 * 1 where something is not as it should be. Takes an hour and more; `npm test` runs the sample beside this.
 *
 *   --trials N       how many trials the campaign has (6)
 *   --power-cuts N   also kills the machine at N random instants of a campaign
 *   --broken         also runs machines that are broken, each in a way of its own
 *   --only PART      campaign, power-cuts or broken; several times
 *   --seed N         of the random instants; printed, so that a run can be repeated
 *   --resume         keeps what earlier runs found of the parts, and the broken machines, that are not run now; the page
 *                    says which run each is of
 *   --write          writes docs/metal.md
 */
import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildDeb } from '../../agent/build/deb.ts';
import { dataDir, packageDir } from '../../agent/paths.ts';
import { run } from '../../agent/run.ts';
import { describeHost } from '../bench/host.ts';
import { runMain } from '../main.ts';
import { stamped } from '../progress.ts';
import { ensureImage } from './image/image.ts';
import { type Findings, type Found, isGood, page, parts } from './report.ts';
import { type BrokenMachine, brokenMachines } from './story/broken.ts';
import { type BrokenFinding, runBroken } from './story/broken-machine.ts';
import { campaignStory } from './story/campaign.ts';
import { makeMachine, packagePath, removeMachine, withGuest } from './story/machine.ts';
import { powerCuts } from './story/power-cuts.ts';
import { ensureReady } from './story/ready.ts';
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

const nothingFound: Findings = { campaign: null, powerCuts: null, broken: null };

/** What the last run found. */
async function readFindings(path: string): Promise<Findings> {
  const text = await readFile(path, 'utf8').catch(() => '{}');
  return { ...nothingFound, ...(JSON.parse(text) as Partial<Findings>) };
}

/** Which run this is: its date, the commit, and how busy the host is. */
async function describeRun(): Promise<string> {
  const commit = await run(['git', '-C', packageDir, 'describe', '--always', '--dirty']).catch(
    () => 'unknown',
  );
  const date = new Date().toISOString().slice(0, 10);
  return `${date}, commit ${commit.trim()}, load average ${loadavg()[0]?.toFixed(2)} when it began`;
}

/** A broken machine whose story could not be told to its end is no reason not to try the others. */
function unfinished({ name }: BrokenMachine, { message }: Error): BrokenFinding {
  return { name, told: 'nothing to the end', next: 'not known', faults: [message] };
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      trials: { type: 'string', default: '6' },
      'power-cuts': { type: 'string', default: '0' },
      broken: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: ['campaign', 'power-cuts', 'broken'] },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      resume: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  });
  const say = stamped(false);
  const dir = join(dataDir(), 'guests');
  await mkdir(dir, { recursive: true });
  const work = await mkdtemp(join(dir, 'work-'));
  say('building the Debian package');
  const deb = await buildDeb(work, 0);
  const survey = await startSurvey(join(work, 'survey'));
  /** A machine whose package was installed while its image was made. */
  const ready = async () => ensureReady(await ensureImage(dir, say, deb), survey, say);
  const isWanted = (part: string) => values.only.includes(part);
  const cutCount = Number(values['power-cuts']);
  const path = join(dataDir(), 'metal-findings.json');
  let findings: Findings = values.resume ? await readFindings(path) : nothingFound;
  const thisRun = await describeRun();
  const of = <T>(found: T): Found<T> => ({ run: thisRun, found });
  const found = async (part: Partial<Findings>) => {
    // Another run may have found something of another part meanwhile.
    findings = { ...(values.resume ? await readFindings(path) : findings), ...part };
    await writeFile(path, JSON.stringify(findings));
  };
  try {
    if (isWanted('campaign')) {
      const image = await ensureImage(dir, say);
      const disk = await makeMachine(image, work, 'volunteer', [{ from: deb, to: packagePath }]);
      // Many more control trials than usual: so that a short campaign has some.
      const own = await startSurvey(join(work, 'survey-campaign'), { DUMPSURVEY_CONTROL_SHARE: '0.3' });
      const campaign = await withGuest({ disk }, (guest) =>
        campaignStory(guest, own, Number(values.trials), say),
      ).finally(own.stop);
      await found({ campaign: of(campaign) });
    }
    if (cutCount > 0 && isWanted('power-cuts')) {
      const disk = await makeMachine(await ready(), work, 'cut', []);
      say(`power cuts: seed ${values.seed}`);
      const random = randomFrom(Number(values.seed));
      await found({ powerCuts: of(await powerCuts(disk, survey, cutCount, random, say)) });
    }
    if (values.broken && isWanted('broken')) {
      const whole = await ready();
      const kept = (findings.broken ?? []).filter(({ found: { faults } }) => faults.length === 0);
      const open = brokenMachines.filter(({ name }) => !kept.some((k) => k.found.name === name));
      const broken: Found<BrokenFinding>[] = [...kept];
      for (const [i, machine] of open.entries()) {
        const disk = await makeMachine(whole, work, `broken-${i}`, []);
        const finding = runBroken(machine, disk, survey, say).catch((error: Error) =>
          unfinished(machine, error),
        );
        broken.push(of(await finding));
        await found({ broken });
        await removeMachine(disk);
      }
    }
  } finally {
    await survey.stop();
  }
  console.log(`\n${parts(findings).join('\n\n')}`);
  if (values.write) await writeFile(join(packageDir, 'docs/metal.md'), page(await describeHost(), findings));
  await rm(work, { recursive: true, force: true });
  return isGood(findings) ? 0 : 1;
}

await runMain(main);
