/** The directory of dumps as somebody who wants to do harm leaves it: Ubuntu's can be written to by every user. */
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { dumpLayouts } from '../../../schema/after-reboot.ts';
import { evidence } from '../../../schema/evidence.ts';
import { namesOf } from '../../../schema/vocabulary.ts';
import { kdump, listing } from '../../../test/fixtures/dumps/fixture.ts';
import { flatten } from '../../../test/fixtures/dumps/forge.ts';
import {
  armedAt,
  type CrashTree,
  crashTree,
  putDump,
  touch,
} from '../../../test/fixtures/metal/crash-trees.ts';
import type { BeaconChannel } from '../settings.ts';
import { crashEntries, filesOf, openWithin } from './crash-directory.ts';
import { gatherEvidence } from './gather.ts';
import { namesBefore } from './place.ts';
import { removeTrialDump } from './remove.ts';

const armed = {
  boot_id: 'a',
  armed_at: armedAt,
  listing,
  watchdog: { present: false, timeout_ms: 0 },
  beacon: { kind: 'none' },
  crash_before: [] as string[],
} as const;

async function gather({ tree, root }: CrashTree) {
  const e = await gatherEvidence({ tree, root, armed, bootId: 'b', nowMs: Date.parse(armedAt) + 1000 });
  expect(evidence.parse(e)).toEqual(e);
  return e;
}

const name = '202611241001';

it('no link is followed, neither of a directory nor of a dump', async () => {
  const made = crashTree('debian');
  const outside = mkdtempSync(join(tmpdir(), 'outside-'));
  writeFileSync(join(outside, `dump.${name}`), flatten(kdump));
  symlinkSync(outside, join(made.root, 'var/crash', name));
  mkdirSync(join(made.root, 'var/crash/202611241002'));
  symlinkSync(join(outside, `dump.${name}`), join(made.root, 'var/crash/202611241002/dump.202611241002'));
  const e = await gather(made);
  expect([e.after_reboot?.dump_state, e.dump]).toEqual(['incomplete', null]);
});

it('the directory of dumps itself may be a link: its owner made it', async () => {
  const made = crashTree('debian');
  const elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
  rmSync(join(made.root, 'var/crash'), { recursive: true });
  symlinkSync(elsewhere, join(made.root, 'var/crash'));
  mkdirSync(join(elsewhere, name));
  writeFileSync(join(elsewhere, name, `dump.${name}`), flatten(kdump));
  expect((await gather(made)).dump?.fired).toBe('present');
});

it('a directory that became a link after it was looked at is not read', async () => {
  const made = crashTree('debian');
  putDump(made, 'debian', kdump);
  const [entry] = (await crashEntries(join(made.root, 'var/crash'), /./, new Set(), 1)) ?? [];
  if (!entry) throw new Error('there is no entry');
  const outside = mkdtempSync(join(tmpdir(), 'outside-'));
  writeFileSync(join(outside, `dump.${name}`), 'secret');
  rmSync(entry.path, { recursive: true });
  symlinkSync(outside, entry.path);
  await expect(openWithin(entry, `dump.${name}`)).rejects.toThrow('leads elsewhere');
});

it('what is no regular file is not opened: a pipe would block for ever', async () => {
  const made = crashTree('debian');
  mkdirSync(join(made.root, 'var/crash', name, `dump.${name}`), { recursive: true });
  const [entry] = (await crashEntries(join(made.root, 'var/crash'), /./, new Set(), 1)) ?? [];
  if (!entry) throw new Error('there is no entry');
  expect(await filesOf(entry)).toEqual([]);
  await expect(openWithin(entry, `dump.${name}`)).rejects.toThrow('is no regular file');
  expect((await gather(made)).dump).toBeNull();
});

it('a file that is larger than any dump of this machine is not read', async () => {
  const made = crashTree('debian');
  putDump(made, 'debian', flatten(kdump));
  truncateSync(join(made.root, 'var/crash', name, `dump.${name}`), 2 ** 43);
  const started = performance.now();
  const e = await gather(made);
  expect(performance.now() - started).toBeLessThan(5000);
  expect(e.dump?.fault).toContain('larger than the memory of this machine');
});

it('a dump header with absurd sizes is a finding', async () => {
  const made = crashTree('fedora');
  const absurd = Uint8Array.from(kdump);
  absurd.fill(0xff, 400, 4096 + 200);
  putDump(made, 'fedora', absurd);
  const e = await gather(made);
  expect(e.dump).not.toBeNull();
  expect(e.dump?.fired).not.toBe('present');
});

it('thousands of directories, and names that no tooling gives, hide nothing and take no long time', async () => {
  const made = crashTree('debian');
  putDump(made, 'debian', flatten(kdump));
  touch(made, `/var/crash/${name}`, 9e6);
  for (let i = 0; i < 3000; i++) mkdirSync(join(made.root, 'var/crash', String(100_000_000_000 + i)));
  for (const odd of ['a\nb', ' ', '..x', '202611241001\n', '$(reboot)', '\u{1F4A3}', 'x'.repeat(255)])
    mkdirSync(join(made.root, 'var/crash', odd));
  const started = performance.now();
  const e = await gather(made);
  expect(performance.now() - started).toBeLessThan(10_000);
  expect(e.dump?.fired).toBe('present');
  expect((await namesBefore(made.tree, made.root)).every((known) => /^\d{12}@\d+$/.test(known))).toBe(true);
});

it('a directory of dumps that is a file is not readable', async () => {
  const made = crashTree('debian');
  rmSync(join(made.root, 'var/crash'), { recursive: true });
  writeFileSync(join(made.root, 'var/crash'), '');
  expect((await gather(made)).after_reboot?.dump_state).toBe('unreadable');
});

test('nothing in the directory of dumps is changed by looking at it', async () => {
  const made = crashTree('debian');
  putDump(made, 'debian', flatten(kdump));
  const at = join(made.root, 'var/crash');
  const state = () => [readdirSync(at, { recursive: true }), statSync(join(at, name)).mtimeMs];
  const before = state();
  await gather(made);
  expect(state()).toEqual(before);
});

test('the dump of a trial is removed, and no other', async () => {
  const made = crashTree('debian');
  putDump(made, 'debian', flatten(kdump));
  made.write('/var/crash/202611241002/dump.202611241002', Buffer.alloc(100, 1));
  const removed = await removeTrialDump(made.tree, made.root, armed);
  expect(removed).toMatch(/\/202611241001$/);
  expect(readdirSync(join(made.root, 'var/crash'))).toEqual(['202611241002']);
  expect(await removeTrialDump(made.tree, made.root, armed)).toBeNull();
});

/** Whatever an attacker, a bad disk or another version of a tool may leave in the files that are read. */
const junk = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom(
    '',
    '\n\n',
    '32',
    '-1',
    '1e999',
    'ID=debian\nID=fedora',
    'KDUMP_COREDIR=/../../..\nNFS=:',
    'path ../../etc\next4 LABEL=../../x',
    'KDUMP_SAVEDIR="file://../../"',
    'btime 99999999999999999999',
    'MemTotal: 0 kB',
    'alice-secret Kernel panic - alice-secret',
    `dumpsurvey-beacon 1 ${listing.nonce}`,
    `crashpoint: v=2 nonce=${listing.nonce} point=alice-secret`,
    'vmcore status: saved successfully',
    '/dev/x /var/crash ext4',
    'x86/amd: Previous system reset reason [0x1]: alice-secret watchdog timer expired',
  ),
);
const readFiles = [
  '/etc/os-release',
  '/etc/default/kdump-tools',
  '/etc/kdump.conf',
  '/etc/sysconfig/kdump',
  '/etc/fstab',
  '/proc/self/mountinfo',
  '/proc/stat',
  '/proc/meminfo',
  '/sys/class/watchdog/watchdog0/identity',
  '/sys/class/watchdog/watchdog0/bootstatus',
  '/sys/fs/pstore/dmesg-ramoops-0',
  '/sys/fs/pstore/pmsg-ramoops-0',
  '/var/crash/202611241001/dump.202611241001',
  '/var/crash/127.0.0.1-2026-11-24-10:01:02/vmcore',
  '/var/crash/127.0.0.1-2026-11-24-10:01:02/kexec-dmesg.log',
  '/var/crash/2026-11-24-10-01/vmcore',
  '/var/crash/2026-11-24-10-01/README.txt',
  '/dev/beacons',
] as const;
const beacons = fc.constantFrom<BeaconChannel>(
  { kind: 'none' },
  { kind: 'ramoops' },
  { kind: 'disk', device: '/dev/beacons' },
);

test('whatever lies in the files that are read: evidence that a report may carry, without a word of theirs', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...namesOf(dumpLayouts)),
      fc.dictionary(fc.constantFrom(...readFiles), junk, { maxKeys: 8 }),
      beacons,
      fc.boolean(),
      async (name, files, beacon, beaconProven) => {
        const made = crashTree(name);
        try {
          for (const [path, contents] of Object.entries(files)) made.write(path, contents);
          const e = await gatherEvidence({
            tree: made.tree,
            root: made.root,
            armed: { ...armed, beacon },
            bootId: 'b',
            nowMs: Date.parse(armedAt) + 1000,
            kernelLog: Object.values(files),
            beaconProven,
          });
          expect(evidence.parse(e)).toEqual(e);
          expect(JSON.stringify(e)).not.toContain('alice-secret');
          // Nothing of it is a dump: no stage from the firing on is proven by anything but words that name the trial.
          expect(e.dump?.fired ?? 'missing').not.toBe('present');
          expect(e.trigger).toBeNull();
        } finally {
          rmSync(made.root, { recursive: true });
        }
      },
    ),
    { numRuns: 150 },
  );
});
