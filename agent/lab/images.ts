/** The initramfs images of a lab machine: what both kernels run, with only the modules that the machine needs. */
import { mkdir, readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { constants, zstdCompressSync } from 'node:zlib';
import { carriedFiles } from '../carried.ts';
import { writeDurably } from '../durable.ts';
import { run } from '../run.ts';
import { type CpioEntry, cpio, directory, file, link } from './cpio.ts';
import type { Kernel, Modules } from './kernel.ts';
import type { LabMachine } from './machines.ts';

const applets =
  'sh mount cat echo grep sed ls ln rm head tail tr od dd basename readlink dmesg insmod rmmod kill sleep usleep stty uname watchdog poweroff reboot ip ping [';

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
  const text = (await carriedFiles('agent/lab/guest')).get(name);
  if (text === undefined) throw new Error(`there is no ${name} among the scripts of the guests`);
  return file(target, Buffer.from(text), true);
}

/** The file of a module in the guest; it is not compressed there. */
function guestName(path: string): string {
  return basename(path).replace(/\.xz$/, '');
}

async function modulesFor(modules: Modules, names: readonly string[]): Promise<CpioEntry[]> {
  const paths = await modules.loadOrder(names);
  const files = await Promise.all(
    paths.map(async (path) => file(`modules/${guestName(path)}`, await modules.contents(path))),
  );
  return [...files, file('etc/modules', paths.map((path) => `${guestName(path)}\n`).join(''))];
}

async function base(root: string): Promise<CpioEntry[]> {
  return [
    ...['proc', 'sys', 'dev', 'tmp'].map(directory),
    file('bin/busybox', await readFile(join(root, 'bin/busybox')), true),
    ...applets.split(' ').map((applet) => link(`bin/${applet}`, 'busybox')),
    await script('lab.sh', 'lib/lab.sh'),
  ];
}

/** What the images of all machines share: read once, and compressed once. */
export interface SharedParts {
  readonly modules: Modules;
  readonly first: readonly CpioEntry[];
  readonly capture: Buffer;
}

/**
 * Compressed as far as it goes: kexec and purgatory compute a digest over every byte of the capture image, which
 * costs an emulated machine more than unpacking it.
 */
function compressed(entries: readonly CpioEntry[]): Buffer {
  return zstdCompressSync(cpio(entries), { params: { [constants.ZSTD_c_compressionLevel]: 19 } });
}

/** Reads what all machines share. `root` is where the programs are. */
export async function sharedParts(
  root: string,
  kernel: Kernel,
  modules: Modules,
  crashModule: string,
  captureCommandLine: string,
): Promise<SharedParts> {
  const common = await base(root);
  return {
    modules,
    first: [
      ...common,
      await script('first.sh', 'init'),
      await script('exercise.sh', 'lib/exercise.sh'),
      file('sbin/kexec', await readFile(join(root, 'sbin/kexec')), true),
      ...(await libraries(root, 'sbin/kexec')),
      file('modules/crashpoint.ko', await readFile(crashModule)),
      file('capture/vmlinuz', await readFile(kernel.bzImage)),
      file('capture/cmdline', captureCommandLine),
    ],
    capture: compressed([
      ...common,
      await script('capture.sh', 'init'),
      file('bin/makedumpfile', await readFile(join(root, 'usr/bin/makedumpfile')), true),
      ...(await libraries(root, 'usr/bin/makedumpfile')),
    ]),
  };
}

/** The images of one machine. `capture` is what kexec loads, `first` carries it. */
export interface Images {
  readonly first: string;
  readonly capture: string;
}

/** Where the images of a machine are. */
export function imagesIn(directory: string): Images {
  return { first: join(directory, 'first.cpio'), capture: join(directory, 'capture.cpio.zst') };
}

/** The modules of a machine's first kernel: besides the machine's own, the watchdog. */
export function firstModules(machine: LabMachine): string[] {
  return ['i6300esb', ...machine.modules, ...(machine.card?.modules ?? [])];
}

/** Builds both images of a machine. The kernel unpacks archives that follow one another as if they were one. */
export async function buildImages(shared: SharedParts, machine: LabMachine, into: string): Promise<void> {
  const { modules } = shared;
  const capture = Buffer.concat([shared.capture, compressed(await modulesFor(modules, machine.modules))]);
  const first = cpio([
    ...shared.first,
    ...(await modulesFor(modules, firstModules(machine))),
    file('capture/initrd', capture),
  ]);
  await mkdir(into, { recursive: true });
  const images = imagesIn(into);
  await writeDurably(images.first, first);
  await writeDurably(images.capture, capture);
}
