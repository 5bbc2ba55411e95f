/** A machine is made ready, crashed or not, and left as it was: played in memory. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findScenario, type Scenario } from '../../schema/scenario.ts';
import { listingOf, type PlayedSystem, playedSystem } from '../../test/fixtures/metal/played-system.ts';
import { readChanged, undoChanged } from './changed.ts';
import { fire } from './fire.ts';
import { prepare, type Site } from './prepare.ts';
import { type MetalPaths, metalPaths } from './state.ts';

const nonce = '0123456789abcdef0123456789abcdef';

function scenario(id: string): Scenario {
  const found = findScenario('metal/1', id);
  if (found === null) throw new Error(`metal/1 has no ${id}`);
  return found;
}
const idlePanic = scenario('direct/panic/idle/distribution');
const diskException = scenario('direct/exception/disk/distribution');
const hang = scenario('direct/loop-irqoff/disk/distribution');

let data: string;
let paths: MetalPaths;
let system: PlayedSystem;
let site: Site;
const named: string[] = [];
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'metal-'));
  paths = { ...metalPaths(data), changed: join(data, 'changed.json') };
  system = playedSystem();
  named.length = 0;
  site = {
    disk: 'sda',
    scratch: '/var/crash/scratch',
    needed: [data, '/var/crash', '/var/crash/scratch'],
    kdumpService: 'kdump-tools.service',
    nameTrial: async (n) => {
      named.push(n);
    },
  };
});
afterEach(() => rmSync(data, { recursive: true }));

const order = (s: Scenario, control = false, capturesMs: readonly number[] = []) => ({
  nonce,
  scenario: s,
  control,
  capturesMs,
});

describe('a machine that is made ready', () => {
  it('has its records planted, its trial named, other file systems quiet, and all that was changed written down', async () => {
    const { planted, sysctls, watchdog } = await prepare(system, paths, site, order(diskException));
    expect(planted).toMatchObject({ nonce, armed: 0x1000n, fired: 0x2000n });
    expect(named).toEqual([nonce]);
    expect(sysctls).toEqual({ panic_on_oops: 1 });
    expect(system.files.get('/proc/sys/kernel/panic')?.trim()).toBe('10');
    expect(watchdog).toMatchObject({ dog: { name: 'watchdog0' }, timeoutMs: 600_000 });
    expect(system.done.filter((line) => line.startsWith('run mount'))).toEqual([
      'run mount -o remount,ro /home',
    ]);
    expect(await readChanged(paths)).toEqual({
      version: 1,
      boot_id: '11111111-2222-3333-4444-555555555555',
      sysctls: { panic_on_oops: 0, panic: 0 },
      mounts: ['/home'],
      kdump_service: null,
      module_loaded: true,
      scratch: '/var/crash/scratch',
    });
    // Nothing is armed yet, and no watchdog runs.
    expect(system.done.some((line) => /action=arm|opened/.test(line))).toBe(false);
  });

  it('is as it was before, once that is undone', async () => {
    const before = new Map(system.files);
    const { undo } = await prepare(system, paths, site, order(diskException));
    expect(await undo()).toEqual([]);
    for (const [path, text] of before)
      if (!path.endsWith('/timeout'))
        expect([path, system.files.get(path)?.trim()]).toEqual([path, text.trim()]);
    expect(system.done).toContain('run fsfreeze --unfreeze /home');
    expect(system.done).toContain('run mount -o remount,rw /home');
    expect(system.done.filter((line) => line.startsWith('start')).length).toBe(
      system.done.filter((line) => line.startsWith('stop')).length,
    );
    expect(existsSync(paths.changed)).toBe(false);
  });

  it('freezes what cannot be made read-only', async () => {
    system.answers.push([/remount,ro/, { code: 32 }]);
    await prepare(system, paths, site, order(idlePanic));
    expect(system.done).toContain('run fsfreeze --freeze /home');
  });

  it('gives the watchdog three times as long as captures took', async () => {
    const { watchdog } = await prepare(system, paths, site, order(idlePanic, false, [90_000, 70_000]));
    expect(watchdog?.timeoutMs).toBe(330_000);
  });

  it.each<[string, (s: PlayedSystem) => void, Scenario, string]>([
    [
      'the module does not load',
      (s) => s.answers.push([/^modprobe crashpoint/, { code: 1, stderr: 'no such module' }]),
      idlePanic,
      'does not load: no such module',
    ],
    [
      'the module takes no nonce',
      (s) => s.answers.push([/^tee/, { code: 1 }]),
      idlePanic,
      'nothing was planted',
    ],
    [
      'another nonce is planted',
      (s) =>
        s.answers.push([
          /^tee/,
          () => {
            s.files.set('/sys/kernel/debug/crashpoint/listing', listingOf('f'.repeat(32)));
            return {};
          },
        ]),
      idlePanic,
      'planted another nonce',
    ],
    [
      'no crash kernel is loaded',
      (s) => s.files.set('/sys/kernel/kexec_crash_loaded', '0'),
      idlePanic,
      'no capture kernel is loaded',
    ],
    [
      'the load brings nothing in flight',
      (s) => s.files.set('/sys/block/sda/inflight', '0 0'),
      diskException,
      'did not bring 1 requests in flight on sda',
    ],
    [
      'a scenario that hangs finds no watchdog',
      (s) =>
        s.files.delete('/sys/class/watchdog/watchdog0/identity') &&
        s.files.delete('/sys/class/watchdog/watchdog0/timeout') &&
        s.files.delete('/sys/class/watchdog/watchdog0/max_timeout') &&
        s.files.delete('/sys/class/watchdog/watchdog0/nowayout'),
      hang,
      'no hardware watchdog',
    ],
    [
      'the watchdog takes only short times',
      (s) => s.answers.push([/^wdctl/, { code: 1 }]),
      hang,
      'no hardware watchdog',
    ],
  ])('is left as it was where %s', async (_, spoil, s, message) => {
    spoil(system);
    await expect(prepare(system, paths, site, order(s))).rejects.toThrow(message);
    expect(system.files.get('/proc/sys/kernel/panic_on_oops')?.trim()).toBe('0');
    expect(system.files.get('/proc/sys/kernel/panic')?.trim()).toBe('0');
    expect(existsSync(paths.changed)).toBe(false);
    const started = system.done.filter((line) => line.startsWith('start')).length;
    expect(system.done.filter((line) => line.startsWith('stop')).length).toBe(started);
  });

  it('of a control has no crash kernel, and has it again afterwards', async () => {
    const unload = () => {
      system.files.set('/sys/kernel/kexec_crash_loaded', '0');
      return {};
    };
    system.answers.push([/^kexec -s -p -u/, unload]);
    const { undo } = await prepare(system, paths, site, order(idlePanic, true));
    expect(system.files.get('/sys/kernel/kexec_crash_loaded')).toBe('0');
    await undo();
    expect(system.done).toContain('run systemctl restart kdump-tools.service');
  });

  it('of a control whose crash kernel stays is not crashed', async () => {
    await expect(prepare(system, paths, site, order(idlePanic, true))).rejects.toThrow(
      'could not be unloaded',
    );
  });
});

describe('the crash', () => {
  const dog = { path: '/dev/watchdog0', timeoutMs: 900_000 };

  it('comes last: file systems are synchronized and the watchdog runs before the module is armed', async () => {
    await prepare(system, paths, site, order(diskException));
    system.onArmed = () => {
      throw new Error('crashed');
    };
    const fired = fire(system, { nonce, scenario: diskException, device: '8:0', watchdog: dog });
    await expect(fired).rejects.toThrow('crashed');
    expect(system.done.slice(-4)).toEqual([
      'run sync',
      'watchdog /dev/watchdog0 opened',
      'watchdog /dev/watchdog0 fed',
      `run tee /sys/kernel/debug/crashpoint/control < action=arm nonce=${nonce} point=direct type=exception device=8:0 inflight=1`,
    ]);
  });

  it('that nothing hits is disarmed, and the watchdog is stopped', async () => {
    await prepare(system, paths, site, order(diskException));
    const what = await fire(system, {
      nonce,
      scenario: scenario('timer/exception/disk/distribution'),
      device: '8:0',
      watchdog: dog,
    });
    expect(what).toEqual({ fired: false, refused: null, survived: null, isStuck: false });
    expect(system.done).toContain('run tee /sys/kernel/debug/crashpoint/control < action=disarm');
    expect(system.done.at(-1)).toBe('watchdog /dev/watchdog0 stopped');
  });

  it("that the module refuses says so in the module's words", async () => {
    await prepare(system, paths, site, order(idlePanic));
    system.onArmed = (state) => {
      state('planted');
      return { code: 1 };
    };
    system.answers.push([/^dmesg/, { stdout: '[1.0] crashpoint: refused: nothing is planted' }]);
    const what = await fire(system, { nonce, scenario: idlePanic, device: null, watchdog: null });
    expect(what).toMatchObject({ fired: false, refused: 'crashpoint: refused: nothing is planted' });
  });

  it('that was survived is told in the words of the module', async () => {
    await prepare(system, paths, site, order(diskException));
    system.onArmed = (state) => {
      state('fired');
      return { code: 137 };
    };
    system.answers.push([
      /^dmesg/,
      { stdout: `[1.0] crashpoint: survived nonce=${nonce} type=exception: expected an oops` },
    ]);
    const what = await fire(system, { nonce, scenario: diskException, device: '8:0', watchdog: dog });
    expect(what).toEqual({
      fired: true,
      refused: null,
      survived: 'type=exception: expected an oops',
      isStuck: false,
    });
  });

  it('that hangs is left to the watchdog, which is stopped only long after its time', async () => {
    await prepare(system, paths, site, order(hang));
    system.onArmed = (state) => {
      state('fired');
      return { code: 128 };
    };
    const before = system.now();
    const what = await fire(system, { nonce, scenario: hang, device: '8:0', watchdog: dog });
    expect(what.isStuck).toBe(true);
    expect(system.now() - before).toBeGreaterThan(dog.timeoutMs);
  });
});

describe('what an agent left behind that was ended', () => {
  it('is undone by the next one, armed or not', async () => {
    await prepare(system, paths, site, order(idlePanic));
    system.files.set('/sys/kernel/debug/crashpoint/control', 'state: armed\n');
    const what = await readChanged(paths);
    if (what === null) throw new Error('nothing was written down');
    expect(await undoChanged(system, paths, what)).toEqual([]);
    expect(system.done).toContain('run tee /sys/kernel/debug/crashpoint/control < action=disarm');
    expect(system.files.get('/proc/sys/kernel/panic')?.trim()).toBe('0');
    expect(existsSync(paths.changed)).toBe(false);
  });

  it('are, after a crash, the files of the load: they are removed at the next start', async () => {
    await prepare(system, paths, site, order(diskException));
    const what = await readChanged(paths);
    if (what === null) throw new Error('nothing was written down');
    system.done.length = 0;
    const left = { ...what, sysctls: {}, mounts: [], kdump_service: null, module_loaded: false };
    system.files.delete('/sys/kernel/debug/crashpoint/control');
    await undoChanged(system, paths, left);
    expect(system.done).toEqual([
      'run find /var/crash/scratch -maxdepth 1 -type f -name dumpsurvey-load* -delete',
    ]);
  });

  it('is named where it cannot be undone', async () => {
    await prepare(system, paths, site, order(idlePanic));
    system.answers.push([/remount,rw/, { code: 32 }]);
    const what = await readChanged(paths);
    if (what === null) throw new Error('nothing was written down');
    expect(await undoChanged(system, paths, what)).toEqual(['/home is not writable again']);
  });

  it('is not touched where the record of it cannot be read', async () => {
    writeFileSync(paths.changed, '{"version":1,"mounts":["/');
    await expect(readChanged(paths)).rejects.toThrow('it is no JSON');
    expect(readFileSync(paths.changed, 'utf8')).toBe('{"version":1,"mounts":["/');
  });
});
