/** What an owner does with the package on his spare machine. */
import { type DebianGuest, GuestGone } from '../guest/guest.ts';
import { askDoctor, type Check, followAdvice, isToDo } from './doctor.ts';
import { packagePath } from './machine.ts';

/** The unit looks at once after a start, and not only after minutes: so that a campaign takes an hour, not a day. */
const hurry = `mkdir -p /etc/systemd/system/dumpsurvey.timer.d
cat > /etc/systemd/system/dumpsurvey.timer.d/hurry.conf <<'END'
[Timer]
# An empty value forgets every time of the timer, whatever its name.
OnBootSec=
OnBootSec=2s
OnUnitInactiveSec=15s
AccuracySec=1s
END
sync`;

/** Makes the machine one whose agent is not to wait. */
export async function makeHurry(guest: DebianGuest): Promise<void> {
  await guest.must(hurry);
}

/** Installs the package as apt would, its dependencies being there, and marks the machine as spare. Gives what was printed. */
export async function install(guest: DebianGuest, url: string): Promise<string> {
  await guest.must(`dpkg -i ${packagePath}`, 900_000);
  return declareSpare(guest, url);
}

/** Marks a machine that has the package as spare. Gives what was printed. */
export async function declareSpare(guest: DebianGuest, url: string): Promise<string> {
  return guest.must(
    `dumpsurvey install --spare-machine --url ${url} --scratch /var/crash --trials-per-day 100`,
    600_000,
  );
}

/** Makes a machine that is set up another one: with keys of its own, and at another survey. Gives the name of its key. */
export async function becomeAnother(guest: DebianGuest, url: string): Promise<string> {
  await guest.must('rm -rf /var/lib/dumpsurvey/keys /var/lib/dumpsurvey/surveys');
  await guest.must(`dumpsurvey install --spare-machine --url ${url}`);
  const { machine } = JSON.parse(await guest.must(`dumpsurvey enroll --json --url ${url}; sync`)) as {
    machine: string;
  };
  return machine;
}

/** Asks the doctor and follows it until nothing is to do, three times at most. Gives what was advised each time. */
export async function cure(guest: DebianGuest): Promise<{ rounds: readonly Check[][]; commands: string[] }> {
  const rounds: Check[][] = [];
  const commands: string[] = [];
  for (;;) {
    const sick = (await askDoctor(guest)).filter(isToDo);
    if (sick.length === 0) return { rounds, commands };
    rounds.push(sick);
    const left = sick.map(({ id, meaning }) => `${id}: ${meaning}`).join('; ');
    if (rounds.length > 3) throw new Error(`the doctor is not content with what it advised: ${left}`);
    commands.push(...(await followAdvice(guest, sick)));
  }
}

/** Begins a campaign by hand, as an owner does; the first crash ends the command. Gives what it printed where it did not crash. */
export async function beginCampaign(guest: DebianGuest, trials: number): Promise<string | null> {
  try {
    return (await guest.run(`dumpsurvey run --trials ${trials}`, 900_000)).output;
  } catch (error) {
    if (error instanceof GuestGone) return null;
    throw error;
  }
}

/** Takes everything away again. */
export async function uninstall(guest: DebianGuest): Promise<string> {
  const said = await guest.must('dumpsurvey uninstall --yes', 600_000);
  await guest.must('dpkg --purge dumpsurvey', 600_000);
  return said;
}
