/** Real runs of the lab, from what their channels showed to the profile, the evidence and the whole outcome. */
import { describe, expect, it, test } from 'vitest';
import { type LabMachineName, labMachines } from '../agent/lab/machines.ts';
import { excerpt } from '../agent/lab/observe.ts';
import { inventory, profileText } from '../agent/machine/inventory.ts';
import { classify } from '../schema/classify/classify.ts';
import { symptomOf } from '../schema/classify/symptom.ts';
import { contextFaults, watchedEvidence } from '../schema/evidence.ts';
import type { Outcome } from '../schema/outcome.ts';
import { type Device, partsOf, profile } from '../schema/profile.ts';
import {
  captureConsole,
  evidenceOf,
  type RecordedRun,
  type RunName,
  recordedRun,
  runNames,
  treeOf,
} from './fixtures/runs/runs.ts';

const captured: Outcome = {
  result: 'captured',
  reached: { proven: 'dump_written', excluded: null },
  verdict: 'verified',
  verdict_reason: 'verified',
  recovery: 'self',
  cause: null,
  signature: null,
};

describe('the outcome', () => {
  it.each<[RunName, Outcome]>([
    ['virtio_blk', captured],
    ['sym53c8xx', captured],
    ['megaraid_sas', captured],
    [
      'am53c974',
      {
        result: 'failed',
        reached: { proven: 'capture_booted', excluded: 'target_ready' },
        verdict: 'unreadable',
        verdict_reason: 'empty',
        recovery: 'self',
        cause: 'device',
        signature:
          'capture_booted/timer/null-dereference in esp_reset_cleanup [esp_scsi] < scsi_esp_intr [esp_scsi] < __handle_irq_event_percpu',
      },
    ],
    [
      'loop-irqoff',
      {
        result: 'failed',
        reached: { proven: 'fired', excluded: 'detected' },
        verdict: 'unreadable',
        verdict_reason: 'empty',
        recovery: 'watchdog',
        cause: 'detection',
        signature:
          'fired/direct/rcu-stall in cp_crash_loop_irqoff [crashpoint] < cp_hit [crashpoint] < wait_here [crashpoint]',
      },
    ],
  ])('%s', (name, outcome) => {
    const run = recordedRun(name);
    expect(classify(evidenceOf(run), run.scenario, 'kdump')).toEqual(outcome);
  });
});

describe.each(runNames)('%s', (name) => {
  const run = recordedRun(name);
  const e = evidenceOf(run);

  it('gives evidence that a report may carry', () => {
    expect(watchedEvidence.parse(e)).toEqual(e);
    expect(e.harness_fault).toBeNull();
  });

  it('fired where and as it was asked to, with requests in flight, in the context that the point claims', () => {
    expect(e.trigger).toMatchObject({
      crash_point: run.scenario.crash_point,
      crash_type: run.scenario.crash_type,
    });
    expect(e.trigger && contextFaults(e.trigger)).toEqual([]);
    expect(e.trigger?.in_flight).toBeGreaterThanOrEqual(run.scenario.in_flight_min);
  });

  it('shows stages in their order, at times that do not go back', () => {
    const { saw, could_see } = e.channel;
    expect(saw.map(({ stage }) => stage)).toEqual(could_see.slice(0, saw.length));
    expect(saw.map(({ at_ms }) => at_ms)).toEqual(saw.map(({ at_ms }) => at_ms).toSorted((a, b) => a - b));
    expect(saw[0]?.at_ms).toBe(0);
  });
});

describe('the excerpt of the capture kernel', () => {
  it('shows what went wrong, from shortly before it, and as much of the rest as a report may carry', () => {
    const { capture_log } = evidenceOf(recordedRun('am53c974'));
    expect(capture_log.slice(0, 5).map((line) => line.replace(/^\[[\s\d.]+\] /, ''))).toEqual([
      'SCSI subsystem initialized',
      'ACPI: \\_SB_.LNKC: Enabled at IRQ 11',
      'scsi host0: Unexpected event 0, resetting',
      'BUG: kernel NULL pointer dereference, address: 0000000000000000',
      '#PF: supervisor read access in kernel mode',
    ]);
    expect(capture_log).toHaveLength(100);
  });

  it.each(['virtio_blk', 'sym53c8xx', 'megaraid_sas'] as const)(
    'of %s, which captured, holds its end alone',
    (name) => {
      const run = recordedRun(name);
      const { capture_log } = evidenceOf(run);
      expect(capture_log).toHaveLength(20);
      expect(capture_log.at(-1)).toContain('reboot: machine restart');
    },
  );

  it.each(['virtio_blk', 'sym53c8xx', 'megaraid_sas'] as const)(
    'no line of %s, which captured, is a symptom',
    (name) => {
      const lines = captureConsole(recordedRun(name));
      expect(lines.length).toBeGreaterThan(200);
      expect(lines.filter((line) => symptomOf([line]) !== null)).toEqual([]);
    },
  );

  it('is empty where no capture kernel started', () => {
    expect(evidenceOf(recordedRun('loop-irqoff')).capture_log).toEqual([]);
    expect(excerpt(captureConsole(recordedRun('loop-irqoff')), 100)).toEqual([]);
  });
});

function profileOf(run: RecordedRun) {
  return inventory(treeOf(run), {
    population: 'lab',
    labMachine: run.machine,
    dumpDisk: labMachines[run.machine as LabMachineName].disk,
    tools: run.tools,
  });
}

/** A PCI device of the guest by its ids: vendor, device, subsystem vendor and device, class, revision. */
function pci(
  address: string,
  ids: string,
  driver: string | null = null,
  build_id: string | null = null,
): Device {
  const [vendor, device, subsystem_vendor, subsystem_device, deviceClass, revision] = ids
    .split(' ')
    .map((id) => `0x${id}`);
  return {
    bus: 'pci',
    address: `0000:00:${address}`,
    vendor: vendor ?? null,
    device: device ?? null,
    subsystem_vendor: subsystem_vendor ?? null,
    subsystem_device: subsystem_device ?? null,
    class: deviceClass ?? null,
    revision: revision ?? null,
    driver,
    build_id,
  };
}

const guest = {
  version: '1.0',
  population: 'lab',
  kernel: { release: '6.1.0-56-amd64', series: '6.1', preemption: 'voluntary' },
  firmware: 'bios',
  cpu: { vendor: 'AuthenticAMD', family: 15, model: 107, count: 2 },
  memory_mib: 448,
  iommu: false,
  crash_kernel_mib: 160,
  tools: { kexec: '2.0.25', makedumpfile: '1.7.2' },
};
const watchdogBuild = '40296eb4fe546b96f9c74f8c8fb2eae369bb1f3f';

describe('the profile', () => {
  it('of virtio_blk on Q35', () => {
    expect(profileOf(recordedRun('virtio_blk'))).toEqual({
      ...guest,
      lab_machine: 'virtio_blk-q35',
      chipset: 'Q35',
      devices: [
        pci('00.0', '8086 29c0 1af4 1100 060000 00'),
        pci('01.0', '8086 25ab 1af4 1100 088000 00', 'i6300ESB timer', watchdogBuild),
        pci(
          '02.0',
          '1af4 1001 1af4 0002 010000 00',
          'virtio-pci',
          '972eeb3e880ac029800a8276f6a151c7fd9fbcb7',
        ),
        pci('1f.0', '8086 2918 1af4 1100 060100 02'),
        pci('1f.2', '8086 2922 1af4 1100 010601 02'),
        pci('1f.3', '8086 2930 1af4 1100 0c0500 02'),
        {
          bus: 'virtio',
          address: 'virtio0',
          vendor: '0x1af4',
          device: '0x0002',
          subsystem_vendor: null,
          subsystem_device: null,
          class: null,
          revision: null,
          driver: 'virtio_blk',
          build_id: '7494da1807beca7fbec2c92fd6d7c938f5cf1923',
        },
      ],
      dump_target: ['virtio0'],
    });
  });

  it('of sym53c8xx on i440FX', () => {
    expect(profileOf(recordedRun('sym53c8xx'))).toEqual({
      ...guest,
      lab_machine: 'sym53c8xx-pc',
      chipset: 'i440FX',
      devices: [
        pci('00.0', '8086 1237 1af4 1100 060000 02'),
        pci('01.0', '8086 7000 1af4 1100 060100 00'),
        pci('01.1', '8086 7010 1af4 1100 010180 00'),
        pci('01.3', '8086 7113 1af4 1100 068000 03'),
        pci('02.0', '8086 25ab 1af4 1100 088000 00', 'i6300ESB timer', watchdogBuild),
        pci('03.0', '1000 0012 0000 1000 010000 00', 'sym53c8xx', '171d39dd2e230e6c4113028144462136918cf471'),
      ],
      dump_target: ['0000:00:03.0'],
    });
  });

  it.each(runNames)("of %s charges the trial to the machine's driver", (name) => {
    const run = recordedRun(name);
    const { driver } = labMachines[run.machine as LabMachineName];
    const targets = partsOf(profileOf(run), run.scenario).filter(({ role }) => role === 'dump_target');
    expect(targets).toEqual([{ driver, role: 'dump_target' }]);
  });
});

test('a profile of a guest holds nothing but the agreed fields, and none of what else the guest sent', () => {
  for (const name of runNames) {
    const text = profileText(profileOf(recordedRun(name)));
    expect(profileText(profile.parse(JSON.parse(text)))).toBe(text);
    expect(text).not.toMatch(/QEMU Virtual CPU|bogomips|flags|MHz|sda|vda/);
  }
});
