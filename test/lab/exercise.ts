/**
 * A guest that runs what it is told, for exercising the crash module without a crash. It never captures anything:
 * no capture kernel is loaded, and a guest that panics ends the exercise with what its console said.
 */
import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { qemuArguments } from '../../agent/lab/command-line.ts';
import { type CpioEntry, cpio } from '../../agent/lab/cpio.ts';
import { build, type LabMachine, type LabMachineName, labMachines } from '../../agent/lab/machines.ts';
import type { Lab } from '../../agent/lab/provision.ts';
import { startGuest } from '../../agent/lab/qemu.ts';

/** What came of one line of shell. */
export interface Done {
  readonly status: number;
  /** Its output, both streams, by lines. */
  readonly out: readonly string[];
}

/** The guest, as long as the exercise lasts. */
export interface Exercise {
  /** Runs a line of shell in the guest, with the functions of exercise.sh. Rejects where the guest ends instead. */
  readonly sh: (line: string) => Promise<Done>;
  /** The same, where failing is a failure of the exercise. */
  readonly must: (line: string) => Promise<readonly string[]>;
}

/**
 * Debian has no kernel built with KASAN, and this is what its kernels have in its place: SLUB's own checks of every
 * object that is allocated or freed (F), red zones around it (Z), poison in it (P), and who allocated it (U). It sees a
 * use after free or a write past the end when the object is next allocated, freed or validated, not at the act, and
 * sees neither reads nor anything that is no slab. Lockdep is in none of Debian's kernels either.
 */
const watchful = 'slub_debug=FZPU';

/** No line of the log may be lost: they are counted. The console shows errors alone; the log has the rest. */
const logging = 'log_buf_len=8M printk.devkmsg=on loglevel=4';

/** Requests a second: so that programs which ask for one after the other leave the processor to the module. */
const iops = 100;

function commandLine(machine: LabMachine): string {
  const { disk, card } = machine;
  const words = ['ds.mode=exercise', `ds.disk=${disk}`, `ds.interface=${card?.interface ?? ''}`];
  return ['console=ttyS0 panic=5', logging, watchful, ...words].join(' ');
}

/** Boots a guest, hands it to `body`, and ends it. `files` are put beside those of the image. */
export async function exercise<T>(
  lab: Lab,
  name: LabMachineName,
  { withinMs, files = [] }: { readonly withinMs: number; readonly files?: readonly CpioEntry[] },
  body: (guest: Exercise) => Promise<T>,
): Promise<T> {
  await mkdir(join(lab.dir, 'trials'), { recursive: true });
  const dir = await mkdtemp(join(lab.dir, 'trials/'));
  const [disk, initrd] = [join(dir, 'disk.img'), join(dir, 'initrd')];
  try {
    await writeFile(disk, '');
    await truncate(disk, build.diskBytes);
    // The kernel unpacks archives that follow one another as if they were one.
    await writeFile(initrd, Buffer.concat([await readFile(lab.images(name).first), cpio(files)]));
    const machine: LabMachine = labMachines[name];
    const { memoryMib, processors } = build;
    const args = qemuArguments(machine, {
      kernel: lab.kernel.vmlinux,
      initrd,
      commandLine: commandLine(machine),
      memoryMib,
      processors,
      disk,
      iops,
    });
    return await converse(args, withinMs, body);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** One question at a time: the guest answers each with its output and `did STATUS`. */
async function converse<T>(
  args: readonly string[],
  withinMs: number,
  body: (guest: Exercise) => Promise<T>,
): Promise<T> {
  const console: string[] = [];
  let out: string[] = [];
  let asked = 'to boot';
  let over: Error | null = null;
  let answered: (done: Done) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const broken = (error: Error) => {
    over ??= error;
    reject(over);
  };
  const answer = () =>
    new Promise<Done>((resolve, fail) => {
      answered = resolve;
      reject = fail;
      if (over) fail(over);
    });
  const booted = answer();
  const onBeacon = (line: string) => {
    const said = /^ds (\S+) ?(.*)$/.exec(line);
    if (said?.[1] === 'out') out.push(said[2] ?? '');
    else if (said?.[1] === 'exercise') answered({ status: 0, out: [] });
    else if (said?.[1] === 'fault') broken(new Error(`the guest gave up: ${said[2]}`));
    else if (said?.[1] === 'did') answered({ status: Number(said[2]), out });
  };
  const guest = startGuest(
    args,
    { onConsole: (line) => console.push(line), onBeacon, onEvent: () => {} },
    () => performance.now(),
  );
  const ended = (why: string) =>
    new Error(`${why} when it was asked ${asked}; its console ended with:\n${console.slice(-40).join('\n')}`);
  const deadline = setTimeout(() => {
    broken(ended(`the guest was not done within ${withinMs / 1000} s`));
    guest.kill();
  }, withinMs);
  guest.exited.then(({ code, signal, said }) => broken(ended(`the guest ended (${code ?? signal}) ${said}`)));
  const sh = (line: string) => {
    asked = `\`${line}\``;
    out = [];
    const done = answer();
    guest.tell(line);
    return done;
  };
  const must = async (line: string) => {
    const done = await sh(line);
    if (done.status !== 0)
      throw new Error(`\`${line}\` failed with ${done.status} in the guest: ${done.out.join('\n')}`);
    return done.out;
  };
  try {
    await booted;
    return await body({ sh, must });
  } finally {
    clearTimeout(deadline);
    guest.kill();
    await guest.exited;
  }
}
