import { parseArgs } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { main } from './cli.ts';
import { commands, loadCommands } from './command-table.ts';
import { exitStatuses } from './exit.ts';
import { helpOf, overview } from './help.ts';
import { agentVersion } from './version.ts';

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

const whole = overview(commands, agentVersion);
const loaded = await loadCommands();

/** What changes nothing on this machine and sends nothing. */
const onlyReads = ['completion', 'doctor', 'inventory', 'man', 'status', 'verify'];

/** The words of an example as a shell would split it. */
const wordsOf = (example: string) =>
  (example.match(/'[^']*'|"[^"]*"|\S+/g) ?? []).map((word) => word.replaceAll(/^['"]|['"]$/g, ''));

describe.each(loaded.map((command) => [command.name, command] as const))('%s', (name, command) => {
  const { options, argument, examples } = command;

  it('is in the overview, and its help has every option', () => {
    expect(whole).toMatch(new RegExp(`^  ${name} +\\S`, 'm'));
    const help = helpOf(command);
    for (const option of Object.keys(options)) expect(help).toMatch(new RegExp(`^  --${option}\\b`, 'm'));
    if (argument) expect(help).toContain(argument.help);
    for (const line of help.split('\n')) expect(line.length, line).toBeLessThanOrEqual(130);
  });

  it('has a dry run where it changes something or sends something, and only there', () => {
    expect(options['dry-run']?.type).toBe(onlyReads.includes(name) ? undefined : 'boolean');
  });

  it('has --json', () => expect(options.json).toMatchObject({ type: 'boolean' }));

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
  expect(said.join('\n')).toContain(whole);
});

it('the overview has every exit status', () => {
  for (const [status, meaning] of Object.entries(exitStatuses))
    expect(whole).toContain(`${status}  ${meaning}`);
});
