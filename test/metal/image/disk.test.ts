import { expect, it } from 'vitest';
import { bootSectors, partitionAtBytes } from './disk.ts';

const bootImage = Buffer.alloc(512, 0xeb);
const core = Buffer.alloc(1000, 0xc0);

it('the boot sector keeps its code, and the core follows it', () => {
  const sectors = bootSectors(bootImage, core, 64 << 20);
  expect(sectors.subarray(0, 440)).toEqual(bootImage.subarray(0, 440));
  expect(sectors.subarray(512)).toEqual(core);
});

it('its table has one bootable Linux partition where the file system lies', () => {
  const entry = bootSectors(bootImage, core, 64 << 20).subarray(446, 462);
  expect(entry[0]).toBe(0x80);
  expect(entry[4]).toBe(0x83);
  expect(entry.readUInt32LE(8) * 512).toBe(partitionAtBytes);
  expect((entry.readUInt32LE(8) + entry.readUInt32LE(12)) * 512).toBe(64 << 20);
});

it('a core that would lie over the partition is refused', () => {
  expect(() => bootSectors(bootImage, Buffer.alloc(partitionAtBytes), 64 << 20)).toThrow(/too many/);
});
