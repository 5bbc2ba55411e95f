/** Breaks one machine, runs its trial, and says what came of it. */

import { randomBytes } from 'node:crypto';
import { truncate, writeFile } from 'node:fs/promises';
import { itemAt, type MetalCampaign } from '../../../agent/metal/campaign.ts';
import { scenarioId } from '../../../schema/scenario.ts';
import { type DebianGuest, GuestGone } from '../guest/guest.ts';
import type { BrokenMachine, Ending } from './broken.ts';
import { startWithinMs, withGuest } from './machine.ts';
import { becomeAnother, beginCampaign } from './owner.ts';
import type { Survey } from './survey.ts';
import { waitFor } from './wait.ts';

export interface BrokenFinding {
  readonly name: string;
  readonly told: string;
  readonly next: string;
  readonly faults: readonly string[];
}

const state = '/var/lib/dumpsurvey/metal';

/** An outcome in a few words. */
function inWords({ outcome, seen }: Ending): string {
  if (outcome === null) return 'nothing: no trial was run';
  const { result, reached, verdict, recovery, cause } = outcome;
  const interval = `reached ${reached.proven ?? '?'}${reached.excluded === null ? '' : `, not ${reached.excluded}`}`;
  return [
    result,
    interval,
    ...(verdict ? [verdict] : []),
    `recovery ${recovery}`,
    ...(cause ? [`cause ${cause}`] : []),
    ...(seen.length > 0 ? [`beacons of ${seen.join(', ')}`] : []),
  ].join('; ');
}

/** A trial takes two starts; a second one waits for the proof of the watchdog before it, and may hang until that comes. */
const reportWithinMs = (trials: number) => 2 * startWithinMs + (trials - 1) * 6 * startWithinMs;

/** Goes on with the guest however often it reboots in between. */
async function persist<T>(guest: DebianGuest, body: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await body();
    } catch (error) {
      if (!(error instanceof GuestGone) || tries === 10) throw error;
      await guest.booted(guest.boots.length + 1, startWithinMs);
    }
  }
}

/** What the agent says that it would do. */
async function nextOf(guest: DebianGuest): Promise<string> {
  const { output } = await guest.run('dumpsurvey run --dry-run --json');
  const { in_words } = JSON.parse(output) as { in_words: string };
  return in_words;
}

const beaconBytes = 2 << 20;

/** An empty disk that the dump does not go to, on a controller of another kind, as QEMU's arguments. */
async function beaconDisk(path: string): Promise<string[]> {
  await writeFile(path, '');
  await truncate(path, beaconBytes);
  return [
    ...['-drive', `file=${path.replaceAll(',', ',,')},format=raw,if=none,id=beacons,cache=unsafe`],
    ...['-device', 'ahci,id=second', '-device', 'ide-hd,drive=beacons,bus=second.0'],
  ];
}

/** A campaign of two trials, begun, in which a scenario comes second. */
function campaignWith(second: string): MetalCampaign {
  const begun = {
    version: 1,
    id: randomBytes(16).toString('hex'),
    set: 'metal/1',
    first_ordinal: 0,
    trials: 2,
    started_at: new Date().toISOString(),
  } as const;
  for (let seed = 0; ; seed++) {
    const campaign: MetalCampaign = { ...begun, seed };
    if (scenarioId(itemAt(campaign, 1).scenario) === second) return campaign;
  }
}

/** Runs a broken machine on a disk that is set up. */
export async function runBroken(
  machine: BrokenMachine,
  disk: string,
  survey: Survey,
  say: (line: string) => void,
): Promise<BrokenFinding> {
  const devices = machine.beacons ? await beaconDisk(`${disk}.beacons`) : [];
  const ending = await withGuest({ disk, devices }, async (guest): Promise<Ending> => {
    const key = await becomeAnother(guest, survey.guestUrl);
    if (machine.beacons) await guest.must('dumpsurvey install --spare-machine --beacon /dev/sda', 600_000);
    for (const command of machine.commands) await guest.must(command, 300_000);
    const trials = machine.second === undefined ? 1 : 2;
    if (machine.second !== undefined) {
      const campaign = JSON.stringify(campaignWith(machine.second));
      await guest.must(`touch ${state}/journal.jsonl; echo '${campaign}' > ${state}/campaign.json; sync`);
    }
    const mine = async () =>
      (await survey.trials()).filter(({ ticket }) => ticket.machine === key && !ticket.control);
    const said = await beginCampaign(guest, trials);
    if (said !== null) say(`${machine.name}: ${said.trim()}`);
    if (machine.until === 'report')
      await waitFor(guest, `${trials} reports`, reportWithinMs(trials), async () => {
        const done = (await mine()).filter(({ reports }) => reports.length > 0);
        return done.length >= trials ? true : null;
      });
    else
      await waitFor(guest, 'the agent stops', 3 * startWithinMs, async () =>
        (await persist(guest, () => nextOf(guest))).startsWith('nothing') ? true : null,
      );
    await guest.run('touch /root/cured');
    const next = await persist(guest, () => nextOf(guest));
    const last = (await mine()).flatMap(({ reports }) => reports.slice(-1)).at(-1);
    const seen = last?.evidence.channel.saw.map(({ stage }) => stage) ?? [];
    return { outcome: last?.row.outcome ?? null, seen, next, isUp: true };
  });
  const finding = {
    name: machine.name,
    told: inWords(ending),
    next: ending.next,
    faults: machine.judge(ending),
  };
  say(
    `${finding.name}: ${finding.told}; ${finding.next}${finding.faults.map((f) => `; NOT AS IT SHOULD BE: ${f}`).join('')}`,
  );
  return finding;
}
