import { describe, expect, it, test } from 'vitest';
import { profile } from '../../schema/profile.ts';
import { scenarioSets } from '../../schema/scenario.ts';
import { build, findMachine, type LabMachine, labMachines } from './machines.ts';

const rows: [string, LabMachine][] = Object.entries(labMachines);

describe.each(rows)('%s', (name, machine) => {
  it('is named by its drivers and its board', () => {
    const drivers = [machine.driver, ...(machine.card ? [machine.card.driver] : [])];
    expect(name).toBe([...drivers, machine.board].join('-'));
    expect(findMachine(name)).toBe(machine);
    for (const { shape } of profile.options) expect(shape.lab_machine.safeParse(name).success).toBe(true);
  });

  it('has one disk behind a controller, and its driver among the modules', () => {
    expect(machine.devices.filter((word) => word.includes('drive=disk0'))).toHaveLength(1);
    expect(machine.devices.length % 2).toBe(0);
    expect(machine.modules).toContain(machine.driver);
    expect(machine.disk).toMatch(/^(sda|vda|nvme0n1)$/);
    expect(machine.modules.includes('sd_mod')).toBe(machine.disk === 'sda');
  });

  it('keeps at least one request in flight', () => {
    expect(machine.inFlightMax).toBeGreaterThanOrEqual(1);
  });
});

test('there is no machine of another name', () => {
  for (const name of ['', 'virtio_blk', 'virtio_blk-microvm']) expect(findMachine(name)).toBeNull();
});

test('some machine can meet every scenario', () => {
  const most = Math.max(...rows.map(([, { inFlightMax }]) => inFlightMax));
  for (const s of Object.values(scenarioSets).flat()) expect(s.in_flight_min).toBeLessThanOrEqual(most);
});

test("the dump's place and the load's are apart, and both are on the disk", () => {
  const mib = 1 << 20;
  const writersMib = 8 * 32;
  expect(build.dumpAtBytes % mib).toBe(0);
  // No dump is larger than the memory that the first kernel had.
  expect(build.dumpAtBytes + (build.memoryMib - build.crashKernelMib) * mib).toBeLessThanOrEqual(
    build.loadAtMib * mib,
  );
  expect((build.loadAtMib + writersMib) * mib).toBeLessThanOrEqual(build.diskBytes);
});
