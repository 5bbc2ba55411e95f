/** The Debian package: what is in it, that it repeats itself, and that it runs where it is unpacked. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildDeb } from '../../agent/build/deb.ts';
import { maintainerScripts } from '../../agent/build/debian.ts';
import { carriedFiles } from '../../agent/carried.ts';
import { agentVersion } from '../../agent/version.ts';

const dir = mkdtempSync(join(tmpdir(), 'deb-'));
const root = join(dir, 'root');
const epochSeconds = 1_700_000_000;
let path = '';

const text = (command: string, ...args: string[]) =>
  execFileSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });

beforeAll(async () => {
  path = await buildDeb(dir, epochSeconds);
  execFileSync('dpkg-deb', ['-x', path, root]);
}, 300_000);
afterAll(() => rmSync(dir, { recursive: true }));

it('gives the same bytes again', async () => {
  const first = readFileSync(path);
  const umask = process.umask(0o077);
  try {
    const again = await buildDeb(join(dir, 'again'), epochSeconds);
    expect(readFileSync(again).equals(first)).toBe(true);
  } finally {
    process.umask(umask);
  }
}, 300_000);

describe('what is in it', () => {
  interface Entry {
    readonly mode: string;
    readonly owner: string;
    readonly name: string;
  }
  const entries = (): Entry[] =>
    text('dpkg-deb', '-c', path)
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/))
      .map(([mode = '', owner = '', , , , name = '']) => ({ mode, owner, name: name.slice(1) }));

  it('belongs to root, and only programs can be run', () => {
    for (const { mode, owner, name } of entries()) {
      expect(owner, name).toBe('root/root');
      const programs = ['/usr/bin/dumpsurvey', '/usr/lib/dumpsurvey/node'];
      const expected = name.endsWith('/')
        ? 'drwxr-xr-x'
        : programs.includes(name)
          ? '-rwxr-xr-x'
          : '-rw-r--r--';
      expect(mode, name).toBe(expected);
    }
  });

  it('is below /usr: nothing of it is configuration, and nothing is enabled', () => {
    const files = entries().filter(({ name }) => !name.endsWith('/'));
    expect(files.filter(({ name }) => !name.startsWith('/usr/'))).toEqual([]);
    expect(files.filter(({ name }) => name.includes('.wants/'))).toEqual([]);
  });

  it('has program, units, module, manual page and completions', async () => {
    const names = entries().map(({ name }) => name);
    for (const name of [
      '/usr/bin/dumpsurvey',
      '/usr/lib/dumpsurvey/node',
      '/usr/lib/dumpsurvey/dumpsurvey.cjs',
      '/usr/lib/systemd/system/dumpsurvey.service',
      '/usr/lib/systemd/system/dumpsurvey.timer',
      '/usr/share/man/man8/dumpsurvey.8.gz',
      '/usr/share/bash-completion/completions/dumpsurvey',
      '/usr/share/zsh/vendor-completions/_dumpsurvey',
      '/usr/share/fish/vendor_completions.d/dumpsurvey.fish',
      '/usr/share/doc/dumpsurvey/copyright',
    ])
      expect(names).toContain(name);
    const module = names.filter((name) => name.startsWith('/usr/src/crashpoint-1/') && !name.endsWith('/'));
    expect(module.map((name) => name.slice('/usr/src/crashpoint-1/'.length)).sort()).toEqual(
      [...(await carriedFiles('kmod')).keys()].sort(),
    );
  });

  it('the module is the one of dkms.conf', () => {
    const conf = readFileSync(join(root, 'usr/src/crashpoint-1/dkms.conf'), 'utf8');
    expect(conf).toMatch(/^PACKAGE_NAME="crashpoint"$/m);
    expect(conf).toMatch(/^PACKAGE_VERSION="1"$/m);
    for (const name of ['postinst', 'prerm'])
      expect(maintainerScripts[name]).toMatch(/\bcrashpoint\b.*\b1\b/);
  });
});

describe('where it is unpacked', () => {
  const node = () => join(root, 'usr/lib/dumpsurvey/node');
  const bundle = () => join(root, 'usr/lib/dumpsurvey/dumpsurvey.cjs');

  it('its own Node runs it', () => {
    expect(text(node(), bundle(), '--version')).toBe(`${agentVersion}\n`);
    expect(text('dpkg-deb', '-f', path, 'Version')).toBe(`${agentVersion}\n`);
    expect(JSON.parse(text(node(), bundle(), 'inventory'))).toMatchObject({ population: 'metal' });
  });

  it('its Node asks for no newer libraries than the package depends on', () => {
    const needed = (name: string) =>
      [...text('objdump', '-T', node()).matchAll(new RegExp(`\\(${name}_([\\d.]+)\\)`, 'g'))].map(
        ([, v]) => v ?? '',
      );
    const newest = (name: string) =>
      needed(name)
        .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
        .at(-1) ?? '';
    expect(newest('GLIBC')).not.toBe('');
    expect(newest('GLIBC').localeCompare('2.28', 'en', { numeric: true })).toBeLessThanOrEqual(0);
    expect(newest('GLIBCXX').localeCompare('3.4.21', 'en', { numeric: true })).toBeLessThanOrEqual(0);
  });

  it('its manual page is read without a fault', () => {
    const page = gunzipSync(readFileSync(join(root, 'usr/share/man/man8/dumpsurvey.8.gz')));
    const shown = execFileSync('mandoc', ['-T', 'utf8'], { input: page, encoding: 'utf8' });
    expect(shown).toContain('sends a signed report to a public survey.');
  });
});

describe('a script of the package', () => {
  it.each(Object.entries(maintainerScripts))(
    '%s is one that sh reads, and ends at the first fault',
    (_, script) => {
      expect(script.startsWith('#!/bin/sh\nset -e\n')).toBe(true);
      execFileSync('sh', ['-n'], { input: script });
    },
  );

  it('only a purge removes the state', () => {
    for (const [name, script] of Object.entries(maintainerScripts))
      expect(script.includes('rm -rf')).toBe(name === 'postrm');
    expect(maintainerScripts.postrm).toMatch(
      /^if \[ "\$1" = purge \]; then rm -rf \/var\/lib\/dumpsurvey; fi$/m,
    );
  });
});
