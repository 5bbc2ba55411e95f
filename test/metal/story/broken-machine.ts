/** Breaks one machine, runs its trial, and says what came of it. */

import { randomBytes } from 'node:crypto';
import { itemAt, type MetalCampaign } from '../../../agent/metal/campaign.ts';
import type { Outcome } from '../../../schema/outcome.ts';
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
function inWords(outcome: Outcome | null): string {
  if (outcome === null) return 'nothing: no trial was run';
  const { result, reached, verdict, recovery, cause } = outcome;
  const interval = `reached ${reached.proven ?? '?'}${reached.excluded === null ? '' : `, not ${reached.excluded}`}`;
  return [
    result,
    interval,
    ...(verdict ? [verdict] : []),
    `recovery ${recovery}`,
    ...(cause ? [`cause ${cause}`] : []),
  ].join('; ');
}

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
  const ending = await withGuest({ disk }, async (guest): Promise<Ending> => {
    const key = await becomeAnother(guest, survey.guestUrl);
    for (const command of machine.commands) await guest.must(command, 300_000);
    const trials = machine.second === undefined ? 1 : 2;
    if (machine.second !== undefined) {
      const campaign = JSON.stringify(campaignWith(machine.second));
      await guest.must(`touch ${state}/journal.jsonl; echo '${campaign}' > ${state}/campaign.json; sync`);
    }
    const mine = async () => (await survey.trials()).filter(({ ticket }) => ticket.machine === key);
    const said = await beginCampaign(guest, trials);
    if (said !== null) say(`${machine.name}: ${said.trim()}`);
    if (machine.until === 'report')
      await waitFor(guest, `${trials} reports`, trials * 2 * startWithinMs, async () => {
        const done = (await mine()).filter(({ reports }) => reports.length > 0);
        return done.length >= trials ? true : null;
      });
    else
      await waitFor(guest, 'the agent stops', 3 * startWithinMs, async () =>
        (await persist(guest, () => nextOf(guest))).startsWith('nothing') ? true : null,
      );
    await guest.run('touch /root/cured');
    const next = await persist(guest, () => nextOf(guest));
    const outcome =
      (await mine())
        .filter(({ reports }) => reports.length > 0)
        .at(-1)
        ?.reports.at(-1)?.row.outcome ?? null;
    return { outcome, next, isUp: true };
  });
  const finding = {
    name: machine.name,
    told: inWords(ending.outcome),
    next: ending.next,
    faults: machine.judge(ending),
  };
  say(
    `${finding.name}: ${finding.told}; ${finding.next}${finding.faults.map((f) => `; NOT AS IT SHOULD BE: ${f}`).join('')}`,
  );
  return finding;
}
