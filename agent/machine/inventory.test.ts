/** Three systems in files: what their profiles say, where each value came from, and that nothing else gets out. */
import { describe, expect, it, test } from 'vitest';
import { profile } from '../../schema/profile.ts';
import { system, treeNames } from '../../test/fixtures/metal/plant.ts';
import { machineInventory, profileText } from './inventory.ts';
import { explained } from './origins.ts';
import type { SystemTree } from './tree.ts';

const tools = { kexec: '2.0.25', makedumpfile: '1.7.2' };
const no = {
  vendor: null,
  device: null,
  subsystem_vendor: null,
  subsystem_device: null,
  class: null,
  revision: null,
  driver: null,
  build_id: null,
};

test('a notebook with Debian: the exact profile', () => {
  const { profile: said } = machineInventory(system('debian-nvme-lvm'), tools);
  expect(said).toEqual({
    version: '1.1',
    population: 'metal',
    lab_machine: null,
    kernel: {
      release: '6.1.0-28-amd64',
      series: '6.1',
      preemption: 'unknown',
      lockdown: 'none',
      options: {
        CONFIG_KEXEC_FILE: 'y',
        CONFIG_KEXEC_SIG: 'y',
        CONFIG_KEXEC_SIG_FORCE: 'n',
        CONFIG_CRASH_DUMP: 'y',
        CONFIG_PROC_VMCORE: 'y',
        CONFIG_VMAP_STACK: 'y',
        CONFIG_SOFTLOCKUP_DETECTOR: 'y',
        CONFIG_HARDLOCKUP_DETECTOR: 'y',
        CONFIG_DETECT_HUNG_TASK: 'y',
        CONFIG_PSTORE_RAM: 'm',
      },
    },
    chipset: '0x8086:0x5904',
    firmware: 'efi',
    cpu: { vendor: 'GenuineIntel', family: 6, model: 142, count: 2 },
    memory_mib: 7744,
    iommu: true,
    crash_kernel_mib: 128,
    tools,
    devices: [
      {
        ...no,
        bus: 'pci',
        address: '0000:00:00.0',
        vendor: '0x8086',
        device: '0x5904',
        subsystem_vendor: '0x17aa',
        subsystem_device: '0x2245',
        class: '0x060000',
        revision: '0x02',
      },
      {
        ...no,
        bus: 'pci',
        address: '0000:00:14.0',
        vendor: '0x8086',
        device: '0x9d2f',
        class: '0x0c0330',
        revision: '0x21',
        driver: 'xhci_hcd',
        build_id: '3'.repeat(40),
      },
      {
        ...no,
        bus: 'pci',
        address: '0000:00:1d.0',
        vendor: '0x8086',
        device: '0x9d18',
        class: '0x060400',
        revision: '0xf1',
        driver: 'pcieport',
      },
      {
        ...no,
        bus: 'pci',
        address: '0000:00:1f.6',
        vendor: '0x8086',
        device: '0x156f',
        class: '0x020000',
        revision: '0x21',
        driver: 'e1000e',
        build_id: '2'.repeat(40),
      },
      {
        ...no,
        bus: 'pci',
        address: '0000:04:00.0',
        vendor: '0x144d',
        device: '0xa808',
        subsystem_vendor: '0x144d',
        subsystem_device: '0xa801',
        class: '0x010802',
        revision: '0x00',
        driver: 'nvme',
        build_id: '1'.repeat(40),
      },
      {
        ...no,
        bus: 'usb',
        address: '1-0:1.0',
        vendor: '0x1d6b',
        device: '0x0002',
        class: '0x090000',
        revision: '0x0601',
        driver: 'hub',
      },
      {
        ...no,
        bus: 'usb',
        address: '1-3:1.0',
        vendor: '0x046d',
        device: '0xc31c',
        class: '0x030101',
        revision: '0x6402',
        driver: 'usbhid',
        build_id: '4'.repeat(40),
      },
      { ...no, bus: 'platform', address: 'rtc_cmos', driver: 'rtc_cmos' },
    ],
    dump_target: ['0000:04:00.0'],
    distribution: { id: 'debian', version: '12' },
    hypervisor: false,
    firmware_vendor: 'LENOVO',
    firmware_year: 2021,
    secure_boot: false,
    iommu_domain: 'translated',
    dump_stack: ['nvme', 'partition', 'lvm', 'ext4'],
    devices_left_out: 0,
  });
});

test('a server with Fedora: Secure Boot, lockdown, and a vendor without what a profile does not take', () => {
  expect(machineInventory(system('fedora-nfs-bond'), tools).profile).toMatchObject({
    kernel: { preemption: 'voluntary', lockdown: 'integrity' },
    secure_boot: true,
    iommu_domain: 'mixed',
    firmware_vendor: 'American Megatrends International LLC.',
    dump_stack: ['nic', 'nfs'],
    dump_target: ['0000:41:00.0', '0000:41:00.1'],
  });
});

test('a guest with SUSE: no list of options, a year of two digits, a hypervisor', () => {
  const { profile: said } = machineInventory(system('suse-multipath-btrfs'), tools);
  expect(said).toMatchObject({
    distribution: { id: 'sles', version: '15.6' },
    hypervisor: true,
    firmware: 'bios',
    firmware_year: 1998,
    secure_boot: false,
    crash_kernel_mib: 299,
    iommu_domain: 'none',
    dump_stack: ['fc', 'multipath', 'partition', 'btrfs'],
  });
  expect(new Set(Object.values(said.kernel.options))).toEqual(new Set([null]));
});

test('where nothing can be read, everything that can be unknown is', () => {
  const { profile: said } = machineInventory(system(null, '@ /nothing = 1\n'), {});
  expect(said).toMatchObject({
    kernel: { release: 'unknown', series: '0.0', lockdown: 'unknown' },
    distribution: null,
    hypervisor: null,
    firmware_vendor: null,
    firmware_year: null,
    devices: [],
    dump_stack: [],
  });
});

describe.each(treeNames)('%s', (name) => {
  it('says nothing that nobody may be told', () => {
    const { profile: said } = machineInventory(system(name), tools);
    expect(profileText(said)).not.toMatch(/SECRET|52:54:00|192\.0\.2|2001:db8|bond0|eno|nvme0n1|dm-/);
  });

  it('is a profile whose text is that of what is read again', () => {
    const text = profileText(machineInventory(system(name), tools).profile);
    expect(profileText(profile.parse(JSON.parse(text)))).toBe(text);
  });

  it('explains every value that is sent, once, in its order', () => {
    const tree = system(name);
    const found = machineInventory(tree, tools);
    const lines = explained(tree, found);
    expect(new Set(lines.map(({ field }) => field)).size).toBe(lines.length);
    for (const { from } of lines) expect(from.length).toBeGreaterThan(0);
    // Put together again, the lines are the profile.
    const rebuilt: Record<string, unknown> = {};
    for (const { field, value } of lines) {
      const parts = field.replace(/\[(\d+)\]/, '.$1').split('.');
      let at = rebuilt;
      for (const part of parts.slice(0, -1)) {
        at[part] ??= {};
        at = at[part] as Record<string, unknown>;
      }
      at[parts.at(-1) ?? ''] = JSON.parse(value);
    }
    expect({ ...rebuilt, devices: Object.values(rebuilt.devices ?? {}) }).toEqual(found.profile);
  });

  it('names as origins what it really reads, and reads nothing but that', () => {
    const tree = system(name);
    const seen = new Set<string>();
    const noting =
      <T>(read: (path: string) => T) =>
      (path: string) => {
        seen.add(path);
        return read(path);
      };
    const watched: SystemTree = {
      read: noting(tree.read),
      follow: noting(tree.follow),
      list: noting(tree.list),
      buildId: tree.buildId,
    };
    const found = machineInventory(watched, tools);
    const named = new Set(
      explained(tree, found).flatMap(({ from }) => from.filter((path) => path.startsWith('/'))),
    );
    const isBelow = (path: string, top: string) => path === top || path.startsWith(`${top}/`);
    const untrue = [...named].filter((origin) => ![...seen].some((path) => isBelow(path, origin)));
    expect(untrue).toEqual([]);
    // What only leads to a value: the other names of a device, and the tables by which a target is followed.
    const leads = [
      '/etc/hosts',
      '/proc/net',
      '/dev',
      '/sys/class',
      '/sys/devices',
      '/sys/fs/btrfs',
      '/sys/module',
      '/sys/bus',
    ];
    const unnamed = [...seen].filter((path) => ![...named, ...leads].some((top) => isBelow(path, top)));
    expect(
      unnamed.filter(
        (path) =>
          !/^\/(usr\/)?lib\/|^\/etc\/os-release$|^\/boot\/config-|^\/sys\/kernel\/security$/.test(path),
      ),
    ).toEqual([]);
  });
});

test('odd names are left out, and counted', () => {
  const odd = (address: string, driver: string) => `@ /sys/bus/platform/drivers/${driver}/bind =
@ /sys/devices/platform/${address}/driver -> /sys/bus/platform/drivers/${driver}
@ /sys/bus/platform/devices/${address} -> /sys/devices/platform/${address}
`;
  const changes = `${odd('fine.0', 'fine')}${odd('käse', 'fine')}${odd('odd.0', 'a<b>')}`;
  const { profile: said } = machineInventory(system(null, changes), {
    kexec: '2.0',
    makedumpfile: '<script>',
    näme: '1',
  });
  expect(said.devices.map(({ address }) => address)).toEqual(['fine.0']);
  expect(said.devices_left_out).toBe(2);
  expect(said.tools).toEqual({ kexec: '2.0' });
});

test('of too many devices those with a driver stay, and those that dumps go through before all', () => {
  const card = (n: number, more = '') => `@ /sys/devices/pci0001:00/${n}/vendor = 0x8086
@ /sys/bus/pci/devices/0001:00:${n}.0 -> /sys/devices/pci0001:00/${n}
${more}`;
  const many = Array.from({ length: 600 }, (_, n) =>
    card(n, n === 599 ? '@ /sys/devices/pci0001:00/599/driver -> /sys/bus/pci/drivers/nvme\n' : ''),
  );
  const { profile: said } = machineInventory(system('debian-nvme-lvm', many.join('')), tools);
  expect(said.devices).toHaveLength(512);
  expect(said.devices_left_out).toBe(600 + 8 - 512);
  const kept = said.devices.map(({ address }) => address);
  expect(kept).toEqual(expect.arrayContaining(['0000:04:00.0', '0001:00:599.0', 'rtc_cmos']));
});
