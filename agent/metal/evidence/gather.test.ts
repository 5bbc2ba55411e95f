/** What is found after a reboot, in trees of three distributions; and that nothing else is claimed. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { type DumpLayout, dumpLayouts } from '../../../schema/after-reboot.ts';
import { classify } from '../../../schema/classify/classify.ts';
import { type Evidence, evidence } from '../../../schema/evidence.ts';
import { findScenario } from '../../../schema/scenario.ts';
import { namesOf } from '../../../schema/vocabulary.ts';
import { forgery, kdump, listing } from '../../../test/fixtures/dumps/fixture.ts';
import { flatten, toKdump, withBytes } from '../../../test/fixtures/dumps/forge.ts';
import {
  armedAt,
  type CrashTree,
  crashTree,
  dumpNames,
  putBegun,
  putDump,
  suseReadme,
  touch,
} from '../../../test/fixtures/metal/crash-trees.ts';
import { type GatherOptions, gatherEvidence, survivedEvidence } from './gather.ts';
import { namesBefore } from './place.ts';

const names = namesOf(dumpLayouts);
const scenario = findScenario('standard/1', 'direct/panic/idle/none');
if (scenario === null) throw new Error('there is no first scenario');

const armed: GatherOptions['armed'] = {
  boot_id: 'a',
  armed_at: armedAt,
  listing,
  watchdog: { present: false, timeout_ms: 0 },
  beacon: { kind: 'none' },
  crash_before: [],
};

async function gather(made: CrashTree, change: Partial<GatherOptions['armed']> = {}, more = {}) {
  const { tree, root } = made;
  const e = await gatherEvidence({
    tree,
    root,
    armed: { ...armed, ...change },
    bootId: 'b',
    nowMs: Date.parse(armedAt) + 120_000,
    ...more,
  });
  expect(evidence.parse(e)).toEqual(e);
  return e;
}

const outcomeOf = (e: Evidence) => classify(e, scenario, 'kdump');
/** The dump as each tooling writes it: Debian's and SUSE's are flattened. */
const dumpOf = (name: DumpLayout) => (name === 'fedora' ? kdump : flatten(kdump));

describe.each(names)('%s', (name) => {
  it('a dump of this trial is verified, and the machine came back by itself', async () => {
    const made = crashTree(name);
    putDump(made, name, dumpOf(name));
    const e = await gather(made);
    expect(outcomeOf(e)).toMatchObject({
      result: 'captured',
      reached: { proven: 'dump_written', excluded: null },
      verdict: 'verified',
      recovery: 'self',
    });
    expect(e.after_reboot).toEqual({
      layout: name,
      dump_state: 'complete',
      watchdog_status: 'not-reported',
      reset_reason: null,
      pstore_records: 0,
      capture_log_found: false,
      receiver: null,
    });
    expect(e.crash_log).toEqual(
      expect.arrayContaining(['Kernel panic - not syncing', ' crash_panic+0x11/0x10b [crashpoint]']),
    );
    expect(e.duration_ms).toBe(120_000);
  });

  it('nothing came: that no dump was written is known, and nothing else', async () => {
    const e = await gather(crashTree(name));
    expect(e.after_reboot?.dump_state).toBe('none');
    expect(outcomeOf(e)).toMatchObject({
      result: 'failed',
      reached: { proven: null, excluded: 'dump_written' },
      verdict: null,
      recovery: 'unknown',
      cause: 'unknown',
    });
  });

  it('an unfinished dump: the target was there, and the dump was not written to its end', async () => {
    const made = crashTree(name);
    putBegun(made, name, dumpOf(name).subarray(0, 30_000));
    const e = await gather(made);
    expect(e.after_reboot?.dump_state).toBe('incomplete');
    expect(outcomeOf(e)).toMatchObject({
      result: 'failed',
      reached: { proven: 'target_ready', excluded: 'dump_written' },
      verdict: 'incomplete',
      recovery: 'unknown',
    });
  });

  it('a directory in which nothing was begun', async () => {
    const made = crashTree(name);
    mkdirSync(join(made.root, 'var/crash', dumpNames[name].directory));
    expect(outcomeOf(await gather(made))).toMatchObject({
      reached: { proven: 'target_ready', excluded: 'dump_written' },
      verdict: null,
    });
  });

  it('what was there before the arming is not looked at', async () => {
    const made = crashTree(name);
    putDump(made, name, dumpOf(name));
    const before = await namesBefore(made.tree, made.root);
    expect(before).toEqual([expect.stringMatching(new RegExp(`^${dumpNames[name].directory}@\\d+$`))]);
    expect((await gather(made, { crash_before: before })).after_reboot?.dump_state).toBe('none');
  });

  it('the dump of another crash proves nothing of this trial', async () => {
    const made = crashTree(name);
    const other = withBytes(forgery, listing.armed, (bytes) => bytes.fill(7, 8, 24));
    putDump(made, name, toKdump(withBytes(other, listing.fired, (bytes) => bytes.fill(7, 8, 24))));
    expect(outcomeOf(await gather(made))).toMatchObject({
      result: 'failed',
      verdict: 'foreign',
      reached: { proven: null, excluded: null },
    });
  });

  it('a crash by itself while it was armed is told apart', async () => {
    const made = crashTree(name);
    const unfired = withBytes(forgery, listing.fired, (bytes) => bytes.set(Buffer.from('DSUNFIRD')));
    putDump(made, name, toKdump(unfired));
    expect(outcomeOf(await gather(made))).toMatchObject({
      result: 'inconclusive',
      verdict: 'foreign',
      cause: 'unknown',
    });
  });
});

test('a dump under a name that there was before is found: a clock was set back', async () => {
  const made = crashTree('debian');
  made.write('/var/crash/202611241001/dump.202611241001', Buffer.alloc(5000, 1));
  touch(made, '/var/crash/202611241001', -3600);
  const before = await namesBefore(made.tree, made.root);
  rmSync(join(made.root, 'var/crash/202611241001/dump.202611241001'));
  putDump(made, 'debian', flatten(kdump));
  expect(outcomeOf(await gather(made, { crash_before: before })).result).toBe('captured');
});

test('of several dumps, the nonce decides, not the time', async () => {
  const made = crashTree('debian');
  putDump(made, 'debian', flatten(kdump));
  made.write('/var/crash/202611241005/dump.202611241005', Buffer.alloc(5000, 1));
  made.write('/var/crash/202611241006/dump-incomplete', Buffer.alloc(10));
  touch(made, '/var/crash/202611241001', 60);
  touch(made, '/var/crash/202611241005', 300);
  touch(made, '/var/crash/202611241006', 360);
  expect(outcomeOf(await gather(made)).result).toBe('captured');
});

test.each<[keyof typeof suseReadme, string]>([
  ['before', 'incomplete'],
  ['failed', 'incomplete'],
  ['after', 'complete'],
  ['old', 'complete'],
])("SUSE's README.txt %s the dump: %s", async (readme, state) => {
  const made = crashTree('suse');
  putDump(made, 'suse', flatten(kdump));
  made.write(`/var/crash/${dumpNames.suse.directory}/README.txt`, suseReadme[readme]);
  expect((await gather(made)).after_reboot?.dump_state).toBe(state);
});

test("the capture kernel's own log gives the cause, and nothing of it but the agreed words leaves", async () => {
  const made = crashTree('fedora');
  putBegun(made, 'fedora', Buffer.alloc(0));
  made.write(
    `/var/crash/${dumpNames.fedora.directory}/kexec-dmesg.log`,
    [
      '[    0.000000] Linux version 6.11.4 (mockbuild@secret-host.example)',
      '[    4.100000] BUG: kernel NULL pointer dereference, address: 0000000000000008',
      '[    4.100000] CPU: 0 PID: 99 Comm: alices-secret Not tainted',
      '[    4.100000] RIP: 0010:esp_reset_cleanup+0x26/0x290 [esp_scsi]',
      '[    4.100000]  ? guessed+0x1/0x2',
      '[    4.100000]  scsi_esp_intr+0x9c1/0x1d70 [esp_scsi]',
      'Nov 24 10:01:02 secret-host systemd[1]: Failed to mount /secret.',
    ].join('\n'),
  );
  const e = await gather(made);
  expect(e.capture_log).toEqual([
    'BUG: kernel NULL pointer dereference',
    ' RIP: 0010:esp_reset_cleanup+0x26/0x290 [esp_scsi]',
    ' scsi_esp_intr+0x9c1/0x1d70 [esp_scsi]',
  ]);
  expect(JSON.stringify(e)).not.toContain('secret');
  expect(e.after_reboot?.capture_log_found).toBe(true);
  expect(outcomeOf(e)).toMatchObject({
    cause: 'device',
    signature:
      'target_ready/direct/null-dereference in esp_reset_cleanup [esp_scsi] < scsi_esp_intr [esp_scsi]',
  });
});

describe('where dumps land', () => {
  it.each<[DumpLayout, string, string]>([
    ['debian', '/etc/default/kdump-tools', 'USE_KDUMP=1\nNFS="server:/crash"\n'],
    ['debian', '/etc/default/kdump-tools', 'USE_KDUMP=1\nSSH="kdump@server"\n'],
    ['fedora', '/etc/kdump.conf', 'nfs server:/export\n'],
    ['suse', '/etc/sysconfig/kdump', 'KDUMP_SAVEDIR="ssh://user@server/crash"\n'],
  ])('%s: elsewhere, and nobody there vouches: %s', async (name, file, text) => {
    const made = crashTree(name);
    made.write(file, text);
    const e = await gather(made);
    expect(e.after_reboot?.dump_state).toBe('elsewhere');
    expect(outcomeOf(e)).toMatchObject({ result: 'failed', verdict: 'unverifiable', cause: 'unknown' });
  });

  it('a device of its own that is mounted', async () => {
    const made = crashTree('fedora');
    made.write('/etc/kdump.conf', 'ext4 /dev/sdb1\npath /dumps\n');
    made.write('/proc/self/mountinfo', '36 25 8:17 / /srv/crash rw - ext4 /dev/sdb1 rw\n');
    made.write(`/srv/crash/dumps/${dumpNames.fedora.directory}/vmcore`, kdump);
    expect(outcomeOf(await gather(made)).result).toBe('captured');
  });

  it.each<[string, string]>([
    ['that is not mounted', 'ext4 /dev/sdb1\n'],
    ['without a file system', 'raw /dev/sdb1\n'],
  ])('a device of its own %s: nothing is known', async (_, text) => {
    const made = crashTree('fedora');
    made.write('/etc/kdump.conf', text);
    const e = await gather(made);
    expect(e.after_reboot?.dump_state).toBe('unreadable');
    expect(outcomeOf(e).reached).toEqual({ proven: null, excluded: null });
  });

  it.each<[string, string, string, string]>([
    [
      'is not there',
      '/dev/sdb1 /var/crash ext4 defaults 0 2\n',
      '25 1 8:1 / / rw - ext4 /dev/sda1 rw\n',
      'unreadable',
    ],
    [
      'is there',
      '# /dev/sdc1 /var ext4 defaults 0 2\n/dev/sda1 / ext4 defaults 0 1\n/dev/sdb1 /var/crash ext4 defaults 0 2\n',
      '25 1 8:1 / / rw - ext4 /dev/sda1 rw\n36 25 8:17 / /var/crash rw - ext4 /dev/sdb1 rw\n',
      'none',
    ],
  ])('a file system of its own that %s', async (_, fstab, mountinfo, state) => {
    const made = crashTree('debian');
    made.write('/etc/fstab', fstab);
    made.write('/proc/self/mountinfo', mountinfo);
    expect((await gather(made)).after_reboot?.dump_state).toBe(state);
  });

  it('a distribution that is not known: nothing is known', async () => {
    const made = crashTree('debian');
    made.write('/etc/os-release', 'ID=plan9\n');
    putDump(made, 'debian', kdump);
    expect((await gather(made)).after_reboot).toMatchObject({ layout: null, dump_state: 'unreadable' });
  });
});

test('an unfinished dump on a file system without space is charged to the resource', async () => {
  const made = crashTree('debian');
  putBegun(made, 'debian', flatten(kdump).subarray(0, 30_000));
  const full = await gather(made, {}, { freeBytesAt: async () => 4096 });
  expect(outcomeOf(full)).toMatchObject({ cause: 'resource', signature: 'target_ready/direct/no-space' });
  const roomy = await gather(made, {}, { freeBytesAt: async () => 2 ** 30 });
  expect(outcomeOf(roomy).cause).toBe('unknown');
  putDump(made, 'debian', flatten(kdump));
  expect((await gather(made, {}, { freeBytesAt: async () => 0 })).capture_log).toEqual([]);
});

test('a dump that was packed as a whole is the fault of the set-up, not of a driver', async () => {
  const made = crashTree('debian');
  made.write('/var/crash/202611241001/dump.202611241001.gz', Buffer.from([0x1f, 0x8b]));
  expect(outcomeOf(await gather(made))).toMatchObject({ result: 'inconclusive', cause: 'harness' });
});

describe('how the machine came up again', () => {
  const withDump = () => {
    const made = crashTree('debian');
    putDump(made, 'debian', flatten(kdump));
    return made;
  };
  const dog = (made: CrashTree, identity: string, bootstatus: number) => {
    made.write('/sys/class/watchdog/watchdog0/identity', `${identity}\n`);
    made.write('/sys/class/watchdog/watchdog0/bootstatus', `${bootstatus}\n`);
    return made;
  };
  const running = { watchdog: { present: true, timeout_ms: 60_000 } };
  const slow = { watchdog: { present: true, timeout_ms: 600_000 } };

  it.each<[string, CrashTree, object, string]>([
    ['a watchdog says that it did it', dog(crashTree('debian'), 'i6300ESB timer', 32), running, 'watchdog'],
    ['even after a dump', dog(withDump(), 'i6300ESB timer', 32), running, 'watchdog'],
    ['a watchdog that reports says that it did not', dog(withDump(), 'i6300ESB timer', 0), running, 'reboot'],
    ['one that never reports says nothing', dog(withDump(), 'iTCO_wdt', 0), running, 'restart'],
    ['but its time was not over', dog(withDump(), 'iTCO_wdt', 0), slow, 'reboot'],
    ['no dump: not known by what', dog(crashTree('debian'), 'i6300ESB timer', 0), running, 'restart'],
  ])('%s', async (_, made, change, exit) => {
    expect((await gather(made, change)).exit).toBe(exit);
  });

  it.each<[string[], string | null, string]>([
    [
      ['x86/amd: Previous system reset reason [0x02000000]: hardware watchdog timer expired'],
      'watchdog',
      'watchdog',
    ],
    [
      [
        'x86/amd: Previous system reset reason [0x00080000]: software wrote 0x6 to reset control register 0xCF9',
      ],
      'software',
      'restart',
    ],
    [
      [
        'x86/amd: Previous system reset reason [0x02080000]: software wrote 0x6 to reset control register 0xCF9',
        'x86/amd: Previous system reset reason [0x02080000]: hardware watchdog timer expired',
      ],
      null,
      'restart',
    ],
    [['x86/amd: Previous system reset reason [0x1]: <script>'], null, 'restart'],
  ])('the kernel says why: %j', async (kernelLog, reason, exit) => {
    const e = await gather(crashTree('debian'), {}, { kernelLog });
    expect([e.after_reboot?.reset_reason, e.exit]).toEqual([reason, exit]);
  });

  it('is not told by what a later start left behind', async () => {
    const made = dog(crashTree('debian'), 'i6300ESB timer', 32);
    const e = await gather(made, running, { isFirstStart: false });
    expect([e.exit, e.after_reboot?.watchdog_status]).toEqual(['restart', 'not-reported']);
  });

  it('has to have been at all', async () => {
    await expect(gather(crashTree('debian'), { boot_id: 'b' })).rejects.toThrow('the trial was armed');
  });

  it('is not judged by a clock that jumped', async () => {
    const made = dog(withDump(), 'iTCO_wdt', 0);
    made.write('/proc/stat', 'btime 1000\n');
    expect((await gather(made, slow)).exit).toBe('restart');
  });
});

test('records of pstore that were not there before are counted, and their trigger line is read', async () => {
  const made = crashTree('debian');
  made.write('/sys/fs/pstore/dmesg-efi-1', 'old');
  const before = await namesBefore(made.tree, made.root);
  const line = `crashpoint: v=2 nonce=${listing.nonce} point=direct type=panic in_nmi=0 in_hardirq=0 in_softirq=0 irqs_off=0 preempt=00000001 task=user cpu=1 inflight=-1`;
  made.write(
    '/var/lib/systemd/pstore/1732442462/dmesg-efi-173244246201001',
    `Panic#1 Part1\n<4>[   20.0] ${line}\n<0>[   20.1] Kernel panic - not syncing: secret\n<4>[   20.1]  crash_panic+0x11/0x10b [crashpoint]\n`,
  );
  const e = await gather(made, { crash_before: before });
  expect(e.after_reboot?.pstore_records).toBe(1);
  expect(e.trigger?.task).toBe('user');
  expect(e.crash_log).toEqual(['Kernel panic - not syncing', ' crash_panic+0x11/0x10b [crashpoint]']);
  expect(outcomeOf(e).reached).toEqual({ proven: 'fired', excluded: 'dump_written' });
});

test('a record of pstore under a name that there was before counts where it holds the nonce', async () => {
  const made = crashTree('debian');
  made.write('/sys/fs/pstore/dmesg-ramoops-0', 'old');
  const before = await namesBefore(made.tree, made.root);
  const line = `crashpoint: v=2 nonce=${listing.nonce} point=direct type=panic in_nmi=0 in_hardirq=0 in_softirq=0 irqs_off=0 preempt=00000001 task=user cpu=1 inflight=-1`;
  made.write('/sys/fs/pstore/dmesg-ramoops-0', `${line}\nKernel panic - not syncing: x\n`);
  const e = await gather(made, { crash_before: before });
  expect([e.trigger?.crash_point, e.crash_log]).toEqual(['direct', ['Kernel panic - not syncing']]);
});

describe('a machine that never went down', () => {
  const base = { armed, nowMs: Date.parse(armedAt) + 5000, kernelLog: [], survived: null } as const;
  const outcome = (more: Partial<Parameters<typeof survivedEvidence>[0]>) => {
    const e = survivedEvidence({ ...base, module: 'unknown', ...more });
    expect(evidence.parse(e)).toEqual(e);
    return outcomeOf(e);
  };

  it.each([
    ['was never armed', 'not-armed', 'inconclusive', { proven: null, excluded: 'armed' }],
    ['waits for its crash point', 'waiting', 'inconclusive', { proven: 'armed', excluded: 'fired' }],
    ['fired, and went on', 'fired', 'failed', { proven: 'fired', excluded: 'detected' }],
    ['cannot say', 'unknown', 'failed', { proven: null, excluded: null }],
  ] as const)('%s', (_, module, result, reached) => {
    expect(outcome({ module })).toMatchObject({ result, reached, recovery: 'not-needed' });
  });

  it('its log shows the firing, where the module is gone', () => {
    const line = `[ 20.0] crashpoint: v=2 nonce=${listing.nonce} point=direct type=panic in_nmi=0 in_hardirq=0 in_softirq=0 irqs_off=0 preempt=00000001 task=user cpu=1 inflight=-1`;
    expect(outcome({ kernelLog: [line], survived: 'expected\npanic' }).reached.proven).toBe('fired');
  });
});
