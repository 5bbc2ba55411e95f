/** Where dumps go, and through what: each kind of stack as sysfs shows it. */
import { describe, expect, it, test } from 'vitest';
import { system, type TreeName } from '../../test/fixtures/metal/plant.ts';
import { allDevices } from './devices.ts';
import { distributionOf } from './distribution.ts';
import { dumpTarget, stackOf } from './target.ts';

function targetOf(name: TreeName | null, changes = '', disk: string | null = null) {
  const tree = system(name, changes);
  return dumpTarget(tree, distributionOf(tree).family, allDevices(tree), disk);
}

const nvme = '/sys/devices/pci0000:00/0000:00:1d.0/0000:04:00.0/nvme/nvme0/nvme0n1';

/** A block device of the device mapper with one device below it, mounted at /var/crash. */
const mapped = (uuid: string, below = 'nvme0n1p3', name = 'x') => `
@ /sys/devices/virtual/block/dm-9/dm/uuid = ${uuid}
@ /sys/devices/virtual/block/dm-9/dm/name = ${name}
@ /sys/devices/virtual/block/dm-9/slaves/${below} -> /sys/class/block/${below}
@ /sys/class/block/dm-9 -> /sys/devices/virtual/block/dm-9
@ /sys/dev/block/254:9 -> /sys/devices/virtual/block/dm-9
@ /proc/self/mountinfo
28 1 254:0 / / rw - ext4 /dev/mapper/SECRET-root rw
50 28 254:9 / /var/crash rw - xfs /dev/mapper/x rw
`;

/** A disk at this path in sysfs, with one partition, mounted at /var/crash. */
const disk = (path: string, name: string, partition: string) => `
@ ${path}/${name}/size = 1000
@ ${path}/${name}/${partition}/partition = 1
@ /sys/class/block/${name} -> ${path}/${name}
@ /sys/class/block/${partition} -> ${path}/${name}/${partition}
@ /sys/dev/block/8:1 -> ${path}/${name}/${partition}
@ /proc/self/mountinfo
28 1 254:0 / / rw - ext4 /dev/mapper/SECRET-root rw
50 28 8:1 / /var/crash rw - ext4 /dev/${partition} rw
`;

const hba = '/sys/devices/pci0000:00/0000:00:17.0';
const ahci = `
@ ${hba}/vendor = 0x8086
@ ${hba}/device = 0x9d03
@ ${hba}/class = 0x010601
@ ${hba}/driver -> /sys/bus/pci/drivers/ahci
@ /sys/bus/pci/drivers/ahci/bind =
@ /sys/bus/pci/devices/0000:00:17.0 -> ${hba}
`;
const usbDisk = '/sys/devices/pci0000:00/0000:00:14.0/usb1/1-4/1-4:1.0';
const usb = `
@ /sys/bus/usb/drivers/uas/bind =
@ ${usbDisk}/bInterfaceClass = 08
@ ${usbDisk}/driver -> /sys/bus/usb/drivers/uas
@ /sys/bus/usb/devices/1-4:1.0 -> ${usbDisk}
`;

describe('a local target on Debian', () => {
  it.each<[string, string, string[], string[]]>([
    ['NVMe, partition, LVM, ext4', '', ['nvme', 'partition', 'lvm', 'ext4'], ['0000:04:00.0']],
    [
      'LUKS on a partition',
      mapped('CRYPT-LUKS2-abc-x'),
      ['nvme', 'partition', 'crypt', 'xfs'],
      ['0000:04:00.0'],
    ],
    ['fake RAID', mapped('DMRAID-isw_x'), ['nvme', 'partition', 'dm-raid', 'xfs'], ['0000:04:00.0']],
    [
      'a mapper that is none of them',
      mapped('VDO-x'),
      ['nvme', 'partition', 'other-dm', 'xfs'],
      ['0000:04:00.0'],
    ],
    [
      'LVM on LUKS',
      `${mapped('LVM-abc', 'dm-8')}@ /sys/devices/virtual/block/dm-8/dm/uuid = CRYPT-LUKS2-abc
@ /sys/devices/virtual/block/dm-8/slaves/nvme0n1p3 -> ${nvme}/nvme0n1p3
@ /sys/class/block/dm-8 -> /sys/devices/virtual/block/dm-8
`,
      ['nvme', 'partition', 'crypt', 'lvm', 'xfs'],
      ['0000:04:00.0'],
    ],
    [
      "LVM's own RAID",
      `${mapped('LVM-abc', 'dm-8')}@ /sys/devices/virtual/block/dm-8/dm/uuid = LVM-def
@ /sys/devices/virtual/block/dm-8/dm/name = vg-crash_rimage_0
@ /sys/devices/virtual/block/dm-8/slaves/nvme0n1p3 -> ${nvme}/nvme0n1p3
@ /sys/class/block/dm-8 -> /sys/devices/virtual/block/dm-8
`,
      ['nvme', 'partition', 'lvm', 'dm-raid', 'xfs'],
      ['0000:04:00.0'],
    ],
    [
      'md over two kinds of disks',
      `${ahci}${disk(`${hba}/ata1/host0/target0:0:0/0:0:0:0/block`, 'sda', 'sda1')}
@ /sys/devices/virtual/block/md0/md/level = raid1
@ /sys/devices/virtual/block/md0/slaves/nvme0n1p3 -> ${nvme}/nvme0n1p3
@ /sys/devices/virtual/block/md0/slaves/sda1 -> /sys/class/block/sda1
@ /sys/class/block/md0 -> /sys/devices/virtual/block/md0
@ /sys/dev/block/9:0 -> /sys/devices/virtual/block/md0
@ /proc/self/mountinfo
28 1 9:0 / / rw - ext4 /dev/md0 rw
`,
      ['nvme', 'partition', 'ata', 'md', 'ext4'],
      ['0000:04:00.0', '0000:00:17.0'],
    ],
    [
      'a SATA disk',
      `${ahci}${disk(`${hba}/ata1/host0/target0:0:0/0:0:0:0/block`, 'sda', 'sda1')}`,
      ['ata', 'partition', 'ext4'],
      ['0000:00:17.0'],
    ],
    [
      'a USB disk hangs on two devices',
      `${usb}${disk(`${usbDisk}/host4/target4:0:0/4:0:0:0/block`, 'sdb', 'sdb1')}`,
      ['usb', 'partition', 'ext4'],
      ['0000:00:14.0', '1-4:1.0'],
    ],
    [
      'an iSCSI disk has no controller',
      disk('/sys/devices/platform/host5/session1/target5:0:0/5:0:0:0/block', 'sdc', 'sdc1'),
      ['iscsi', 'partition', 'ext4'],
      [],
    ],
    ['DRBD', disk('/sys/devices/virtual/block', 'drbd0', 'drbd0p1'), ['drbd', 'partition', 'ext4'], []],
    [
      'NVMe over a network',
      `@ /sys/devices/virtual/nvme-fabrics/ctl/nvme1/transport = tcp
@ /sys/class/nvme/nvme1 -> /sys/devices/virtual/nvme-fabrics/ctl/nvme1
${disk('/sys/devices/virtual/nvme-fabrics/ctl/nvme1', 'nvme1n1', 'nvme1n1p1')}`,
      ['nvme-of', 'partition', 'ext4'],
      [],
    ],
    [
      'an NVMe name space with several paths',
      `@ /sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0 -> /sys/class/nvme/nvme0
${disk('/sys/devices/virtual/nvme-subsystem/nvme-subsys0', 'nvme0n1', 'nvme0n1p1')}`,
      ['nvme', 'partition', 'ext4'],
      ['0000:04:00.0'],
    ],
  ])('%s', (_, changes, stack, controllers) => {
    const target = targetOf('debian-nvme-lvm', changes);
    expect(target.fault).toBeNull();
    expect(stackOf(target)).toEqual(stack);
    expect(target.controllers).toEqual(controllers);
  });

  it('names the disks, which the scratch file and the load need', () => {
    const { disks, mount } = targetOf('debian-nvme-lvm');
    expect([disks, mount?.point]).toEqual([['nvme0n1'], '/']);
  });

  it('ends at a loop of links, and does not follow it for ever', () => {
    const loop = mapped('LVM-abc', 'dm-9');
    expect(targetOf('debian-nvme-lvm', loop).layers.length).toBeLessThan(40);
  });
});

describe('another target', () => {
  it('NFS goes through both cards of a bond', () => {
    const target = targetOf('fedora-nfs-bond');
    expect(target).toMatchObject({
      interface: 'bond0',
      controllers: ['0000:41:00.0', '0000:41:00.1'],
      fault: null,
    });
    expect(stackOf(target)).toEqual(['nic', 'nfs']);
  });

  it.each([
    ['an address', 'ssh root@192.0.2.80'],
    ['an IPv6 address', 'ssh root@[2001:db8::80]'],
    ['a name of /etc/hosts', 'ssh root@dumps6.example.test'],
    ['a name that is not looked up', 'ssh root@elsewhere.example.test'],
  ])('SSH to %s goes the way that the kernel would send it', (_, directive) => {
    const target = targetOf('fedora-nfs-bond', `@ /etc/kdump.conf\n${directive}\npath /dumps\n`);
    expect(target).toMatchObject({ interface: 'bond0', fault: null });
    expect(stackOf(target)).toEqual(['nic', 'ssh']);
  });

  it('a mounted NFS share is what it is, whatever the configuration calls it', () => {
    const target = targetOf(
      'debian-nvme-lvm',
      `@ /proc/self/mountinfo
28 1 254:0 / / rw - ext4 /dev/mapper/SECRET-root rw
50 28 0:60 / /var/crash rw - nfs4 192.0.2.9:/export rw
`,
    );
    expect(stackOf(target)).toEqual(['nic', 'nfs']);
    expect(target.controllers).toEqual(['0000:00:1f.6']);
  });

  it('a device that is named by its UUID is found through udev', () => {
    const target = targetOf(
      'fedora-nfs-bond',
      `@ /etc/kdump.conf
xfs UUID=1234-abcd
path /dumps
@ /dev/disk/by-uuid/1234-abcd -> /dev/vdb1
@ /dev/vdb1 =
@ /sys/bus/virtio/drivers/virtio_blk/bind =
@ /sys/devices/pci0000:00/0000:00:05.0/virtio2/driver -> /sys/bus/virtio/drivers/virtio_blk
@ /sys/bus/virtio/devices/virtio2 -> /sys/devices/pci0000:00/0000:00:05.0/virtio2
${disk('/sys/devices/pci0000:00/0000:00:05.0/virtio2/block', 'vdb', 'vdb1')}`,
    );
    expect(target).toMatchObject({ disks: ['vdb'], controllers: ['virtio2'], fault: null });
    expect(stackOf(target)).toEqual(['virtio', 'partition', 'ext4']);
  });

  it('a raw device has no file system', () => {
    const target = targetOf(
      'fedora-nfs-bond',
      `@ /etc/kdump.conf\nraw /dev/vdb1\n${disk('/sys/devices/virtual/block', 'vdb', 'vdb1')}`,
    );
    expect(stackOf(target)).toEqual(['virtio', 'partition', 'raw']);
  });

  it('btrfs on SUSE lies on a partition of a disk with two paths', () => {
    const target = targetOf('suse-multipath-btrfs');
    expect(stackOf(target)).toEqual(['fc', 'multipath', 'partition', 'btrfs']);
    expect(target).toMatchObject({ disks: ['sda', 'sdb'], controllers: ['0000:80:01.0', '0000:80:01.1'] });
  });

  it('the disk that the owner names goes before the configuration', () => {
    expect(
      targetOf('fedora-nfs-bond', disk('/sys/devices/virtual/block', 'vdb', 'vdb1'), 'vdb'),
    ).toMatchObject({
      disks: ['vdb'],
      fault: null,
    });
    expect(targetOf('fedora-nfs-bond', '', 'sdz').fault).toBe('the system has no disk sdz');
  });
});

test.each<[string, TreeName | null, string, RegExp]>([
  [
    'no configuration',
    'debian-nvme-lvm',
    '@ /etc/default/kdump-tools gone\n',
    /no \/etc\/default\/kdump-tools/,
  ],
  ['no os-release', null, '@ /etc/hostname = x\n', /no kdump tooling/],
  ['an unknown distribution', null, '@ /etc/os-release\nID=alpine\n', /no kdump tooling/],
  ['FTP', 'debian-nvme-lvm', '@ /etc/default/kdump-tools\nFTP="192.0.2.1:/"\n', /FTP/],
  ['a device that is not there', 'fedora-nfs-bond', '@ /etc/kdump.conf\next4 LABEL=crash\n', /LABEL=crash/],
  ['a raw device that is not there', 'fedora-nfs-bond', '@ /etc/kdump.conf\nraw /dev/vdz\n', /\/dev\/vdz/],
  ['nothing mounted', 'debian-nvme-lvm', '@ /proc/self/mountinfo gone\n', /nothing is mounted/],
  [
    'memory',
    'debian-nvme-lvm',
    '@ /proc/self/mountinfo\n28 1 0:9 / / rw - tmpfs tmpfs rw\n',
    /tmpfs without/,
  ],
  ['no route', 'fedora-nfs-bond', '@ /proc/net/route gone\n', /no route/],
  ['a card without a driver', 'fedora-nfs-bond', '@ /sys/class/net/bond0 gone\n', /bond0 is no card/],
])('with %s it says why nothing could be followed', (_, name, changes, why) => {
  const target = targetOf(name, changes);
  expect(target.fault).toMatch(why);
  expect(target.controllers).toEqual([]);
});
