import { parseArgs } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { commands, helpOf, main, overview } from './cli.ts';

let said: string[];
beforeEach(() => {
  said = [];
  for (const channel of ['log', 'error'] as const)
    vi.spyOn(console, channel).mockImplementation((text: string) => said.push(text));
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

/** The words of an example as a shell would split it. */
const wordsOf = (example: string) =>
  (example.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll(/^['"]|['"]$/g, ''));

describe.each(commands.map((command) => [command.name, command] as const))('%s', (name, command) => {
  const { options, argument, examples } = command;

  it('is in the overview, and its help has every option', () => {
    expect(overview()).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
    const help = helpOf(command);
    for (const option of Object.keys(options)) expect(help).toMatch(new RegExp(`^  --${option}\\b`, 'm'));
    if (argument) expect(help).toContain(argument.help);
    for (const line of help.split('\n')) expect(line.length, line).toBeLessThanOrEqual(130);
  });

  it.each(examples)('takes its own example: %s', (example) => {
    const [program, first, ...args] = wordsOf(example);
    expect([program, first]).toEqual(['dumpsurvey', name]);
    const allowPositionals = argument !== undefined;
    expect(() => parseArgs({ args, options, strict: true, allowPositionals })).not.toThrow();
  });

  it('refuses what it does not know, and shows its help', async () => {
    await main([name, '--no-such-option']);
    expect(process.exitCode).toBe(2);
    expect(said.join('\n')).toContain(helpOf(command));
  });

  it('with --help shows it, and does nothing', async () => {
    await main([name, '--help']);
    expect([process.exitCode, said]).toEqual([0, [helpOf(command)]]);
  });
});

it.each([
  ['nothing', [], 2],
  ['--help', ['--help'], 0],
  ['a command that is not there', ['crash'], 2],
])('%s shows the overview', async (_, args, status) => {
  await main(args);
  expect(process.exitCode).toBe(status);
  expect(said.join('\n')).toContain(overview());
});
