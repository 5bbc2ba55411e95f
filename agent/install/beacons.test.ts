/** What an installation does for beacons, on systems of the three distributions. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { crashTree } from '../../test/fixtures/metal/crash-trees.ts';
import { beaconInstall } from '../metal/beacon/install.ts';
import { beaconDiskSteps, beaconParts } from './beacons.ts';

const disk = { kind: 'disk', device: '/dev/disk/by-partuuid/1-2' } as const;

describe('the capture environment', () => {
  it.each(['debian', 'fedora'] as const)('of %s gets what it needs', (name) => {
    expect(beaconParts(crashTree(name).tree, disk)).toEqual(beaconInstall(name, disk));
  });

  it("of SUSE needs its owner's settings first", () => {
    const made = crashTree('suse');
    expect(() => beaconParts(made.tree, disk)).toThrow('KDUMP_PRESCRIPT="/usr/lib/dumpsurvey/beacon-before"');
    const { settings } = beaconInstall('suse', disk);
    made.write('/etc/sysconfig/kdump', settings.map(({ name, value }) => `${name}="${value}"`).join('\n'));
    expect(beaconParts(made.tree, disk).hooks).toHaveLength(2);
  });

  it('of a distribution that is not known can have none', () => {
    const made = crashTree('debian');
    made.write('/etc/os-release', 'ID=plan9\n');
    expect(() => beaconParts(made.tree, disk)).toThrow('--beacon none');
    expect(beaconParts(made.tree, { kind: 'none' }).hooks).toEqual([]);
  });
});

describe('a partition', () => {
  const holding = (contents: Buffer) => {
    const path = join(mkdtempSync(join(tmpdir(), 'partition-')), 'spare1');
    writeFileSync(path, contents);
    return path;
  };
  const stepsOf = (device: string) => {
    const [clear, mark] = beaconDiskSteps({ kind: 'disk', device });
    if (clear?.kind !== 'program' || mark?.kind !== 'state') throw new Error('other steps');
    const [program = '', ...args] = clear.undo ?? [];
    return { mark: mark.write, clear: () => spawnSync(program, args).status };
  };

  it('is marked, and cleared at the end', async () => {
    const path = holding(Buffer.alloc(2 << 20));
    const { mark, clear } = stepsOf(path);
    await mark();
    expect(readFileSync(path, 'latin1').startsWith('dumpsurvey-beacon 1 -\n')).toBe(true);
    expect(clear()).toBe(0);
    expect(readFileSync(path).equals(Buffer.alloc(2 << 20))).toBe(true);
  });

  it('that holds something is neither marked nor cleared', async () => {
    const holds = Buffer.alloc(2 << 20, 'precious');
    const path = holding(holds);
    const { mark, clear } = stepsOf(path);
    await expect(mark()).rejects.toThrow('it is not empty');
    expect(clear()).toBe(0);
    expect(readFileSync(path).equals(holds)).toBe(true);
  });

  it('is not needed by other channels', () => {
    expect(beaconDiskSteps({ kind: 'ramoops' })).toEqual([]);
  });
});
