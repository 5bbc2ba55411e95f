/** `resume`: lets a halted log go on, after the operator has found out why it stopped. */
import { haltedWhy, setHalted } from '../store/lease.ts';
import { type Command, Obstacle } from './command.ts';
import { targetOf, withStore } from './target.ts';

export const resume: Command = {
  name: 'resume',
  summary: 'lets a halted log go on',
  description:
    'The log halts itself where the store is not what was signed: restored from an old backup, or changed. Restore the newest backup first, or find out that a witness is wrong; then let the log go on. It compares again before it signs anything, so a store that is still wrong halts at once.',
  options: { yes: { type: 'boolean', help: 'does it; without it, only says why the log is halted' } },
  examples: ['npm run operator -- resume', 'npm run operator -- resume --yes'],
  run: async (values) => {
    const target = targetOf(values, process.env);
    return withStore(target, async (store) => {
      const why = await haltedWhy(store);
      if (why === null) return { lines: ['The log is not halted.'], json: { halted: null, resumed: false } };
      if (!values.yes) throw new Obstacle(`The log is halted: ${why}\nTo let it go on: resume --yes`);
      await setHalted(store, null);
      return { lines: [`The log goes on. It was halted: ${why}`], json: { halted: why, resumed: true } };
    });
  },
};
