/** An error that a person can mend: it says what is missing and gives the exact commands. No stack trace is shown. */
export class Advice extends Error {
  override name = 'Advice';
  readonly commands: readonly string[];

  constructor(message: string, commands: readonly string[] = []) {
    super([message, ...commands.map((command) => `    ${command}`)].join('\n'));
    this.commands = commands;
  }
}
