/** Manual page and completions: nothing of the table is missing, and the programs that read them take them. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { NamedCommand } from '../command.ts';
import { loadCommands } from '../command-table.ts';
import { exitStatuses } from '../exit.ts';
import { manualPage } from './man.ts';
import { type ShellName, shells } from './shells.ts';

const commands = await loadCommands();
const dir = mkdtempSync(join(tmpdir(), 'manual-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** A command with everything that could be taken for something else. */
const awkward: NamedCommand = {
  name: 'awkward',
  summary: 'it\'s [odd]: 100 % \\o/ `$HOME` "so"',
  description: ".starts like a macro. 'quoted\nand\\broken",
  argument: { value: 'WORD', help: "a 'word'", choices: ['one', 'two'] },
  options: {
    plain: { type: 'boolean', help: "it's $(touch /tmp/never) `plain` [x]: \\" },
    file: { type: 'string', value: 'FILE', help: 'a file' },
    dir: { type: 'string', value: 'DIR', help: 'a directory' },
    level: { type: 'string', value: 'LEVEL', help: 'how much', choices: ['low', 'high'], multiple: true },
  },
  examples: ["dumpsurvey awkward 'x' --plain", '.dot'],
  run: async () => 0,
};
const all = [...commands, awkward];

describe('the manual page', () => {
  const page = manualPage(all, 'November 25, 2026', '0.1.0');

  it('has no fault that mandoc finds', () => {
    const path = join(dir, 'dumpsurvey.8');
    writeFileSync(path, page);
    const { status, stdout } = spawnSync('mandoc', ['-T', 'lint', '-W', 'style', path], { encoding: 'utf8' });
    // It looks whether other pages are installed here.
    expect(
      stdout.split('\n').filter((line) => line !== '' && !line.includes('referenced manual not found')),
    ).toEqual([]);
    expect(status).toBeLessThanOrEqual(2);
  });

  const shown = execFileSync('mandoc', ['-T', 'utf8', '-O', 'width=200'], { input: page, encoding: 'utf8' })
    // Bold and underlined letters are printed twice.
    .replaceAll(new RegExp(`.${'\b'}`, 'g'), '');

  it.each(all.map((command) => [command.name, command] as const))('%s is in it, whole', (name, command) => {
    const start = shown.search(new RegExp(`^ +dumpsurvey ${name}\\b`, 'm'));
    expect(start).toBeGreaterThan(0);
    const section = shown.slice(start).replaceAll(/\s+/g, ' ');
    expect(section).toContain(command.description.replaceAll(/\s+/g, ' '));
    for (const [option, { help }] of Object.entries(command.options)) {
      expect(section).toContain(`--${option} `);
      expect(section).toContain(help.replaceAll(/\s+/g, ' '));
    }
    for (const example of command.examples) expect(shown).toContain(example);
  });

  it('has every exit status', () => {
    const words = shown.slice(shown.indexOf('EXIT STATUS')).replaceAll(/\s+/g, ' ');
    for (const [status, meaning] of Object.entries(exitStatuses))
      expect(words).toContain(`${status} ${meaning}`);
  });
});

/** Keeps a completion script, and gives its path. */
function scriptOf(shell: ShellName): string {
  const path = join(dir, shell);
  writeFileSync(path, shells[shell].completion(all));
  return path;
}

describe('bash', () => {
  const script = scriptOf('bash');
  mkdirSync(join(dir, 'place/sub'), { recursive: true });
  writeFileSync(join(dir, 'place/some-file'), '');

  /** What bash offers behind these words; the last is being typed. */
  function offered(...words: string[]): string[] {
    const body = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _dumpsurvey; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const args = ['--norc', '-c', body, 'bash', script, 'dumpsurvey', ...words];
    const { stdout, stderr } = spawnSync('bash', args, { encoding: 'utf8', cwd: join(dir, 'place') });
    expect(stderr).toBe('');
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .sort();
  }

  it('offers the commands', () => {
    expect(offered('')).toEqual([...all.map(({ name }) => name), '--help', '--version', 'help'].sort());
    expect(offered('unin')).toEqual(['uninstall']);
  });

  it.each(all.map((command) => [command.name, command] as const))(
    'offers the options of %s',
    (name, command) => {
      expect(offered(name, '--')).toEqual(
        [...Object.keys(command.options), 'help'].map((o) => `--${o}`).sort(),
      );
    },
  );

  it('offers words, files and directories for values, and nothing where nothing is known', () => {
    expect(offered('awkward', '--level', '')).toEqual(['high', 'low']);
    expect(offered('awkward', '--plain', 't')).toEqual(['two']);
    expect(offered('awkward', '--file', '')).toEqual(['some-file', 'sub']);
    expect(offered('awkward', '--dir', '')).toEqual(['sub']);
    expect(offered('install', '--url', '')).toEqual([]);
    expect(offered('no-such-command', '')).toEqual([]);
  });
});

describe('zsh', () => {
  const script = scriptOf('zsh');

  /** What the script hands to zsh's own functions, one argument a line. */
  function handed(...words: string[]): string[] {
    const body = `_arguments() { print -rl -- "$@" }; _describe() { print -rl -- "\${(@P)4}" }; words=("\${@[2,-1]}"); CURRENT=\${#words}; source $1`;
    const { stdout, stderr } = spawnSync('zsh', ['-f', '-c', body, 'zsh', script, 'dumpsurvey', ...words], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    return stdout.split('\n').filter((line) => line !== '');
  }

  it('offers the commands, with what they do', () => {
    const names = handed('').map((line) => line.split(':')[0]);
    expect(names).toEqual(all.map(({ name }) => name));
  });

  it.each(all.map((command) => [command.name, command] as const))(
    'offers the options of %s',
    (name, command) => {
      const names = handed(name, '--').flatMap((line) => /^\*?--([\w-]+)\[/.exec(line)?.[1] ?? []);
      expect(names).toEqual([...Object.keys(command.options), 'help']);
    },
  );

  it('hands over what a value is', () => {
    const specs = handed('awkward', '');
    expect(specs[0]).toBe(':WORD:(one two)');
    expect(specs).toContain('*--level[how much]:LEVEL:(low high)');
    expect(specs).toContain('--file[a file]:FILE:_files');
    expect(specs).toContain("--plain[it's $(touch /tmp/never) `plain` \\[x\\]\\: \\\\]");
  });
});

describe('fish', () => {
  const script = scriptOf('fish');

  function offered(line: string): string[] {
    const { stdout, stderr } = spawnSync(
      'fish',
      ['--no-config', '-c', `source ${script}; complete -C '${line}'`],
      {
        encoding: 'utf8',
        env: { ...process.env, HOME: dir, XDG_CONFIG_HOME: dir, XDG_DATA_HOME: dir },
        cwd: join(dir, 'place'),
      },
    );
    expect(stderr).toBe('');
    return stdout
      .split('\n')
      .flatMap((row) => row.split('\t')[0] || [])
      .sort();
  }

  it('offers the commands', () => {
    expect(offered('dumpsurvey ')).toEqual(all.map(({ name }) => name).sort());
  });

  it.each(all.map((command) => [command.name, command] as const))(
    'offers the options of %s',
    (name, command) => {
      expect(offered(`dumpsurvey ${name} --`)).toEqual(
        [...Object.keys(command.options), 'help'].map((option) => `--${option}`).sort(),
      );
    },
  );

  it('offers words for values', () => {
    expect(offered('dumpsurvey awkward --level ')).toEqual(['high', 'low']);
    expect(offered('dumpsurvey completion ')).toEqual(['bash', 'fish', 'zsh']);
  });
});
