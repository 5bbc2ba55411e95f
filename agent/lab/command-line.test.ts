import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { crashTypes } from '../../schema/crash-type.ts';
import { armedLine, canaryLines } from '../../schema/log-canary.ts';
import { scenarioId, scenarioSets } from '../../schema/scenario.ts';
import {
  captureCommandLine,
  firstCommandLine,
  plantLines,
  qemuArguments,
  qualified,
} from './command-line.ts';
import { build, type LabMachine, labMachines } from './machines.ts';

const machines: [string, LabMachine][] = Object.entries(labMachines);
const scenarios = Object.values(scenarioSets).flat();

/** A command line as the guest's `opt` reads it. */
function wordsOf(line: string): Map<string, string> {
  return new Map(
    line.split(' ').map((word) => [word.split('=')[0] ?? '', word.slice(word.indexOf('=') + 1)]),
  );
}

test("the capture kernel's command line is bare, and ends what panics", () => {
  const line = captureCommandLine();
  expect(line).toBe('console=ttyS0 earlyprintk=ttyS0,115200 nr_cpus=1 panic=5 ds.dump_at=1048576');
  expect(line).not.toMatch(/reset_devices|irqpoll/);
});

test("the first kernel's command line", () => {
  const line = firstCommandLine(labMachines['nvme-q35'], {
    mode: 'trial',
    point: 'timer',
    type: 'oom',
    trigger: 'crashpoint',
    needs: 'pci',
    stimulus: 'disk',
    load: 'disk',
    inFlightMin: 2,
    sysctls: { panic_on_oops: 1, 'vm.panic_on_oom': 2 },
  });
  expect(Object.fromEntries(wordsOf(line))).toEqual({
    console: 'ttyS0',
    loglevel: '5',
    panic: '5',
    crashkernel: `${build.crashKernelMib}M`,
    'ds.mode': 'trial',
    'ds.disk': 'nvme0n1',
    'ds.point': 'timer',
    'ds.type': 'oom',
    'ds.trigger': 'crashpoint',
    'ds.lkdtm': '',
    'ds.needs': 'pci',
    'ds.stimulus': 'disk',
    'ds.interface': '',
    'ds.patience_s': String(build.patienceMs / 1000),
    'ds.load': 'disk',
    'ds.inflight': '2',
    'ds.sysctls': 'kernel.panic_on_oops=1,vm.panic_on_oom=2',
    'ds.load_at_mib': '512',
    'ds.watchdog_s': String(build.watchdogMs / 1000),
  });
});

test('an order that is left out is empty, not undefined', () => {
  expect(firstCommandLine(labMachines['virtio_blk-pc'], { mode: 'bare' })).not.toContain('undefined');
});

describe.each(machines)('%s', (_, machine) => {
  it.each(scenarios.map((s) => [scenarioId(s), s] as const))(
    '%s fits the command line of a kernel',
    (__, s) => {
      const line = firstCommandLine(machine, {
        mode: 'trial',
        point: s.crash_point,
        type: s.crash_type,
        load: s.load,
        inFlightMin: s.in_flight_min,
        sysctls: crashTypes[s.crash_type].sysctls,
      });
      expect(line).toMatch(/^[\x21-\x7e]+( [\x21-\x7e]+)*$/);
      expect(line.length).toBeLessThan(2048);
    },
  );
});

test('every word that the guests ask for is one that they are given', () => {
  const given = new Set([
    ...wordsOf(firstCommandLine(labMachines['virtio_blk-pc'], { mode: 'trial' })).keys(),
    ...wordsOf(captureCommandLine()).keys(),
  ]);
  for (const script of ['first.sh', 'capture.sh', 'lab.sh']) {
    const text = readFileSync(new URL(`guest/${script}`, import.meta.url), 'utf8');
    for (const [, word] of text.matchAll(/\$\(opt ([\w.]+)\)/g)) expect(given, script).toContain(word);
  }
});

describe('the order to plant', () => {
  const nonce = 'ab'.repeat(16);

  it('arms the mechanism, unless the trial is a control', () => {
    expect(plantLines({ nonce }, 'crashpoint')).toBe(`plant ${nonce}`);
    expect(plantLines({ nonce, control: false }, 'crashpoint')).toBe(`plant ${nonce}`);
    expect(plantLines({ nonce, control: true }, 'crashpoint')).toBe(`control ${nonce}`);
  });

  it.each(['sysrq', 'lkdtm'] as const)('without the module (%s) brings what goes into the log', (trigger) => {
    const [order, ...lines] = plantLines({ nonce, control: true }, trigger).split('\n');
    expect(order).toBe(`control ${nonce}`);
    expect(lines.pop()).toBe('end');
    expect(lines).toEqual([armedLine(nonce), ...canaryLines(nonce)].map((line) => `line ${line}`));
  });

  it('is one that the guest knows, and of a control it says what it reads back', () => {
    const script = readFileSync(new URL('guest/first.sh', import.meta.url), 'utf8');
    expect(script).toContain('read -r order nonce <&4\narm_mechanism\n');
    for (const word of ['plant', 'control']) expect(script).toMatch(new RegExp(`^\t${word}\\)`, 'm'));
    expect(script).toMatch(/^say armed ".* kexec_crash_loaded=\$\(crash_loaded\)"$/m);
  });
});

test.each([
  ['panic_on_oops', 'kernel.panic_on_oops'],
  ['vm.panic_on_oom', 'vm.panic_on_oom'],
])('the sysctl %s is %s', (name, full) => {
  expect(qualified(name)).toBe(full);
});

describe('qemuArguments', () => {
  const boot = {
    kernel: '/lab/vmlinux',
    initrd: '/lab/first.cpio',
    commandLine: 'console=ttyS0 ds.sysctls=a=1,b=2',
    memoryMib: 512,
    processors: 2,
    disk: '/lab/a,b/disk.img',
    iops: 150,
  };
  const args = qemuArguments(labMachines['ahci-q35'], boot);
  const following = (option: string) => args[args.indexOf(option) + 1];

  it('boots the kernel with the disk under test, throttled, and a watchdog that resets', () => {
    expect(following('-kernel')).toBe('/lab/vmlinux');
    expect(following('-append')).toBe(boot.commandLine);
    expect(following('-machine')).toBe('q35');
    expect(following('-action')).toBe('watchdog=reset');
    expect(following('-drive')).toBe(
      'file=/lab/a,,b/disk.img,format=raw,if=none,id=disk0,cache=unsafe,throttling.iops-total=150',
    );
    expect(args).toContain('-no-reboot');
    expect(args).toContain('-nodefaults');
  });

  it('does not throttle an idle disk', () => {
    expect(qemuArguments(labMachines['ahci-q35'], { ...boot, iops: null }).join(' ')).not.toContain(
      'throttling',
    );
  });

  it('shares nothing with the host: no network but one that ends in QEMU, no file system, no acceleration', () => {
    for (const [, machine] of machines) {
      const line = qemuArguments(machine, boot).join(' ');
      expect(line.replaceAll(/-netdev user,id=net0,restrict=on /g, '')).not.toMatch(
        /-net|virtfs|-accel kvm|vfio|host_/,
      );
    }
  });
});
