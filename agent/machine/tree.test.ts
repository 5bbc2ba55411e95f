import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { Profile } from '../../schema/profile.ts';
import { inventory, profileText } from './inventory.ts';
import { capturedMap, fileTree } from './tree.ts';

const buildId = '7494da1807beca7fbec2c92fd6d7c938f5cf1923';
const note = `040000001400000003000000474e5500${buildId}`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sysfs-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(path: string, contents: string | Uint8Array): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), contents);
}

function link(path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
}

/** A system with an AHCI controller behind a root port, laid out as sysfs lays it out, with things that nobody may read. */
function makeSystem(): void {
  const bridge = 'sys/devices/pci0000:00/0000:00:00.0';
  const port = 'sys/devices/pci0000:00/0000:00:1c.0';
  const hba = `${port}/0000:01:00.0`;
  for (const [dir, ids] of [
    [bridge, ['0x8086', '0x29c0', '0x060000']],
    [port, ['0x8086', '0xa110', '0x060400']],
    [hba, ['0x1b4b', '0x9230', '0x010601']],
  ] as const) {
    for (const [i, file] of ['vendor', 'device', 'class'].entries()) put(`${dir}/${file}`, `${ids[i]}\n`);
    put(`${dir}/revision`, '0x11\n');
    link(`sys/bus/pci/devices/${dir.split('/').at(-1)}`, `../../../${dir.slice('sys/'.length)}`);
  }
  put(`${hba}/subsystem_vendor`, '0x1b4b\n');
  put('sys/bus/pci/drivers/ahci/bind', '');
  put('sys/bus/pci/drivers/pcieport/bind', '');
  put('sys/module/ahci/notes/.note.gnu.build-id', Buffer.from(note, 'hex'));
  link(`${hba}/driver`, '../../../../bus/pci/drivers/ahci');
  link('sys/bus/pci/drivers/ahci/module', '../../../../module/ahci');
  link(`${port}/driver`, '../../../bus/pci/drivers/pcieport');
  put(`${hba}/ata1/host0/target0:0:0/0:0:0:0/block/sda/serial`, 'SECRET-SERIAL\n');
  link(
    'sys/block/sda',
    '../devices/pci0000:00/0000:00:1c.0/0000:01:00.0/ata1/host0/target0:0:0/0:0:0:0/block/sda',
  );
  mkdirSync(join(root, 'sys/class/iommu'), { recursive: true });
  link('sys/class/iommu/dmar0', '../../devices/virtual/iommu/dmar0');
  put('sys/firmware/efi/fw_platform_size', '64\n');
  put('sys/class/dmi/id/product_uuid', 'SECRET-UUID\n');
  put('sys/class/net/eth0/address', '52:54:00:12:34:56\n');
  put('sys/kernel/kexec/crash_size', '268435456\n');
  put('proc/sys/kernel/osrelease', '6.18.0-1-amd64\n');
  put('proc/sys/kernel/hostname', 'SECRET-HOST\n');
  put('proc/meminfo', 'MemTotal:       16000000 kB\nMemFree: 1 kB\n');
  const processor = (n: number) =>
    `processor\t: ${n}\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 158\nmodel name\t: SECRET-NAME 4.2GHz\n\n`;
  put('proc/cpuinfo', [0, 1, 2, 3].map(processor).join(''));
}

const metal = { population: 'metal', labMachine: null, dumpDisk: 'sda', tools: { kexec: '2.0.25' } } as const;

describe('a system in files', () => {
  beforeEach(makeSystem);

  it('gives the exact profile', () => {
    const none = { subsystem_vendor: null, subsystem_device: null, driver: null, build_id: null };
    expect(inventory(fileTree(root), metal)).toEqual({
      version: '1.0',
      population: 'metal',
      lab_machine: null,
      kernel: { release: '6.18.0-1-amd64', series: '6.18', preemption: 'unknown' },
      chipset: 'Q35',
      firmware: 'efi',
      cpu: { vendor: 'GenuineIntel', family: 6, model: 158, count: 4 },
      memory_mib: 15_872,
      iommu: true,
      crash_kernel_mib: 256,
      tools: { kexec: '2.0.25' },
      devices: [
        {
          ...none,
          bus: 'pci',
          address: '0000:00:00.0',
          vendor: '0x8086',
          device: '0x29c0',
          class: '0x060000',
          revision: '0x11',
        },
        {
          ...none,
          bus: 'pci',
          address: '0000:00:1c.0',
          vendor: '0x8086',
          device: '0xa110',
          class: '0x060400',
          revision: '0x11',
          driver: 'pcieport',
        },
        {
          ...none,
          bus: 'pci',
          address: '0000:01:00.0',
          vendor: '0x1b4b',
          device: '0x9230',
          class: '0x010601',
          revision: '0x11',
          subsystem_vendor: '0x1b4b',
          driver: 'ahci',
          build_id: buildId,
        },
      ],
      dump_target: ['0000:01:00.0'],
    } satisfies Profile);
  });

  it('says nothing that nobody may read', () => {
    const text = profileText(inventory(fileTree(root), metal));
    expect(text).not.toMatch(/SECRET|52:54|4\.2GHz|eth0|sda/);
  });

  it('has no dump target where there is no such disk, or none is named', () => {
    expect(inventory(fileTree(root), { ...metal, dumpDisk: 'sdb' }).dump_target).toEqual([]);
    expect(inventory(fileTree(root), { ...metal, dumpDisk: null }).dump_target).toEqual([]);
  });
});

describe('fileTree', () => {
  it('reads a file without its last line end, and null where there is none', () => {
    put('a', 'x\n\n');
    mkdirSync(join(root, 'dir'));
    const tree = fileTree(root);
    expect(tree.read('/a')).toBe('x\n');
    expect(tree.read('/b')).toBeNull();
    expect(tree.read('/dir')).toBeNull();
  });

  it('unpacks what is packed, and takes what is not, or is too much, for unreadable', () => {
    put('config.gz', gzipSync('CONFIG_X=y\n'));
    put('plain.gz', 'CONFIG_X=y\n');
    put('bomb.gz', gzipSync(Buffer.alloc(20 << 20)));
    const tree = fileTree(root);
    expect(tree.read('/config.gz')).toBe('CONFIG_X=y');
    expect(tree.read('/plain.gz')).toBeNull();
    expect(tree.read('/bomb.gz')).toBeNull();
  });

  it('does not leave its root, and takes what nobody may list for empty', () => {
    symlinkSync('/etc', join(root, 'out'));
    put('file', '');
    const tree = fileTree(root);
    expect(tree.follow('/out')).toBeNull();
    expect(tree.list('/file')).toEqual([]);
  });

  it('follows a chain of links to its end, as a path below the root', () => {
    put('end/file', '');
    link('one', 'two');
    link('two', 'end');
    link('broken', 'nowhere');
    const tree = fileTree(root);
    expect(tree.follow('/one')).toBe('/end');
    expect(tree.follow('/one/file')).toBe('/end/file');
    expect(tree.follow('/broken')).toBeNull();
    expect(tree.follow('/none')).toBeNull();
  });

  it('lists names in order, and none where there is no directory', () => {
    for (const name of ['b', 'a', '0000:00:1f.0']) put(`dir/${name}`, '');
    const tree = fileTree(root);
    expect(tree.list('/dir')).toEqual(['0000:00:1f.0', 'a', 'b']);
    expect(tree.list('/none')).toEqual([]);
  });

  it('a module without a note, or with a cut one, has no build-id', () => {
    put('sys/module/cut/notes/.note.gnu.build-id', Buffer.from(note, 'hex').subarray(0, 35));
    put('sys/module/whole/notes/.note.gnu.build-id', Buffer.from(note, 'hex'));
    const tree = fileTree(root);
    expect(tree.buildId('none')).toBeNull();
    expect(tree.buildId('cut')).toBeNull();
    expect(tree.buildId('whole')).toBe(buildId);
  });
});

test('fileTree reads this system: what it says fits the allow-list', () => {
  const profile = inventory(fileTree(), { ...metal, dumpDisk: null });
  expect(profile.kernel.release).not.toBe('unknown');
  expect(profile.cpu.count).toBeGreaterThan(0);
});

describe('capturedMap', () => {
  const tree = capturedMap(
    [
      '/proc/sys/kernel/osrelease:6.1.0-56-amd64',
      '/proc/cpuinfo:processor\t: 0',
      '/proc/cpuinfo:',
      '/proc/cpuinfo:model\t: 107',
      '/sys/bus/pci/devices/0000:00:03.0/vendor:0x1022',
      '/sys/bus/pci/devices/0000:00:02.0/vendor:0x8086',
      'no path: 1',
      '',
    ],
    [
      '/sys/bus/pci/devices/0000:00:03.0/driver -> ../../../bus/pci/drivers/i6300ESB timer',
      'no link',
      '/a ->',
    ],
    [`virtio_blk ${note}`, 'cut 0400', 'none'],
  );

  it('puts the lines of a file together, and knows a colon in a directory', () => {
    expect(tree.read('/proc/cpuinfo')).toBe('processor\t: 0\n\nmodel\t: 107');
    expect(tree.read('/proc/sys/kernel/osrelease')).toBe('6.1.0-56-amd64');
    expect(tree.read('/sys/bus/pci/devices/0000:00:03.0/vendor')).toBe('0x1022');
    expect(tree.read('/sys/bus/pci/devices/0000:00:03.0/device')).toBeNull();
  });

  it('resolves links, blanks and all', () => {
    expect(tree.follow('/sys/bus/pci/devices/0000:00:03.0/driver')).toBe(
      '/sys/bus/bus/pci/drivers/i6300ESB timer',
    );
    expect(tree.follow('/a')).toBeNull();
  });

  it('lists what files and links lie in', () => {
    expect(tree.list('/sys/bus/pci/devices')).toEqual(['0000:00:02.0', '0000:00:03.0']);
    expect(tree.list('/sys/bus/pci')).toEqual(['devices']);
    expect(tree.list('/sys/bus/pc')).toEqual([]);
  });

  it('takes the id out of a note', () => {
    expect(tree.buildId('virtio_blk')).toBe(buildId);
    expect(['cut', 'none', 'other'].map((name) => tree.buildId(name))).toEqual([null, null, null]);
  });
});
