/** What a section of the benchmark is given and gives. */

/** How a number is shown. */
export type Unit = 's' | 'ms' | '/s';

/** One line of the table: a measurement, and what it is held against in the same run. */
export interface Row {
  readonly what: string;
  readonly unit: Unit;
  readonly measured: number;
  /** A peer that does only part of the work, or a limit. */
  readonly against: string;
  readonly peer: number;
  /** `measured / peer` is at most this; null where nothing is required. */
  readonly bound: number | null;
}

export interface Findings {
  readonly rows: readonly Row[];
  /** What explains the rows: a title, and a table of text. */
  readonly details?: { readonly title: string; readonly table: readonly (readonly string[])[] };
}

export interface Context {
  /** How often each measurement is repeated. */
  readonly rounds: number;
  /** Tells what is being done. */
  readonly say: (line: string) => void;
}

export type Section = (context: Context) => Promise<Findings>;
