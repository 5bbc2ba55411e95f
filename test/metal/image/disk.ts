/**
 * The guest's disk: a boot loader in its first sectors, and one partition with the root file system. All of it is made and
 * read with ordinary files: no loop device, nothing mounted.
 */
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { run } from '../../../agent/run.ts';

const sectorBytes = 512;
/** Where the partition begins; the boot loader's core lies in front of it. */
export const partitionAtBytes = 1 << 20;

/**
 * The first sectors of a disk of `diskBytes`: GRUB's boot sector with a partition table, and its core image right behind, where
 * the boot sector looks for it (GRUB's manual, "BIOS installation"). Pure. Throws where the core does not fit.
 */
export function bootSectors(bootImage: Uint8Array, core: Uint8Array, diskBytes: number): Buffer {
  if (sectorBytes + core.length > partitionAtBytes)
    throw new Error(`GRUB's core image has ${core.length} bytes: too many for the gap before the partition`);
  const sectors = Buffer.alloc(sectorBytes + core.length);
  Buffer.from(bootImage).copy(sectors, 0, 0, 440);
  sectors.write('dmps', 440, 'latin1');
  // One bootable Linux partition, addressed by sector numbers only.
  const entry = 446;
  sectors.set([0x80, 0xfe, 0xff, 0xff, 0x83, 0xfe, 0xff, 0xff], entry);
  sectors.writeUInt32LE(partitionAtBytes / sectorBytes, entry + 8);
  sectors.writeUInt32LE((diskBytes - partitionAtBytes) / sectorBytes, entry + 12);
  sectors.set([0x55, 0xaa], 510);
  Buffer.from(core).copy(sectors, sectorBytes);
  return sectors;
}

/** What the core does: finds the root file system by its label, and goes on with its own configuration. */
const embedded = `search --no-floppy --label metal-root --set=root
set prefix=($root)/boot/grub
configfile /boot/grub/grub.cfg
`;
const coreModules =
  'biosdisk part_msdos ext2 search search_label configfile normal linux serial terminal test echo gzio';

/** Makes the disk image `disk` from the directory tree `root`. Needs the programs of e2fsprogs and GRUB. */
export async function makeDisk(root: string, disk: string, diskBytes: number): Promise<void> {
  const [core, config] = [`${disk}.core`, `${disk}.cfg`];
  await writeFile(config, embedded);
  await run([
    ...['grub-mkimage', '-O', 'i386-pc', '-o', core, '-p', '(hd0,msdos1)/boot/grub', '-c', config],
    ...coreModules.split(' '),
  ]);
  await rm(disk, { force: true });
  const file = await open(disk, 'w');
  await file.truncate(diskBytes);
  const bootImage = await readFile('/usr/lib/grub/i386-pc/boot.img');
  await file.write(bootSectors(bootImage, await readFile(core), diskBytes));
  await file.close();
  await rm(core);
  await rm(config);
  const kib = (diskBytes - partitionAtBytes) / 1024;
  await run([
    ...['mke2fs', '-q', '-F', '-t', 'ext4', '-L', 'metal-root', '-d', root],
    ...['-E', `offset=${partitionAtBytes},lazy_itable_init=1,root_owner=0:0`, disk, `${kib}k`],
  ]);
}

/** Copies an image; its holes stay holes. */
export async function copyDisk(from: string, to: string): Promise<void> {
  await run(['cp', '--sparse=always', '--reflink=auto', from, to]);
}

/** Gives debugfs (e2fsprogs) orders about the root file system of a disk that no guest uses. Gives what it printed. */
async function debugfs(disk: string, orders: readonly string[], isWriting = false): Promise<string> {
  const target = `${disk}?offset=${partitionAtBytes}`;
  const script = `${disk}.orders`;
  await writeFile(script, `${orders.join('\n')}\n`);
  const said = await run(['debugfs', ...(isWriting ? ['-w'] : []), '-f', script, target]);
  await rm(script);
  return said;
}

/** Puts files of this host into the root file system; their directories must be there. Throws where one is not there then. */
export async function putFiles(disk: string, files: readonly { from: string; to: string }[]): Promise<void> {
  const orders = files.map(({ from, to }) => `write ${from} ${to}`);
  await debugfs(disk, orders, true);
  // debugfs ends well whatever became of its orders.
  for (const { to } of files)
    if (!/^Inode:/m.test(await debugfs(disk, [`stat ${to}`])))
      throw new Error(`${to} could not be put into the guest's disk ${disk}: is its directory there?`);
}
