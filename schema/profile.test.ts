import { describe, expect, it, test } from 'vitest';
import { kernelOptions } from './kernel-options.ts';
import { asFirstVersion, type Device, type Part, type ProfileOf, partsOf, profile } from './profile.ts';
import type { Scenario } from './scenario.ts';
import { namesOf } from './vocabulary.ts';

function device(address: string, driver: string | null): Device {
  return {
    bus: 'pci',
    address,
    vendor: '0x1000',
    device: '0x0012',
    subsystem_vendor: null,
    subsystem_device: null,
    class: '0x010000',
    revision: '0x00',
    driver,
    build_id: driver && '171d39dd2e230e6c4113028144462136918cf471',
  };
}

const sample: ProfileOf<'1.0'> = {
  version: '1.0',
  population: 'lab',
  lab_machine: 'sym53c8xx-pc',
  kernel: { release: '6.1.0-56-amd64', series: '6.1', preemption: 'voluntary' },
  chipset: 'i440FX',
  firmware: 'bios',
  cpu: { vendor: 'AuthenticAMD', family: 15, model: 107, count: 2 },
  memory_mib: 512,
  iommu: false,
  crash_kernel_mib: 160,
  tools: { kexec: '2.0.25' },
  devices: [
    device('0000:00:00.0', null),
    device('0000:00:02.0', 'e1000'),
    device('0000:00:03.0', 'sym53c8xx'),
  ],
  dump_target: ['0000:00:03.0'],
};

const whole: ProfileOf<'1.1'> = {
  ...sample,
  version: '1.1',
  population: 'metal',
  lab_machine: null,
  kernel: {
    ...sample.kernel,
    lockdown: 'integrity',
    options: Object.fromEntries(
      namesOf(kernelOptions).map((o) => [o, 'y']),
    ) as ProfileOf<'1.1'>['kernel']['options'],
  },
  distribution: { id: 'debian', version: '12' },
  hypervisor: false,
  firmware_vendor: 'American Megatrends Inc.',
  firmware_year: 2019,
  secure_boot: true,
  iommu_domain: 'translated',
  dump_stack: ['nvme', 'partition', 'lvm', 'ext4'],
  devices_left_out: 0,
};

test.each(['', '6', '6.', '6.1.0', `6.${'1'.repeat(6)}`, `${'6'.repeat(80)}.1`, '6.1\n', '٦.١'])(
  'a kernel series is two short numbers, and not %j',
  (series) => {
    expect(profile.safeParse({ ...sample, kernel: { ...sample.kernel, series } }).success).toBe(false);
  },
);

describe('partsOf', () => {
  const present: Part = { driver: 'e1000', role: 'present' };
  const target: Part = { driver: 'sym53c8xx', role: 'dump_target' };
  const load: Part = { driver: 'sym53c8xx', role: 'load' };
  const site: Part = { driver: 'sym53c8xx', role: 'crash_site' };

  it.each<[Pick<Scenario, 'crash_point' | 'load'>, Part[]]>([
    [{ crash_point: 'direct', load: 'idle' }, [present, target]],
    [{ crash_point: 'direct', load: 'disk' }, [present, target, load]],
    [{ crash_point: 'timer', load: 'all' }, [present, target, load]],
    [{ crash_point: 'timer', load: 'disk-other' }, [present, target]],
    [{ crash_point: 'timer', load: 'cpu' }, [present, target]],
    [{ crash_point: 'block-submit', load: 'idle' }, [present, target, site]],
    [{ crash_point: 'block-dispatch', load: 'disk' }, [present, target, load, site]],
  ])('%j', (scenario, parts) => {
    expect(partsOf(sample, scenario)).toEqual(parts);
  });

  const idle = { crash_point: 'direct', load: 'idle' } as const;

  it('names a driver of two devices in each of its roles once', () => {
    const twins = [
      device('0000:00:03.0', 'nvme'),
      device('0000:00:04.0', 'nvme'),
      device('0000:00:05.0', 'nvme'),
    ];
    expect(partsOf({ ...sample, devices: twins }, idle)).toEqual([
      { driver: 'nvme', role: 'dump_target' },
      { driver: 'nvme', role: 'present' },
    ]);
  });

  it('takes every controller that the dump may go through', () => {
    const both = { ...sample, dump_target: ['0000:00:02.0', '0000:00:03.0'] };
    expect(partsOf(both, idle).map(({ role }) => role)).toEqual(['dump_target', 'dump_target']);
  });

  it('is empty where no device has a driver', () => {
    expect(partsOf({ ...sample, devices: [device('0000:00:03.0', null)] }, idle)).toEqual([]);
    expect(partsOf({ ...sample, devices: [] }, idle)).toEqual([]);
  });
});

describe('a profile is an allow-list', () => {
  it('takes the sample', () => {
    expect(profile.parse(sample)).toEqual(sample);
    expect(profile.parse(whole)).toEqual(whole);
  });

  const first = sample.devices[0];
  it.each<[string, object]>([
    ['a serial number', { ...sample, serial: 'XK1234' }],
    ['a host name', { ...sample, hostname: 'alice-laptop' }],
    ['a machine UUID', { ...sample, product_uuid: '4c4c4544-0042' }],
    ['a serial number of a device', { ...sample, devices: [{ ...first, serial: 'S2R5NX' }] }],
    ['a MAC address of a device', { ...sample, devices: [{ ...first, mac: '52:54:00:12:34:56' }] }],
    ['a name of the processor', { ...sample, cpu: { ...sample.cpu, name: 'QEMU Virtual CPU' } }],
    ["the kernel's command line", { ...sample, kernel: { ...sample.kernel, cmdline: 'root=UUID=1' } }],
    ['a missing field', { ...sample, iommu: undefined }],
    ['another version', { ...sample, version: '1.2' }],
    ['fields of 1.0 under 1.1', { ...sample, version: '1.1' }],
    ['fields of 1.1 under 1.0', { ...whole, version: '1.0' }],
    [
      'an option of the kernel that is not asked for',
      {
        ...whole,
        kernel: { ...whole.kernel, options: { ...whole.kernel.options, CONFIG_LOCALVERSION: 'y' } },
      },
    ],
    [
      'a text among the options',
      {
        ...whole,
        kernel: { ...whole.kernel, options: { ...whole.kernel.options, CONFIG_CRASH_DUMP: 'yes' } },
      },
    ],
    ["a disk's name in the stack", { ...whole, dump_stack: ['nvme0n1'] }],
    ['the name of the board', { ...whole, board: 'X11' }],
    [
      'the label of an installation as its version',
      { ...whole, distribution: { id: 'debian', version: 'of alice' } },
    ],
    ['the day of the firmware', { ...whole, firmware_year: 20190304 }],
    ['an unknown bus', { ...sample, devices: [{ ...first, bus: 'thunderbolt' }] }],
    ['an id that is no number', { ...sample, devices: [{ ...first, vendor: '8086' }] }],
    ['an id in upper case', { ...sample, devices: [{ ...first, vendor: '0x80AB' }] }],
    ['a driver with markup', { ...sample, devices: [{ ...first, driver: '<b>nvme</b>' }] }],
    ['an empty driver', { ...sample, devices: [{ ...first, driver: '' }] }],
    ['a driver with a line end', { ...sample, devices: [{ ...first, driver: 'nvme\n' }] }],
    ['a build-id of another length', { ...sample, devices: [{ ...first, build_id: 'ab' }] }],
    ['a mail address among the tools', { ...sample, tools: { kexec: 'alice@example.org' } }],
    ['a series with a patch level', { ...sample, kernel: { release: '6.1.4', series: '6.1.4' } }],
    ['no processor', { ...sample, cpu: { ...sample.cpu, count: 0 } }],
    ['a fraction of memory', { ...sample, memory_mib: 511.5 }],
    ['too many devices', { ...sample, devices: Array.from({ length: 513 }, () => first) }],
  ])('refuses %s', (_, value) => {
    expect(profile.safeParse(value).success).toBe(false);
  });
});

test('a device without any of its ids is a device', () => {
  const bare = { ...device('virtio0', 'virtio_blk'), bus: 'virtio', vendor: null, device: null, class: null };
  expect(profile.safeParse({ ...sample, devices: [bare], dump_target: [] }).success).toBe(true);
});

describe('a profile for a survey that knows 1.0 only', () => {
  it('says the same, as far as 1.0 can, and is one', () => {
    const said = asFirstVersion(whole);
    expect(said).toEqual({ ...sample, population: 'metal', lab_machine: null });
    expect(profile.parse(said)).toEqual(said);
  });

  it('of 1.0 is itself', () => {
    expect(asFirstVersion(sample)).toBe(sample);
  });

  it('takes part in a trial alike', () => {
    const scenario = { crash_point: 'timer', load: 'disk' } as const;
    expect(partsOf(whole, scenario)).toEqual(partsOf(asFirstVersion(whole), scenario));
  });
});

test('a modem on USB is no network card', () => {
  const modem: Device = { ...device('1-1:1.0', 'cdc_acm'), bus: 'usb', class: '0x020201' };
  const card: Device = { ...device('0000:00:02.0', 'e1000'), class: '0x020000' };
  const p: ProfileOf<'1.1'> = { ...whole, devices: [modem, card], dump_target: [] };
  expect(partsOf(p, { crash_point: 'direct', load: 'net' })).toEqual([
    { driver: 'cdc_acm', role: 'present' },
    { driver: 'e1000', role: 'load' },
  ]);
});
