import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { buildId, type Kernel, kernelIn, modinfo, openModules, payloadIn } from './kernel.ts';

/** What of a module counts here: its .modinfo section, behind other bytes. */
function moduleWith(fields: Readonly<Record<string, string>>): Buffer {
  const info = Object.entries(fields).map(([name, value]) => `${name}=${value}\0`);
  return Buffer.from(`\x7fELF\0\0${info.join('')}\0other=1`, 'latin1');
}

describe('modinfo', () => {
  const file = moduleWith({ license: 'GPL', description: 'a=b, c', depends: '', alias: 'pci:v1', name: 'x' });

  it.each<[string, string | null]>([
    ['license', 'GPL'],
    ['description', 'a=b, c'],
    ['depends', ''],
    ['name', 'x'],
    ['icense', null],
    ['version', null],
  ])('%s is %j', (field, value) => {
    expect(modinfo(file, field)).toBe(value);
  });
});

test('buildId finds the note, and nothing that only looks like it', () => {
  const id = '7494da1807beca7fbec2c92fd6d7c938f5cf1923';
  const note = Buffer.from(`040000001400000003000000474e5500${id}`, 'hex');
  expect(buildId(Buffer.concat([Buffer.from('ELF\0GNU\0'), note, Buffer.alloc(9)]))).toBe(id);
  const otherType = Buffer.from(note);
  otherType[8] = 1;
  expect(buildId(otherType)).toBeNull();
  expect(buildId(Buffer.alloc(0))).toBeNull();
});

describe('the modules of a kernel', () => {
  let dir: string;
  let kernel: Kernel;
  const put = (path: string, contents: Buffer | string) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), contents);
  };
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'kernel-'));
    const modules = 'lib/modules/6.1.0-56-amd64';
    put(`${modules}/modules.builtin`, 'kernel/lib/crc32.ko\nkernel/drivers/scsi/scsi-common.ko\n');
    for (const [path, depends] of [
      ['drivers/virtio/virtio', ''],
      ['drivers/virtio/virtio_ring', 'virtio'],
      ['drivers/virtio/virtio_pci', 'virtio,virtio-ring,crc32'],
      ['drivers/block/virtio_blk', 'virtio,virtio_ring'],
      ['crypto/crct10dif-common', ''],
      ['drivers/scsi/sd_mod', 'crct10dif_common,scsi_common'],
      ['drivers/broken', 'not_there'],
    ]) {
      put(`${modules}/kernel/${path}.ko`, moduleWith({ depends: depends ?? '' }));
    }
    kernel = kernelIn(dir, '6.1.0-56-amd64');
  });
  afterEach(() => rmSync(dir, { recursive: true }));
  const order = async (...names: string[]) =>
    (await (await openModules(kernel)).loadOrder(names)).map((path) =>
      path.split('/').at(-1)?.replace('.ko', ''),
    );

  it('puts each module behind what it depends on, once', async () => {
    expect(await order('virtio_blk', 'virtio_pci')).toEqual([
      'virtio',
      'virtio_ring',
      'virtio_blk',
      'virtio_pci',
    ]);
    expect(await order('virtio_pci', 'virtio-pci')).toEqual(['virtio', 'virtio_ring', 'virtio_pci']);
  });

  it('leaves out what is built in, and takes - for _', async () => {
    expect(await order('sd-mod')).toEqual(['crct10dif-common', 'sd_mod']);
    expect(await order('crc32')).toEqual([]);
    expect(await order()).toEqual([]);
  });

  it('names the module that the kernel does not have', async () => {
    await expect(order('virtio', 'nvme')).rejects.toThrow('the kernel 6.1.0-56-amd64 has no module nvme');
    await expect(order('broken')).rejects.toThrow('has no module not_there');
  });

  it('tells which it lacks', async () => {
    const { missing } = await openModules(kernel);
    expect(missing(['virtio_blk', 'nvme', 'scsi_common', 'i6300esb'])).toEqual(['nvme', 'i6300esb']);
  });

  it('decompresses what is compressed', async () => {
    const bytes = moduleWith({ depends: 'virtio' });
    put('lib/modules/6.1.0-56-amd64/kernel/drivers/net.ko', bytes);
    execFileSync('xz', [join(kernel.moduleDir, 'kernel/drivers/net.ko')]);
    const modules = await openModules(kernel);
    const paths = await modules.loadOrder(['net']);
    expect(paths.map((path) => path.split('/').at(-1))).toEqual(['virtio.ko', 'net.ko.xz']);
    expect(await modules.contents(paths[1] ?? '')).toEqual(bytes);
    put('lib/modules/6.1.0-56-amd64/kernel/drivers/bad.ko.xz', 'no archive');
    await expect((await openModules(kernel)).loadOrder(['bad'])).rejects.toThrow();
  });

  it('finds modules under /usr where /lib has none', () => {
    expect(kernelIn('/no/such/root', '6.12').moduleDir).toBe('/no/such/root/usr/lib/modules/6.12');
    expect(kernel.moduleDir).toBe(join(dir, 'lib/modules/6.1.0-56-amd64'));
  });
});

describe('the payload of a bzImage', () => {
  /** A bzImage with two boot sectors (the first byte of them counts one less) and the payload behind 16 bytes. */
  const image = (payload: string, size: number, lengthBytes = payload.length + 4) => {
    const bytes = Buffer.alloc(3 * 512 + 16 + payload.length + 4 + 8, 0xee);
    bytes[0x1f1] = 2;
    bytes.write('HdrS', 0x202, 'latin1');
    bytes.writeUInt32LE(16, 0x248);
    bytes.writeUInt32LE(lengthBytes, 0x24c);
    bytes.write(payload, 3 * 512 + 16, 'latin1');
    bytes.writeUInt32LE(size, 3 * 512 + 16 + payload.length);
    return bytes;
  };

  it('lies where the header says', () => {
    const { compressed, byteCount } = payloadIn(image('compressed', 70_000));
    expect([compressed.toString('latin1'), byteCount]).toEqual(['compressed', 70_000]);
  });

  it.each<[string, Buffer]>([
    ['no bzImage', Buffer.alloc(4096)],
    ['no bzImage', Buffer.alloc(0)],
    ['cut short', image('compressed', 1, 1 << 20)],
    ['cut short', image('compressed', 1, 0)],
  ])('is refused: %s', (why, bytes) => {
    expect(() => payloadIn(bytes)).toThrow(why);
  });
});
