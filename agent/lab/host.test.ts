import { describe, expect, it, test } from 'vitest';
import { Advice } from '../advice.ts';
import { type Host, preflight, thisHost } from './host.ts';

const debian: Host = { distribution: 'debian 12', isRoot: true, machine: 'x64', has: () => true };
const without = (...paths: string[]): Partial<Host> => ({
  has: (path) => !paths.some((p) => path.endsWith(p)),
});

describe('preflight', () => {
  it.each<[string, Partial<Host>, string[]]>([
    ['nothing is missing', {}, []],
    ['nothing is missing, and this is not root', { isRoot: false }, []],
    ['QEMU is missing', without('/qemu-system-x86_64'), ['qemu-system-x86']],
    [
      'all is missing',
      { has: () => false },
      ['qemu-system-x86', 'make', 'gcc', 'xz-utils', 'util-linux', 'libelf1'],
    ],
  ])('%s: root installs what is missing', (_, change, install) => {
    expect(preflight({ ...debian, ...change })).toEqual({ install });
  });

  it('takes an extra only where it is asked for', () => {
    const host = { ...debian, ...without('/sparse') };
    expect(preflight(host)).toEqual({ install: [] });
    expect(preflight(host, ['sparse'])).toEqual({ install: ['sparse'] });
    expect(preflight(debian, ['sparse'])).toEqual({ install: [] });
  });

  it.each<[string, Partial<Host>, string[]]>([
    [
      'two things are missing, and this is not root',
      { isRoot: false, ...without('/qemu-system-x86_64', '/gcc') },
      ['sudo apt-get update', 'sudo apt-get install -y --no-install-recommends qemu-system-x86 gcc'],
    ],
    [
      'libelf is missing, and this is not root',
      { isRoot: false, ...without('/libelf.so.1') },
      ['sudo apt-get update', 'sudo apt-get install -y --no-install-recommends libelf1'],
    ],
  ])('%s: the exact commands', (_, change, commands) => {
    const result = preflight({ ...debian, ...change });
    const advice = 'advice' in result ? result.advice : null;
    expect(advice).toBeInstanceOf(Advice);
    expect(advice?.commands).toEqual(commands);
    for (const command of commands) expect(advice?.message).toContain(`\n    ${command}`);
  });

  it.each<[string, Partial<Host>, string]>([
    ['Fedora', { distribution: 'fedora' }, 'this is fedora on x64'],
    ['arm64', { machine: 'arm64' }, 'this is debian 12 on arm64'],
    [
      'an unknown system',
      { distribution: '', has: () => false, isRoot: false },
      'this is an unknown system on x64',
    ],
    ['another Debian', { distribution: 'debian 13' }, 'this is debian 13 on x64'],
    ['a relative of Debian', { distribution: 'ubuntu 24.04' }, 'this is ubuntu 24.04 on x64'],
  ])('%s: what to do instead, and nothing is installed', (_, change, said) => {
    const result = preflight({ ...debian, ...change });
    const advice = 'advice' in result ? result.advice : null;
    expect(advice?.message).toContain(said);
    expect(advice?.commands.join('\n')).toMatch(/^docker run .* debian:12 bash\n.*\nnpm start$/);
  });
});

test('thisHost says what this host is', () => {
  const host = thisHost();
  expect(host.machine).toBe(process.arch);
  expect(host.isRoot).toBe(process.getuid?.() === 0);
  expect(host.has('/')).toBe(true);
  expect(host.has('/no/such/file')).toBe(false);
  expect(host.distribution).toMatch(/^[a-z0-9._ -]*$/);
});
