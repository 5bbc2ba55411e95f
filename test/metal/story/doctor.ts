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
/** What a person is told in words, or has to fill in, is no command. */
const isCommand = (line: string) => !/^[A-Z]/.test(line) && !/\b(URL|DIRECTORY)\b/.test(line);

/**
 * Runs the fixes of all checks that are not as they should be; a reboot comes last, once. One that fails is no reason to stop: it
 * may need the reboot, and the doctor is asked again. Gives what was run, those that failed with what they said.
 */
export async function followAdvice(guest: DebianGuest, checks: readonly Check[]): Promise<string[]> {
  const commands = [...new Set(checks.filter(isToDo).flatMap(({ fix }) => fix))].filter(isCommand);
  const ran: string[] = [];
  for (const command of commands.filter((line) => !isReboot(line))) {
    const { status, output } = await guest.run(command, 600_000);
    ran.push(status === 0 ? command : `${command} (failed: ${output.trim().split('\n').at(-1)})`);
  }
  if (commands.some(isReboot)) {
    await reboot(guest);
    ran.push('reboot');
  }
  return ran;
}
