/** The commands that `doctor` shows, run on files of their own: what they were to mend is mended. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseTree, plant } from '../../test/fixtures/metal/plant.ts';
import { appended } from '../machine/capture-command-line.ts';
import { assignments, type Family } from '../machine/distribution.ts';
import { fileTree, type SystemTree } from '../machine/tree.ts';
import { loadingCaptureKernel, reserving, restartingCapture } from './fixes.ts';

/** Runs those commands of a fix that only change files, with /etc in a directory of its own. Gives the files afterwards. */
function mended(files: string, commands: readonly string[]): { tree: SystemTree; ran: number } {
  const root = mkdtempSync(join(tmpdir(), 'fix-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  plant(root, parseTree(files));
  const changing = commands.filter((line) => /^(echo|sed|mkdir) /.test(line));
  for (const line of changing) execFileSync('sh', ['-c', line.replaceAll('/etc/', `${root}/etc/`)]);
  return { tree: fileTree(root), ran: changing.length };
}

describe('panic= for the capture kernel', () => {
  const files: Readonly<Record<Family, string>> = {
    debian: '@ /etc/default/kdump-tools\nUSE_KDUMP=1\n#KDUMP_CMDLINE_APPEND="old"\n',
    fedora: '@ /etc/sysconfig/kdump\nKDUMP_COMMANDLINE_APPEND="irqpoll nr_cpus=1"\n',
    suse: '@ /etc/sysconfig/kdump\nKDUMP_COMMANDLINE_APPEND="debug panic=0"\n',
  };
  it.each(['debian', 'fedora', 'suse'] as const)('on %s', (family) => {
    const before = mended(files[family], []).tree;
    const words = appended(before, family);
    const { tree, ran } = mended(files[family], restartingCapture(family, words));
    expect(ran).toBe(1);
    expect(appended(tree, family)).toBe(`${words} panic=10`);
  });

  it('only loads it anew where the configuration has it already', () => {
    expect(restartingCapture('debian', 'nr_cpus=1 panic=5')).toEqual(['kdump-config reload']);
    expect(restartingCapture(null, '')).toEqual([expect.stringContaining('panic=10')]);
  });
});

describe('memory for the capture kernel', () => {
  it('on Debian takes the place of what kdump-tools asks for, as the shell of grub-mkconfig reads it', () => {
    const files = `@ /etc/default/grub.d/kdump-tools.cfg
GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT crashkernel=384M-:128M"
`;
    const { tree, ran } = mended(files, reserving('debian', true, 256));
    expect(ran).toBe(2);
    const script = `GRUB_CMDLINE_LINUX_DEFAULT=quiet; ${tree.read('/etc/default/grub.d/kdump-tools.cfg')}; echo "$GRUB_CMDLINE_LINUX_DEFAULT"`;
    expect(execFileSync('sh', ['-c', script], { encoding: 'utf8' })).toBe('quiet crashkernel=256M\n');
  });

  it.each([
    [
      'GRUB_CMDLINE_LINUX_DEFAULT="splash=silent crashkernel=299M,high crashkernel=72M,low quiet"',
      'splash=silent quiet crashkernel=256M',
    ],
    ['GRUB_CMDLINE_LINUX_DEFAULT="quiet"', 'quiet crashkernel=256M'],
    ['GRUB_CMDLINE_LINUX_DEFAULT=""', ' crashkernel=256M'],
  ])('on SUSE takes the place of what stands in %s', (line, wanted) => {
    const { tree } = mended(
      `@ /etc/default/grub\nGRUB_TIMEOUT=8\n${line}\nGRUB_CMDLINE_XEN="crashkernel=1M"\n`,
      reserving('suse', true, 256),
    );
    const said = assignments(tree.read('/etc/default/grub') ?? '');
    expect(said.get('GRUB_CMDLINE_LINUX_DEFAULT')).toBe(wanted);
    expect([said.get('GRUB_TIMEOUT'), said.get('GRUB_CMDLINE_XEN')]).toEqual(['8', 'crashkernel=1M']);
  });

  it('is said in words where the boot loader is not known', () => {
    for (const family of ['debian', 'suse', null] as const)
      expect(reserving(family, false, 192)).toEqual([expect.stringMatching(/^Add crashkernel=192M /)]);
  });
});

it("kdump-tools' own switch is set to 1", () => {
  const commands = loadingCaptureKernel('debian', 'kdump-tools.service', {
    isSwitchedOn: false,
    isFailed: false,
  });
  const { tree } = mended('@ /etc/default/kdump-tools\nUSE_KDUMP=0\nX=1\n', commands);
  expect(tree.read('/etc/default/kdump-tools')).toBe('USE_KDUMP=1\nX=1');
});
