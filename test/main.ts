/** The rim of a command of the tests: confined like the lab, and what a person can mend is said without a stack trace. */
import { Advice } from '../agent/advice.ts';
import { confine } from '../agent/lab/confine.ts';

/** Runs `main` and takes the exit status from it; 3 where the host lacks something. */
export async function runMain(main: () => Promise<number>): Promise<void> {
  confine();
  try {
    process.exitCode = await main();
  } catch (error) {
    if (!(error instanceof Advice)) throw error;
    console.error(error.message);
    process.exitCode = 3;
  }
}
