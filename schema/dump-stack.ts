/**
 * What can lie between a dump and the hardware, as kinds only: never a name, a label, a UUID or an address. A stack is
 * listed from the hardware up: `['nvme', 'partition', 'lvm', 'ext4']`.
 */
export const stackKinds = {
  nvme: 'an NVMe name space',
  scsi: 'a SCSI disk, whatever transports it',
  ata: 'a disk behind libata',
  usb: 'a disk on USB',
  virtio: 'a virtio block device',
  mmc: 'an SD card or eMMC',
  xen: 'a Xen block device',
  pmem: 'persistent memory',
  'nvme-of': 'an NVMe name space that a network carries',
  iscsi: 'a disk that a network carries (iSCSI)',
  fc: 'a disk on Fibre Channel',
  nbd: 'a network block device',
  drbd: 'a disk replicated over a network',
  loop: 'a file as a disk',
  'other-disk': 'a disk of a kind that has no name here',
  nic: 'a network card',
  partition: 'a partition',
  multipath: 'device mapper: several paths to one disk',
  lvm: 'device mapper: a logical volume',
  crypt: 'device mapper: encrypted',
  'dm-raid': 'device mapper: RAID',
  'other-dm': 'device mapper: another target',
  md: 'software RAID',
  bcache: 'a cached disk',
  ext2: 'file system',
  ext3: 'file system',
  ext4: 'file system',
  xfs: 'file system',
  btrfs: 'file system',
  f2fs: 'file system',
  vfat: 'file system',
  'other-fs': 'a file system that has no name here',
  raw: 'no file system: the dump is written to the device itself',
  nfs: 'a file system of another machine',
  ssh: 'sent to another machine over SSH',
} as const;
export type StackKind = keyof typeof stackKinds;

/** The kinds that are local file systems. */
export const fileSystemKinds = [
  'ext2',
  'ext3',
  'ext4',
  'xfs',
  'btrfs',
  'f2fs',
  'vfat',
] as const satisfies readonly StackKind[];
