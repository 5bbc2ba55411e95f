/**
 * The story of one volunteer's machine: the package is installed, the doctor's advice followed, the machine enrolled; a
 * campaign crashes it again and again with nobody at hand; all reports arrive; the package is removed.
 */
import { gunzipSync } from 'node:zlib';
import { scenarioId } from '../../../schema/scenario.ts';
import type { DebianGuest } from '../guest/guest.ts';
import { differences, listFiles, whoseIs } from './files.ts';
import { reboot } from './machine.ts';
import { beginCampaign, cure, install, makeHurry, uninstall } from './owner.ts';
import { beginStory, type Step, type Story } from './steps.ts';
import type { Survey, SurveyTrial } from './survey.ts';
import { waitFor } from './wait.ts';

export interface TrialRow {
  readonly scenario: string;
  readonly result: string;
  readonly reached: string;
  readonly verdict: string;
  readonly recovery: string;
  readonly tookS: number;
}

/** A trial as a row of the table. Pure. */
export function trialRow({ ticket, isArmed, reports }: SurveyTrial): TrialRow {
  const [last] = reports.slice(-1);
  const scenario = `${scenarioId(ticket.scenario)}${ticket.control ? ' (control)' : ''}`;
  if (last === undefined) {
    const result = isArmed ? 'armed, no report yet' : 'not armed';
    return { scenario, result, reached: '', verdict: '', recovery: '', tookS: 0 };
  }
  const { outcome } = last.row;
  const { proven, excluded } = outcome.reached;
  return {
    scenario,
    result: outcome.result,
    reached: excluded === null ? `${proven}` : `${proven}, not ${excluded}`,
    verdict: outcome.verdict ?? '',
    recovery: outcome.recovery,
    tookS: Math.round(last.evidence.duration_ms / 1000),
  };
}

/** One trial takes about a minute alone. */
const perTrialMs = 600_000;

/** Waits until so many trials that are no controls have a report. */
export async function reported(guest: DebianGuest, survey: Survey, count: number): Promise<SurveyTrial[]> {
  return waitFor(guest, `${count} reports`, count * perTrialMs, async () => {
    const trials = await survey.trials();
    const done = trials.filter(({ ticket, reports }) => !ticket.control && reports.length > 0);
    return done.length >= count ? trials : null;
  });
}

/** Every file of the guest. The list is packed: it has megabytes, and goes over a serial line. */
async function filesOf(guest: DebianGuest): Promise<string> {
  const packed = await guest.must(`${listFiles} | gzip | base64 -w 0`, 900_000);
  return gunzipSync(Buffer.from(packed, 'base64')).toString();
}

/** Takes the steps up to a machine that is ready for a campaign. Gives the commands that the doctor had its owner run. */
export async function setUp(guest: DebianGuest, survey: Survey, story: Story): Promise<string[]> {
  let advised: string[] = [];
  await story.step('install the package, mark the machine as spare', async () => {
    const said = await install(guest, survey.guestUrl);
    return said.trim().split('\n').at(-1) ?? '';
  });
  await story.step(
    'enroll',
    async () => (await guest.must(`dumpsurvey enroll --url ${survey.guestUrl}`)).trim().split('\n')[0] ?? '',
  );
  await story.step('doctor, and follow its advice', async () => {
    const { rounds, commands } = await cure(guest);
    advised = commands;
    const found = rounds.map((checks) => checks.map(({ id }) => id).join(', ')).join('; then ');
    return found === '' ? 'all well' : `${found}; all well after ${commands.length} commands`;
  });
  return advised;
}

/** Runs the whole story on a guest that is up. */
export async function campaignStory(
  guest: DebianGuest,
  survey: Survey,
  trials: number,
  say: (line: string) => void,
): Promise<{ readonly steps: readonly Step[]; readonly rows: readonly TrialRow[] }> {
  const story = beginStory(say);
  let rows: readonly TrialRow[] = [];
  await makeHurry(guest);
  const before = await filesOf(guest);
  const advised = await setUp(guest, survey, story);
  await story.step(`a campaign of ${trials} trials, unattended`, async () => {
    const boots = guest.boots.length;
    const said = await beginCampaign(guest, trials);
    if (said !== null) throw new Error(`the machine did not crash: ${said}`);
    const all = await reported(guest, survey, trials);
    rows = all.map(trialRow);
    const doubled = all.filter(({ reports }) => reports.length > 1);
    if (doubled.length > 0) throw new Error(`${doubled.length} trials have more than one report`);
    const isControl = ({ ticket }: SurveyTrial) => ticket.control;
    const controls = all.filter((trial) => isControl(trial) && trial.reports.length > 0);
    const isFalse = ({ reports }: SurveyTrial) =>
      reports.some(({ row }) => row.outcome.result === 'captured');
    if (controls.some(isFalse)) throw new Error('a control trial was reported as captured');
    return `${rows.length} reports, ${controls.length} of them of control trials, ${guest.boots.length - boots} starts`;
  });
  await story.step('uninstall and purge', async () => {
    await uninstall(guest);
    await reboot(guest);
    const left = whoseIs(differences(before, await filesOf(guest)), advised);
    const { length: dumps } = left.dumps.filter(({ path }) => path.includes('/dump.'));
    if (left.others.length > 0)
      story.fault(
        'the machine is left as it was',
        left.others.map(({ path, change }) => `${change}: ${path}`).join(', '),
      );
    return `left are ${left.others.length} files of the package, ${dumps} dumps, and ${left.advised.length} files that the owner changed on the doctor's advice`;
  });
  return { steps: story.steps, rows };
}
