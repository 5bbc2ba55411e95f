/** What a command of the command line is. */

export interface CommandOption {
  readonly type: 'string' | 'boolean';
  /** What the value is, in capitals, as the help shows it. */
  readonly value?: string;
  readonly help: string;
  /** Whether it may be given several times. */
  readonly multiple?: true;
}

export type OptionValue = string | boolean | undefined;
export type OptionValues = Readonly<Record<string, OptionValue | OptionValue[]>>;

export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly options: Readonly<Record<string, CommandOption>>;
  readonly examples: readonly string[];
  /** Gives the exit status. */
  readonly run: (values: OptionValues) => Promise<number>;
}

/** The option that names the survey, and its value. */
export const urlOption = {
  url: { type: 'string', value: 'URL', help: 'the survey (DUMPSURVEY_URL, else http://127.0.0.1:8787)' },
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

/** The survey's address. */
export function surveyUrl(values: OptionValues): string {
  return text(values, 'url') ?? process.env.DUMPSURVEY_URL ?? 'http://127.0.0.1:8787';
}
