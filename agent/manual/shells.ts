/** The shells that `dumpsurvey completion` knows. */
import type { NamedCommand } from '../command.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

export interface Shell {
  readonly completion: (commands: readonly NamedCommand[]) => string;
  /** Where the shell looks for it, below the data directory of a prefix, such as /usr/share; of the system's own packages. */
  readonly packaged: string;
  /** The same of what an administrator installs, below /usr/local/share. */
  readonly local: string;
}

export const shells = {
  bash: {
    completion: bashCompletion,
    packaged: 'bash-completion/completions/dumpsurvey',
    local: 'bash-completion/completions/dumpsurvey',
  },
  zsh: {
    completion: zshCompletion,
    packaged: 'zsh/vendor-completions/_dumpsurvey',
    local: 'zsh/site-functions/_dumpsurvey',
  },
  fish: {
    completion: fishCompletion,
    packaged: 'fish/vendor_completions.d/dumpsurvey.fish',
    local: 'fish/vendor_completions.d/dumpsurvey.fish',
  },
} as const satisfies Readonly<Record<string, Shell>>;

export type ShellName = keyof typeof shells;
