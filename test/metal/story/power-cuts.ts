/**
 * A campaign whose machine loses its power again and again, at random instants. After each cut the file system and the
 * agent's journal are looked at from outside; in the end every trial is held against what the console showed.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type JournalEntry, parseJournal } from '../../../agent/trial/journal.ts';
import { type DebianGuest, GuestGone, startDebian } from '../guest/guest.ts';
import { lookInto } from './dead-disk.ts';
import { startWithinMs } from './machine.ts';
import { becomeAnother } from './owner.ts';
import type { Survey, SurveyTrial } from './survey.ts';
import { type Claimed, faultsOf, type Seen, seenOn, together } from './truth.ts';
import { waitFor } from './wait.ts';

const state = '/var/lib/dumpsurvey/metal';
const journalPath = `${state}/journal.jsonl`;
const stoppedPath = `${state}/stopped.json`;
const settingsPath = `${state}/settings.json`;

/** One cut, and what the disk was like. */
export interface Cut {
  readonly afterMs: number;
  /** The last step of the journal before it. */
  readonly step: string;
  readonly faults: readonly string[];
}

export interface PowerCuts {
  readonly cuts: readonly Cut[];
  readonly trials: number;
  readonly captured: number;
  /** What was lost, doubled or wrong, by nonce. */
  readonly faults: readonly string[];
}

async function entriesOn(disk: string): Promise<{ entries: JournalEntry[]; faults: string[] }> {
  const dead = await lookInto(disk);
  try {
    const faults = dead.faults === '' ? [] : [`the file system: ${dead.faults}`];
    const text = (await dead.read(journalPath)) ?? '';
    try {
      return { entries: parseJournal(text).entries, faults };
    } catch (error) {
      return {
        entries: [],
        faults: [...faults, `the journal: ${error instanceof Error ? error.message : error}`],
      };
    }
  } finally {
    await dead.close();
  }
}

/** What the survey has of the machine whose power is cut; it may know others. */
type Trials = () => Promise<SurveyTrial[]>;

/** Has the campaign begun, up to its first ticket. Gives what ends with the guest. */
async function begin(
  guest: DebianGuest,
  survey: Survey,
): Promise<{ readonly over: Promise<void>; readonly trials: Trials }> {
  await guest.booted(1, startWithinMs);
  const key = await becomeAnother(guest, survey.guestUrl);
  const trials = async () => (await survey.trials()).filter(({ ticket }) => ticket.machine === key);
  const over = guest.run('dumpsurvey run --trials 1000', startWithinMs).then(
    () => {},
    () => {},
  );
  await waitFor(guest, 'the first ticket', startWithinMs, async () =>
    (await trials()).length > 0 ? true : null,
  );
  return { over, trials };
}

/** One whose watchdog has to be proven first, or that hangs until it comes, takes ten times as long as the others. */
const spreadMaxMs = 150_000;

/** How long a trial takes here, from report to report: cuts that are spread over as much meet every part of one. */
async function wholeTrialMs(guest: DebianGuest, trials: Trials): Promise<number> {
  const reported = (count: number) =>
    waitFor(guest, `${count} reports before the first cut`, 2 * startWithinMs, async () => {
      const done = (await trials()).filter(({ reports }) => reports.length > 0);
      return done.length >= count ? performance.now() : null;
    });
  const firstMs = await reported(1);
  return Math.min((await reported(2)) - firstMs, spreadMaxMs);
}

/** What the owner does after a start: where the boot-loop guard has stopped the agent, he lets it go on. Ends with the guest. */
async function letGoOn(guest: DebianGuest): Promise<void> {
  try {
    await guest.booted(1, startWithinMs);
    await guest.run(`test ! -e ${stoppedPath} || dumpsurvey run --again`, startWithinMs);
  } catch {
    // It crashed, as it should, or its power was cut.
  }
}

/** Nothing more is begun; what was begun is finished. Goes on after each crash until it is said. */
async function letFinish(guest: DebianGuest): Promise<void> {
  const spent = `sed -i 's/"trials_per_day": *[0-9]*/"trials_per_day": 1/' ${settingsPath}; rm -f ${stoppedPath}; sync`;
  for (let boot = 1; ; boot++) {
    await guest.booted(boot, startWithinMs);
    try {
      await guest.must(spent);
      return;
    } catch (error) {
      if (!(error instanceof GuestGone)) throw error;
    }
  }
}

/** The nonces that were armed, by a journal's entries. */
function armedIn(entries: readonly JournalEntry[]): Set<string> {
  const tickets = new Map<number, string>();
  const armed = new Set<string>();
  for (const e of entries) {
    if (e.step === 'ticket') tickets.set(e.ordinal, e.ticket.nonce);
    if (e.step === 'arming') armed.add(tickets.get(e.ordinal) ?? '');
  }
  return armed;
}

/**
 * Cuts the power `count` times. `disk` is a machine's that is set up; `random` gives a
 * number from 0 to 1.
 */
export async function powerCuts(
  disk: string,
  survey: Survey,
  count: number,
  random: () => number,
  say: (line: string) => void,
): Promise<PowerCuts> {
  const cuts: Cut[] = [];
  const seen: Seen[] = [];
  let spreadMs = 0;
  let mine: Trials = survey.trials;
  const lines = (guest: DebianGuest) => guest.console.map(({ text }) => text);
  while (cuts.length < count) {
    const from = performance.now();
    const guest = startDebian({ disk });
    // Until the campaign has begun there is nothing to cut.
    const { over, trials } =
      cuts.length === 0 ? await begin(guest, survey) : { over: letGoOn(guest), trials: mine };
    if (cuts.length === 0) {
      mine = trials;
      spreadMs = await wholeTrialMs(guest, mine);
      say(`a trial takes ${Math.round(spreadMs / 1000)} s here: the power is cut within as much`);
    }
    await sleep(random() * spreadMs);
    const afterMs = Math.round(performance.now() - from);
    await guest.cut();
    await over;
    seen.push(seenOn(lines(guest)));
    const { entries, faults } = await entriesOn(disk);
    const step = entries.at(-1)?.step ?? 'nothing';
    cuts.push({ afterMs, step, faults });
    say(
      `cut ${cuts.length} of ${count} after ${Math.round(afterMs / 1000)} s, journal at "${step}"${faults.map((f) => `: ${f}`).join('')}`,
    );
  }
  const guest = startDebian({ disk });
  try {
    await letFinish(guest);
    await waitFor(guest, 'every armed trial is reported', 3 * startWithinMs, async () => {
      const told = await guest.run(`cat ${journalPath}`).catch(() => null);
      if (told === null) return null;
      const armed = armedIn(parseJournal(told.output).entries);
      const trials = await mine();
      const reported = trials.filter(({ reports }) => reports.length > 0).map(({ ticket }) => ticket.nonce);
      return [...armed].every((nonce) => reported.includes(nonce)) ? true : null;
    });
  } finally {
    await guest.cut();
  }
  seen.push(seenOn(lines(guest)));
  const truth = together(seen);
  const { entries } = await entriesOn(disk);
  const armed = armedIn(entries);
  const trials = await mine();
  const claims = trials.map(
    ({ ticket, reports }): Claimed => ({
      nonce: ticket.nonce,
      // By its own journal: a note that was said before the power went does not arm anything.
      isArmed: armed.has(ticket.nonce),
      reports: reports.map(({ row }) => row.outcome),
    }),
  );
  const faults = claims.flatMap((claim) => faultsOf(claim, truth).map((fault) => `${claim.nonce}: ${fault}`));
  const reported = claims.filter(({ reports }) => reports.length > 0);
  return {
    cuts,
    trials: reported.length,
    captured: reported.filter(({ reports }) => reports.some(({ result }) => result === 'captured')).length,
    faults: [...cuts.flatMap((cut) => cut.faults), ...faults],
  };
}
