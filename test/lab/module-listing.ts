/** What the crash module lists on a machine, and what comes of arming what it says is unavailable. */
import type { LabMachineName } from '../../agent/lab/machines.ts';
import type { Lab } from '../../agent/lab/provision.ts';
import type { CrashPoint } from '../../schema/crash-point.ts';
import { guestNonce } from './corpus.ts';
import { exercise } from './exercise.ts';
import { type Health, harmless, healthOf, load, readLog } from './module-health.ts';
import { refusalIn } from './refusals.ts';

/** A point or a type, as the module lists it. */
export interface Listed {
  readonly name: string;
  readonly description: string;
  /** The key that arming it needs. */
  readonly needs: string | null;
  /** Why the running kernel cannot offer it. */
  readonly unavailable: string | null;
}

function listed(lines: readonly string[], heading: string): Listed[] {
  const from = lines.indexOf(`${heading}:`) + 1;
  const length = lines.slice(from).findIndex((line) => !line.startsWith('  '));
  return lines.slice(from, length < 0 ? undefined : from + length).map((line) => {
    const [, name = '', description = '', needs = null, unavailable = null] =
      /^ {2}(\S+) +(.*?)(?:; needs (\S+?))?(?:; unavailable: (.*))?$/.exec(line) ?? [];
    return { name, description, needs, unavailable };
  });
}

export interface ListingReport {
  /** The whole text of the control file, by lines. */
  readonly control: readonly string[];
  readonly points: readonly Listed[];
  readonly types: readonly Listed[];
  /** Of each unavailable point, the reason for which arming it was refused; null where it was not. */
  readonly refused: Readonly<Record<string, string | null>>;
  /** The state after these refusals. */
  readonly state: string;
  readonly health: Health;
}

/** Boots a machine, reads its control file, and tries to arm every point that is unavailable there. */
export function listModule(lab: Lab, machine: LabMachineName): Promise<ListingReport> {
  return exercise(lab, machine, { withinMs: 180_000 }, async (guest) => {
    const { sh, must } = guest;
    const arming = await harmless(guest);
    await must(load);
    const control = await must('cat $control');
    const points = listed(control, 'points');
    await must(`order plant nonce=${guestNonce}`);
    const refused: Record<string, string | null> = {};
    for (const { name } of points.filter(({ unavailable }) => unavailable !== null)) {
      const { status } = await sh(`order arm nonce=${guestNonce} ${arming(name as CrashPoint)} 2>/dev/null`);
      const log = await must(readLog);
      refused[name] = status === 0 ? null : refusalIn(log.at(-1) ?? '');
    }
    const [state = ''] = await must('cat $control');
    await must('rmmod crashpoint');
    return {
      control,
      points,
      types: listed(control, 'types'),
      refused,
      state,
      health: await healthOf(guest),
    };
  });
}
