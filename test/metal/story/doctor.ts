/** Follows the doctor's advice, as a patient owner would: every command of it, in its order. */
import * as z from 'zod';
import type { DebianGuest } from '../guest/guest.ts';
import { reboot } from './machine.ts';

const findings = z.object({
  checks: z.array(
    z.object({
      id: z.string(),
      state: z.enum(['ok', 'warning', 'failed', 'unknown']),
      meaning: z.string(),
      fix: z.array(z.string()),
    }),
  ),
});
export type Check = z.infer<typeof findings>['checks'][number];

/** What the doctor says. */
export async function askDoctor(guest: DebianGuest): Promise<readonly Check[]> {
  const { output, status } = await guest.run('dumpsurvey doctor --json');
  if (status !== 0 && status !== 3) throw new Error(`doctor ended with ${status}: ${output}`);
  return findings.parse(JSON.parse(output)).checks;
}

export const isToDo = ({ state }: Check): boolean => state !== 'ok';

const isReboot = (command: string) => /^(sudo )?(systemctl )?reboot\b/.test(command);

/** Runs the fixes of all checks that are not as they should be; where one says to reboot, that comes last, once. Gives what was run. */
export async function followAdvice(guest: DebianGuest, checks: readonly Check[]): Promise<string[]> {
  const commands = [...new Set(checks.filter(isToDo).flatMap(({ fix }) => fix))];
  const now = commands.filter((command) => !isReboot(command));
  for (const command of now) await guest.must(command, 600_000);
  if (now.length < commands.length) await reboot(guest);
  return commands;
}
