/** The steps of an installation, and what each leaves to be undone. */

/** Something that the installation does to this machine. */
export type Step =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly contents: string;
      /** Permission bits. */
      readonly mode: number;
    }
  | {
      readonly kind: 'program';
      /** What is run; null: nothing now, only `undo` at the end. */
      readonly command: readonly string[] | null;
      /** What takes it back; null: nothing needs to. Undoing what was not done must do no harm. */
      readonly undo: readonly string[] | null;
      readonly why: string;
      /** Whether the installation stands without it: then what it said is reported, and nothing else. */
      readonly mayFail: boolean;
    }
  | {
      /** A file in the state directory, which goes with that. */
      readonly kind: 'state';
      readonly path: string;
      readonly write: () => Promise<unknown>;
    };

/** Something that was done and is to be undone, as the manifest keeps it. */
export type Done =
  | {
      readonly kind: 'file';
      readonly path: string;
      /** SHA-256 of what was written, in hexadecimal. */
      readonly sha256: string;
    }
  | { readonly kind: 'directory'; readonly path: string }
  | { readonly kind: 'undo'; readonly command: readonly string[] };

const shell = (words: readonly string[]) =>
  words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');

const octal = (mode: number) => mode.toString(8).padStart(4, '0');

/** A step in words. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'file':
      return `write ${step.path} (${octal(step.mode)}, ${Buffer.byteLength(step.contents)} bytes)`;
    case 'state':
      return `write ${step.path}`;
    case 'program':
      return step.command === null
        ? `at the end of its time: ${shell(step.undo ?? [])} (${step.why})`
        : `run ${shell(step.command)} (${step.why})`;
  }
}

/** What undoing it is, in words. */
export function describeUndo(done: Done): string {
  switch (done.kind) {
    case 'file':
      return `remove ${done.path}`;
    case 'directory':
      return `remove the directory ${done.path} if it is empty`;
    case 'undo':
      return `run ${shell(done.command)}`;
  }
}
