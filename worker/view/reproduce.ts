/** The command that repeats a trial in the lab. */
import { scenarioId } from '../../schema/scenario.ts';
import type { ScenarioFields } from '../../schema/wire.ts';

/** What a row of the machine catalogue may be called. Nothing else goes into a line that people paste into a shell. */
const machineName = /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,79}$/;

/**
 * `npx dumpsurvey lab --machine … --scenario … --set …`, or null where there is nothing to repeat: on a real
 * machine, or where the name could mean something to a shell.
 */
export function reproduceCommand(labMachine: string | null, scenario: ScenarioFields): string | null {
  if (labMachine === null || !machineName.test(labMachine)) return null;
  return `npx dumpsurvey lab --machine ${labMachine} --scenario ${scenarioId(scenario)} --set ${scenario.set}`;
}
