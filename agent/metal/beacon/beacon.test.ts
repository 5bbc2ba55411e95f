/** Beacons from the shell that tells them to the evidence, over files in the place of devices. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { fileTree } from '../../machine/tree.ts';
import { layouts } from '../distribution/index.ts';
import { armBeacon, markBeaconDisk, readBeacons } from '../evidence/beacon.ts';
import { beaconInstall } from './install.ts';
import { beaconScript } from './script.ts';
import { beaconSteps, outcomes, slotBytes, slotCount, slotOf } from './slots.ts';

const nonce = '00112233445566778899aabbccddeeff';
const other = 'f'.repeat(32);

/** A system with an empty partition, a capture kernel's mark and the place of pmsg. */
function scratch() {
  const root = mkdtempSync(join(tmpdir(), 'beacon-'));
  for (const dir of ['dev', 'sys/fs/pstore', 'proc']) mkdirSync(join(root, dir), { recursive: true });
  writeFileSync(join(root, 'dev/spare1'), Buffer.alloc(2 << 20));
  writeFileSync(join(root, 'proc/vmcore'), '');
  const at = (path: string) => join(root, path);
  const files = { vmcore: at('proc/vmcore'), pmsg: at('dev/pmsg0'), pstore: at('sys/fs/pstore') };
  return { root, at, files, tree: fileTree(root) };
}
const disk = { kind: 'disk', device: '/dev/spare1' } as const;
const ramoops = { kind: 'ramoops' } as const;

const shells = [['sh'], ['bash', '--posix'], ['busybox', 'sh']].filter(
  ([shell = '', ...args]) => spawnSync(shell, [...args, '-c', ':']).status === 0,
);

test('every beacon has a slot of its own', () => {
  const slots = beaconSteps.flatMap((step) => outcomes.map((outcome) => slotOf({ step, outcome })));
  expect(new Set(slots).size).toBe(slots.length);
  expect(Math.max(...slots)).toBe(slotCount - 1);
});

describe.each(shells)('told by %s', (shell = 'sh', ...args) => {
  function run(text: string, ...words: string[]) {
    const { status, stderr } = spawnSync(shell, [...args, '-s', ...words], { input: text, encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
  }
  const told = 'tell "$1" "$2"';

  it('over a disk: each is read back, for this trial only', async () => {
    const { root, at, files, tree } = scratch();
    await markBeaconDisk(at('dev/spare1'));
    await armBeacon(disk, nonce, root);
    const script = beaconScript({ kind: 'disk', device: at('dev/spare1') }, told, files);
    for (const [step, outcome] of [
      ['capture_booted', 'success'],
      ['target_ready', 'fail'],
    ] as const)
      run(script, step, outcome);
    const found = await readBeacons(disk, nonce, { tree, root });
    expect(found).toEqual({
      channel: {
        name: 'disk',
        could_see: ['capture_booted', 'target_ready', 'dump_written'],
        saw: [
          { stage: 'capture_booted', at_ms: 0, line: `dumpsurvey-beacon ${nonce} capture_booted success` },
        ],
      },
      saidRebooting: false,
    });
    run(script, 'rebooting', 'success');
    expect((await readBeacons(disk, nonce, { tree, root })).saidRebooting).toBe(true);
    expect((await readBeacons(disk, other, { tree, root })).channel.saw).toEqual([]);
    await armBeacon(disk, other, root);
    expect((await readBeacons(disk, other, { tree, root })).channel).toEqual({
      name: 'disk',
      could_see: [],
      saw: [],
    });
    expect(
      readFileSync(at('dev/spare1'))
        .subarray(slotCount * slotBytes)
        .every((byte) => byte === 0),
    ).toBe(true);
  });

  it('does nothing outside of a capture kernel, without a trial, on a strange disk, without one', async () => {
    const { at, files } = scratch();
    const before = readFileSync(at('dev/spare1'));
    const here = { kind: 'disk', device: at('dev/spare1') } as const;
    run(beaconScript(here, told, files), 'capture_booted', 'success');
    run(beaconScript(here, told, { ...files, vmcore: at('proc/nothing') }), 'capture_booted', 'success');
    expect(readFileSync(at('dev/spare1')).equals(before)).toBe(true);
    await markBeaconDisk(at('dev/spare1'));
    const marked = readFileSync(at('dev/spare1'));
    run(beaconScript(here, told, files), 'capture_booted', 'success');
    run(beaconScript(here, told, files), 'reboot; reboot', '$(reboot)');
    expect(readFileSync(at('dev/spare1')).equals(marked)).toBe(true);
    run(
      beaconScript({ kind: 'disk', device: at('dev/none') }, 'waited=9; tell "$1" "$2"', files),
      'target_ready',
      'fail',
    );
    expect(existsSync(at('dev/none'))).toBe(false);
  });

  it('over pmsg, for the trial that the crashed kernel named last', async () => {
    const { root, at, files, tree } = scratch();
    writeFileSync(at('dev/pmsg0'), '');
    await armBeacon(ramoops, nonce, root);
    // What the crashed kernel wrote is in pstore, and the capture kernel writes anew.
    const written = readFileSync(at('dev/pmsg0'), 'utf8');
    writeFileSync(at('sys/fs/pstore/pmsg-ramoops-0'), `dumpsurvey-beacon 1 ${other}\n${written}`);
    run(beaconScript(ramoops, told, files), 'capture_booted', 'success');
    writeFileSync(at('sys/fs/pstore/pmsg-ramoops-0'), readFileSync(at('dev/pmsg0')));
    const { channel } = await readBeacons(ramoops, nonce, { tree, root, told: ['capture_booted'] });
    expect(channel).toMatchObject({
      name: 'ramoops',
      could_see: ['capture_booted'],
      saw: [{ stage: 'capture_booted' }],
    });
  });
});

describe('a channel that showed nothing', () => {
  it('proves nothing on a disk, which may be what failed', async () => {
    const { root, at, tree } = scratch();
    await markBeaconDisk(at('dev/spare1'));
    await armBeacon(disk, nonce, root);
    const { channel } = await readBeacons(disk, nonce, { tree, root, isProven: true });
    expect(channel.could_see).toEqual([]);
  });

  it('proves something in memory only where it worked before and kept its contents', async () => {
    const { root, at, tree } = scratch();
    const read = async (isProven: boolean) =>
      (await readBeacons(ramoops, nonce, { tree, root, told: ['capture_booted'], isProven })).channel
        .could_see;
    expect(await read(true)).toEqual([]);
    writeFileSync(at('sys/fs/pstore/pmsg-ramoops-0'), `dumpsurvey-beacon 1 ${nonce}\n`);
    expect([await read(false), await read(true)]).toEqual([[], ['capture_booted']]);
  });

  it('is not there to be read', async () => {
    const { root, tree } = scratch();
    const gone = { kind: 'disk', device: '/dev/gone' } as const;
    expect((await readBeacons(gone, nonce, { tree, root })).channel.saw).toEqual([]);
    expect((await readBeacons({ kind: 'none' }, nonce, { tree, root })).channel.name).toBe('none');
  });
});

describe('a partition', () => {
  it('that holds anything is not taken, and not written to', async () => {
    const { root, at } = scratch();
    const holds = Buffer.alloc(2 << 20);
    holds.writeUInt16LE(0xef53, 0x438);
    writeFileSync(at('dev/spare1'), holds);
    await expect(markBeaconDisk(at('dev/spare1'))).rejects.toThrow('it is not empty');
    await expect(armBeacon(disk, nonce, root)).rejects.toThrow('not marked as a beacon partition');
    expect(readFileSync(at('dev/spare1')).equals(holds)).toBe(true);
  });

  it('that is too small, or not there, is not taken', async () => {
    const { at } = scratch();
    writeFileSync(at('dev/tiny'), Buffer.alloc(600));
    for (const name of ['dev/tiny', 'dev/none'])
      await expect(markBeaconDisk(at(name))).rejects.toThrow('cannot be read, or is too small');
  });

  it('that is marked stays as it is', async () => {
    const { root, at } = scratch();
    await markBeaconDisk(at('dev/spare1'));
    await armBeacon(disk, nonce, root);
    const armed = readFileSync(at('dev/spare1'));
    await markBeaconDisk(at('dev/spare1'));
    expect(readFileSync(at('dev/spare1')).equals(armed)).toBe(true);
  });

  it('no pmsg: the advice says what to look at', async () => {
    await expect(armBeacon(ramoops, nonce, scratch().root)).rejects.toThrow('grep PSTORE_PMSG');
  });
});

describe.each(['debian', 'fedora', 'suse'] as const)('what is installed on %s', (name) => {
  const { hooks, hooksCommand } = beaconInstall(name, { kind: 'disk', device: '/dev/disk/by-partuuid/1-2' });

  it('is shell that parses, and ends well outside of a capture kernel', () => {
    for (const { path, contents } of hooks.filter(({ mode }) => mode === 0o755)) {
      expect([path, spawnSync('sh', ['-n'], { input: contents, encoding: 'utf8' }).stderr]).toEqual([
        path,
        '',
      ]);
      const words = path.includes('initramfs') ? ['prereqs'] : ['capture_booted', 'success'];
      expect([path, spawnSync('sh', ['-s', ...words], { input: contents }).status]).toEqual([path, 0]);
    }
    expect(spawnSync('sh', ['-n', '-c', hooksCommand?.at(-1) ?? 'if']).status).toBe(0);
  });

  it('tells of each stage that the layout says it tells of, and of no other', () => {
    const all = hooks.map(({ contents }) => contents).join('\n');
    const told = ['capture_booted', 'target_ready', 'dump_written'].filter((stage) =>
      new RegExp(`^(?!\\s+').*\\b${stage} success`, 'm').test(all),
    );
    expect(told).toEqual(layouts[name].beaconStages);
  });

  it('is nothing without a channel', () => {
    expect(beaconInstall(name, { kind: 'none' })).toEqual({ hooks: [], settings: [], hooksCommand: null });
  });
});
