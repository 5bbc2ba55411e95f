/** What a command of the operator's command line is. A command is one row of the table in worker/operator.ts. */

export interface CommandOption {
  readonly type: 'string' | 'boolean';
  /** What the value is, in capitals, as the help shows it. */
  readonly value?: string;
  readonly help: string;
}

export type OptionValues = Readonly<Record<string, string | boolean | undefined>>;

/** What a command has done: in words for a person, and as JSON for a program. */
export interface Outcome {
  readonly lines: readonly string[];
  readonly json: object;
}

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  readonly examples: readonly string[];
  /** Throws Misuse or Obstacle for what a person can mend. */
  readonly run: (values: OptionValues) => Promise<Outcome>;
}

/** The command was used wrongly: exit status 2. */
export class Misuse extends Error {
  override name = 'Misuse';
}

/** Something is in the way; the message says what, and what to do: exit status 3. */
export class Obstacle extends Error {
  override name = 'Obstacle';
}

/** The options that every command has. */
export const commonOptions = {
  data: {
    type: 'string',
    value: 'DIR',
    help: 'the directory that holds survey.db (DUMPSURVEY_DATA, else data)',
  },
  url: {
    type: 'string',
    value: 'URL',
    help: 'a libSQL server instead of a directory (DATABASE_URL; its token is DATABASE_AUTH_TOKEN)',
  },
  json: { type: 'boolean', help: 'prints JSON' },
  help: { type: 'boolean', help: 'shows this' },
} as const satisfies Record<string, CommandOption>;

/** A text option's value. Throws Misuse where it is missing. */
export function required(values: OptionValues, name: string): string {
  const value = values[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new Misuse(`--${name} is needed.`);
}
