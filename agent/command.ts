/** What a command of the command line is. */
import type { ExitStatus } from './exit.ts';

export interface CommandOption {
  readonly type: 'string' | 'boolean';
  /** What the value is, in capitals, as the help shows it. */
  readonly value?: string;
  readonly help: string;
  /** The words that it takes, where there are few: completion offers them. */
  readonly choices?: readonly string[];
  /** Whether it may be given several times. */
  readonly multiple?: true;
}

export type OptionValue = string | boolean | undefined;
export type OptionValues = Readonly<Record<string, OptionValue | OptionValue[]>>;

/** The one word that a command takes besides its options. */
export interface CommandArgument {
  /** What it is, in capitals, as the help shows it. */
  readonly value: string;
  readonly help: string;
  /** The words that it takes, where there are few: completion offers them. */
  readonly choices?: readonly string[];
}

/** A row of the table of commands. */
export interface CommandEntry {
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** A command with its row. */
export type NamedCommand = Command & Omit<CommandEntry, 'load'>;

/** What a command is; its module is loaded when it is used. */
export interface Command {
  readonly description: string;
  readonly argument?: CommandArgument;
  readonly options: Readonly<Record<string, CommandOption>>;
  readonly examples: readonly string[];
  /** What an exit status means here, where there is more to say than for all commands. */
  readonly exits?: Readonly<Partial<Record<ExitStatus, string>>>;
  /** What it needs but for --dry-run: then it is refused without, with the command that has it. */
  readonly needs?: 'root';
  /** Gives the exit status. `argument` is null where the command takes none, or was given none. */
  readonly run: (values: OptionValues, argument: string | null) => Promise<number>;
}

/** The options that name the survey. */
export const surveyOptions = {
  url: {
    type: 'string',
    value: 'URL',
    help: 'the survey (DUMPSURVEY_URL, else that of the installation, else http://127.0.0.1:8787)',
  },
  'log-key': {
    type: 'string',
    value: 'VKEY',
    help: "its log's verifier key (DUMPSURVEY_LOG_KEY, else what it says at first is believed)",
  },
} as const satisfies Record<string, CommandOption>;

/** The options that name key files. */
export const keyOptions = {
  key: { type: 'string', value: 'FILE', help: "the machine's key (keys/machine.key in the data directory)" },
  'owner-key': {
    type: 'string',
    value: 'FILE',
    help: "the owner's key (keys/owner.key in the data directory)",
  },
} as const satisfies Record<string, CommandOption>;

/** The option that shows what would be sent. */
export const dryRunOption = {
  'dry-run': { type: 'boolean', help: 'prints the exact bytes that would be sent, and sends nothing' },
} as const satisfies Record<string, CommandOption>;

/** The option for output that programs read. */
export const jsonOption = {
  json: { type: 'boolean', help: 'prints JSON' },
} as const satisfies Record<string, CommandOption>;

/** A text option's value, or null. */
export function text(values: OptionValues, name: string): string | null {
  const value = values[name];
  return typeof value === 'string' ? value : null;
}
