/** The initramfs images of a lab machine: what both kernels run, with only the modules that the machine needs. */
import { mkdir, readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { writeDurably } from '../durable.ts';
import { run } from '../run.ts';
import { type CpioEntry, cpio, directory, file, link } from './cpio.ts';
import { type Kernel, moduleLoadOrder } from './kernel.ts';
import type { LabMachine } from './machines.ts';

const guestDir = join(import.meta.dirname, 'guest');

const applets =
  'sh mount cat echo grep sed ls ln rm head tail tr od dd basename readlink dmesg insmod kill sleep usleep stty uname watchdog poweroff reboot [';

/** The loader and the libraries that a dynamically linked program of the root needs, in the guest's places. */
async function libraries(root: string, program: string): Promise<CpioEntry[]> {
  const loader = join(root, 'lib64/ld-linux-x86-64.so.2');
  const places = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'].map((dir) => join(root, dir)).join(':');
  const list = await run([loader, '--library-path', places, '--list', join(root, program)]);
  const paths = [...list.matchAll(/=> (\/\S+) \(/g)]
    .map((match) => match[1] ?? '')
    .filter((path) => path !== loader);
  const entries = await Promise.all(
    paths.map(async (path) => file(`lib/${basename(path)}`, await readFile(await realpath(path)), true)),
  );
  return [file('lib64/ld-linux-x86-64.so.2', await readFile(await realpath(loader)), true), ...entries];
}

async function script(name: string, target: string): Promise<CpioEntry> {
  return file(target, await readFile(join(guestDir, name)), true);
}

async function modules(kernel: Kernel, names: readonly string[]): Promise<CpioEntry[]> {
  const paths = await moduleLoadOrder(kernel, names);
  const files = await Promise.all(
    paths.map(async (path) => file(`modules/${basename(path)}`, await readFile(path))),
  );
  return [...files, file('etc/modules', paths.map((path) => `${basename(path)}\n`).join(''))];
}

async function base(root: string): Promise<CpioEntry[]> {
  return [
    ...['proc', 'sys', 'dev', 'tmp'].map(directory),
    file('bin/busybox', await readFile(join(root, 'bin/busybox')), true),
    ...applets.split(' ').map((applet) => link(`bin/${applet}`, 'busybox')),
    await script('lab.sh', 'lib/lab.sh'),
  ];
}

/** The images of one machine. `capture` is what kexec loads, `first` carries it. */
export interface Images {
  readonly first: string;
  readonly capture: string;
}

/**
 * Builds both images into `directory`. The capture image is compressed: the digest that kexec and purgatory
 * compute over it costs more than unpacking it.
 */
export async function buildImages(
  root: string,
  kernel: Kernel,
  crashModule: string,
  machine: LabMachine,
  captureCommandLine: string,
  into: string,
): Promise<Images> {
  const common = await base(root);
  const capture = gzipSync(
    cpio([
      ...common,
      await script('capture.sh', 'init'),
      file('bin/makedumpfile', await readFile(join(root, 'usr/bin/makedumpfile')), true),
      ...(await libraries(root, 'usr/bin/makedumpfile')),
      ...(await modules(kernel, machine.modules)),
    ]),
    { level: 6 },
  );
  const first = cpio([
    ...common,
    await script('first.sh', 'init'),
    file('sbin/kexec', await readFile(join(root, 'sbin/kexec')), true),
    ...(await libraries(root, 'sbin/kexec')),
    ...(await modules(kernel, ['i6300esb', ...machine.modules])),
    file('modules/crashpoint.ko', await readFile(crashModule)),
    file('capture/vmlinuz', await readFile(kernel.bzImage)),
    file('capture/initrd', capture),
    file('capture/cmdline', captureCommandLine),
  ]);
  await mkdir(into, { recursive: true });
  const images = { first: join(into, 'first.cpio'), capture: join(into, 'capture.cpio.gz') };
  await writeDurably(images.first, first);
  await writeDurably(images.capture, capture);
  return images;
}
