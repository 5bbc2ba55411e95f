/** Errors that are no bugs: what is shown of them is their message, without a stack trace. */

/** Something that a program must expect of the world around it. */
export class Expected extends Error {
  override name = 'Expected';
}

/** An error that a person can mend: it says what is missing and gives the exact commands. */
export class Advice extends Expected {
  override name = 'Advice';
  readonly commands: readonly string[];

  constructor(message: string, commands: readonly string[] = []) {
    super([message, ...commands.map((command) => `    ${command}`)].join('\n'));
    this.commands = commands;
  }
}
