/** The crash module in a guest, without a crash: a sample of what a longer proof does with the same functions. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Lab, provision } from '../../agent/lab/provision.ts';
import { dataDir } from '../../agent/paths.ts';
import { crashPoints } from '../../schema/crash-point.ts';
import { crashTypes } from '../../schema/crash-type.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import { corpus, couldArm, guestNonce } from './corpus.ts';
import { type CycleReport, cycleFaults, cycleModule } from './module-cycles.ts';
import { type FuzzReport, fuzzFaults, fuzzModule } from './module-fuzz.ts';
import { healthFaults } from './module-health.ts';
import { type Listed, listModule } from './module-listing.ts';
import { splatsIn } from './splats.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await provision(join(dataDir(), 'lab'), console.log);
});

const source = (name: string) => readFileSync(new URL(`../../kmod/${name}`, import.meta.url), 'utf8');

function byName<T extends { readonly name: string }>(rows: readonly T[]): T[] {
  return rows.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** The rows of a C table as they should be listed: its names, and the text that follows each. */
function described(file: string): { name: string; description: string }[] {
  return [...source(file).matchAll(/\.name = "([^"]+)",\s*\.description = "([^"]+)"/g)].map((m) => ({
    name: m[1] ?? '',
    description: m[2] ?? '',
  }));
}

const texts = (rows: readonly Listed[]) => rows.map(({ name, description }) => ({ name, description }));

describe('what the module lists', () => {
  it('is the catalogue and its own tables, every point available where there are a disk and a card', async () => {
    const { points, types, health } = await listModule(lab, 'ahci-e1000-q35');
    const needed = namesOf(crashPoints).map((name) => ({
      name,
      needs: crashPoints[name].needs,
      unavailable: null,
    }));
    expect(byName(points.map(({ name, needs, unavailable }) => ({ name, needs, unavailable })))).toEqual(
      byName(needed),
    );
    expect(byName(types.map(({ name, unavailable }) => ({ name, unavailable })))).toEqual(
      byName(namesOf(crashTypes).map((name) => ({ name, unavailable: null }))),
    );
    expect(texts(points)).toEqual(described('points.c'));
    expect(texts(types)).toEqual(described('types.c'));
    expect(healthFaults(health)).toEqual([]);
  });

  it('names what the kernel cannot offer, and refuses it for the same reason before anything is armed', async () => {
    const { points, refused, state, health } = await listModule(lab, 'virtio_blk-pc');
    const missing = points.filter(({ unavailable }) => unavailable !== null);
    expect(byName(missing).map(({ name, unavailable }) => [name, unavailable])).toEqual([
      ['ata-ioctl', 'no function ata_scsi_ioctl to trace; is its module loaded?'],
      ['scsi-dispatch', 'no tracepoint scsi_dispatch_cmd_start in the kernel or a loaded module'],
    ]);
    for (const { name, unavailable } of missing)
      expect(refused[name]).toBe(`point ${name} is unavailable: ${unavailable}`);
    expect(state).toBe('state: planted');
    expect(healthFaults(health)).toEqual([]);
  });
});

describe('the module', () => {
  it('comes and goes, over all points under traffic, and leaves nothing behind', async () => {
    const report = await cycleModule(lab, 30);
    expect(cycleFaults(report)).toEqual([]);
    expect(report.options['nonsense=1']).toBe(true);
  });

  it('refuses nonsense, once and with its reason, also from three writers at a time', async () => {
    // Fewer inputs make a storm that is over before anybody else comes to arm.
    const report = await fuzzModule(lab, 400, 1);
    expect(fuzzFaults(report)).toEqual([]);
    expect(report.fed.filter(({ failed }) => failed).length).toBeGreaterThan(250);
    expect(report.storm.fed).toBe(100);
    expect(report.storm.armed).toBeGreaterThan(0);
    expect(report.storm.reads).toBeGreaterThan(0);
  });
});

describe('the inputs', () => {
  const arm = `action=arm nonce=${guestNonce} point=timer type=panic`;

  it('hold none that could arm', () => {
    expect(corpus(5000, 1).filter(couldArm)).toEqual([]);
  });

  it.each([
    [arm, true],
    [`${arm} skip=7\n`, true],
    [`${arm} skip=7 skip=8`, false],
    [`${arm} inflight=2`, false],
    [`${arm} inflight=2 device=8:0`, true],
    [`${arm} device=4095:0`, false],
    [`${arm} pci=0000:00:01.0`, false],
    [`${arm}\0`, false],
    [arm.replace('timer', 'driver-irq'), false],
    [arm.replace('panic', 'oom'), false],
    ['action=disarm', false],
  ])('%j: could arm is %j', (text, expected) => {
    expect(couldArm(Buffer.from(text))).toBe(expected);
  });

  it('are the same for the same seed', () => {
    expect(corpus(50, 7)).toEqual(corpus(50, 7));
    expect(corpus(50, 7)).not.toEqual(corpus(50, 8));
  });
});

describe('a splat', () => {
  it.each([
    '[    1.0] BUG: sleeping function called from invalid context at kernel/locking/mutex.c:580',
    '[    1.0] WARNING: CPU: 0 PID: 77 at kernel/trace/ftrace.c:2110 ftrace_bug+0x2a/0x2c0',
    '[    1.0] Redzone  ffff888004b1d000: bb bb bb bb bb bb bb bb  ........',
    '[    1.0] Object   ffff888004b1d000: 6b 6b 6b 6b 6b 6b 6b 6b  kkkkkkkk',
    '[    1.0] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
    '[    1.0] Uhhuh. NMI received for unknown reason 20 on CPU 0.',
    '[    1.0] BUG kmalloc-2k (Tainted: G           OE     ): Poison overwritten',
  ])('is seen: %s', (line) => {
    expect(splatsIn(['[    0.9] sd 0:0:0:0: [sda] Attached SCSI disk', line])).toEqual([line]);
  });
});

describe('what is wrong', () => {
  const memory = (kib: Record<string, number>, objects: Record<string, number>) => ({ kib, objects });
  const cycles: CycleReport = {
    cycles: 1000,
    failed: [],
    options: {},
    unexpected: [],
    measuredAt: 50,
    before: memory({ MemFree: 370_652, Slab: 27_084 }, { 'kmalloc-64': 900 }),
    after: memory({ MemFree: 370_252, Slab: 27_012 }, { 'kmalloc-64': 889 }),
    orphans: [],
    health: { splats: [], taint: 0, gone: true },
    wallMs: 0,
  };

  it.each<[string, Partial<CycleReport>]>([
    ['', {}],
    ['MemFree is worse by 3800 KiB', { after: memory({ MemFree: 366_852, Slab: 27_084 }, {}) }],
    ['the cache kmalloc-64 has 52 objects more', { after: memory(cycles.after.kib, { 'kmalloc-64': 952 }) }],
    ['the kernel is tainted with 512', { health: { splats: [], taint: 512, gone: true } }],
    ['the module is still there', { health: { splats: [], taint: 0, gone: false } }],
  ])('with cycles is said: %j', (fault, change) => {
    expect(cycleFaults({ ...cycles, ...change })).toEqual(fault === '' ? [] : [fault]);
  });

  const input = { text: Buffer.from('action=arm'), failed: true, refusals: ['nothing is armed'] };
  const fuzz: FuzzReport = {
    inputs: 1,
    fed: [input],
    plantings: [],
    storm: { fed: 0, failed: 3, refused: 3, armed: 1, reads: 1, unread: [] },
    refusals: 4,
    unknown: [],
    unseen: [],
    orphans: [],
    health: cycles.health,
    wallMs: 0,
  };

  it.each<[string, Partial<FuzzReport>]>([
    ['', {}],
    ['input 1 failed, with 0 refusals: "action=arm"', { fed: [{ ...input, refusals: [] }] }],
    [
      'input 1 was taken, with 0 refusals: "action=arm"',
      { fed: [{ ...input, failed: false, refusals: [] }] },
    ],
    ['4 writes failed, 3 were refused', { storm: { ...fuzz.storm, failed: 4 } }],
  ])('with inputs is said: %j', (fault, change) => {
    expect(fuzzFaults({ ...fuzz, ...change })).toEqual(fault === '' ? [] : [fault]);
  });
});
