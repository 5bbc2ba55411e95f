/**
 * A Debian guest that reboots as a real machine does: a boot loader of its own on its disk, a hardware watchdog,
 * a console that is recorded, and a root shell on the second serial port. It crashes nothing but itself, and dies
 * with this process.
 */
import { createWriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGuest } from '../../../agent/lab/qemu.ts';
import { readLine, runLine } from './control.ts';

/** What came of a command. */
export interface Done {
  readonly status: number;
  /** Both streams, in the order in which they were written. */
  readonly output: string;
}

/** The guest went down, or its emulator ended, while a command ran. */
export class GuestGone extends Error {
  override name = 'GuestGone';
}

export interface GuestLine {
  readonly atMs: number;
  readonly text: string;
}

export interface DebianGuest {
  /** What its console said since it was switched on, boot loader and capture kernels included. */
  readonly console: readonly GuestLine[];
  /** QEMU's own events, such as RESET and WATCHDOG. */
  readonly events: readonly GuestLine[];
  /** The boots whose shell was seen, first to last. */
  readonly boots: readonly string[];
  /** Waits until the shell of boot number `count`, from 1, was there. Gives its boot id. */
  readonly booted: (count: number, withinMs: number) => Promise<string>;
  /** Runs a command by bash as root. Throws GuestGone where the guest reboots or ends meanwhile. */
  readonly run: (command: string, withinMs?: number) => Promise<Done>;
  /** The same, where failing is a failure of the test. Gives the output. */
  readonly must: (command: string, withinMs?: number) => Promise<string>;
  /** Cuts the power: the emulator is killed between two instructions. Its disk holds what the guest had handed to it. */
  readonly cut: () => Promise<void>;
  /** Resolves when the emulator has ended, however. */
  readonly ended: Promise<void>;
}

export interface GuestOptions {
  /** A raw disk image; it is written to. */
  readonly disk: string;
  readonly memoryMib?: number;
  /** More devices, as QEMU's arguments. */
  readonly devices?: readonly string[];
  /** Whether there is a hardware watchdog. */
  readonly watchdog?: boolean;
}

const usualWithinMs = 120_000;

/** What the guest consists of. The disk is on virtio, as a machine in a cloud has it; QEMU is the host at 10.0.2.2. */
export function guestArguments({
  disk,
  memoryMib = 1024,
  devices = [],
  watchdog = true,
}: GuestOptions): string[] {
  return [
    ...['-accel', 'tcg,thread=multi', '-cpu', 'qemu64,-svm', '-machine', 'pc', '-smp', '2'],
    ...['-m', String(memoryMib), '-nodefaults', '-display', 'none'],
    ...(watchdog ? ['-device', 'i6300esb', '-action', 'watchdog=reset'] : []),
    ...['-drive', `file=${disk.replaceAll(',', ',,')},format=raw,if=none,id=disk0,cache=unsafe`],
    ...['-device', 'virtio-blk-pci,drive=disk0,bootindex=0'],
    ...['-netdev', 'user,id=net0', '-device', 'virtio-net-pci,netdev=net0,romfile='],
    ...['-device', 'virtio-rng-pci'],
    ...devices,
  ];
}

/** Switches a guest on. It boots from its disk, again after each reset, until it is cut or powers itself off. */
export function startDebian(options: GuestOptions): DebianGuest {
  const console: GuestLine[] = [];
  const events: GuestLine[] = [];
  const boots: string[] = [];
  // For whoever looks into what went wrong: it lies beside the disk, and goes on over several power-ons.
  const kept = createWriteStream(`${options.disk}.console`, { flags: 'a' });
  kept.write('# power on\n');
  let asked = 0;
  let output: Buffer[] = [];
  let running: { id: string; settle: (done: Done) => void; fail: (error: Error) => void } | null = null;
  let over = false;
  const gone = (why: string) => {
    running?.fail(new GuestGone(why));
    running = null;
  };
  const onControl = (line: string) => {
    const said = readLine(line);
    if (said?.kind === 'up') {
      const isSame = boots.at(-1) === said.bootId;
      gone(isSame ? 'the shell in the guest was ended' : 'the guest rebooted');
      if (!isSame) boots.push(said.bootId);
    }
    if (said === null || said.kind === 'up' || said.id !== running?.id) return;
    if (said.kind === 'out') output.push(said.text);
    else {
      running.settle({ status: said.status, output: Buffer.concat(output).toString() });
      running = null;
    }
  };
  const guest = startGuest(
    guestArguments(options),
    {
      onConsole: (text, atMs) => {
        console.push({ atMs, text });
        kept.write(`${(atMs / 1000).toFixed(1)} ${text}\n`);
      },
      onBeacon: onControl,
      onEvent: (name, data, atMs) => events.push({ atMs, text: `${name} ${JSON.stringify(data)}` }),
    },
    () => performance.now(),
  );
  let said = '';
  const ended = guest.exited.then((exit) => {
    over = true;
    kept.end();
    said = `${exit.code ?? exit.signal} ${exit.said}`;
    gone(`the emulator ended (${said})`);
  });
  const lastWords = () =>
    console
      .slice(-25)
      .map(({ text }) => text)
      .join('\n');
  const run = async (command: string, withinMs = usualWithinMs): Promise<Done> => {
    if (running) throw new Error('the guest has one shell: wait for the command before');
    if (over) throw new GuestGone(`the emulator ended (${said})`);
    asked++;
    const id = String(asked);
    output = [];
    const done = new Promise<Done>((settle, fail) => {
      running = { id, settle, fail };
    });
    guest.tell(runLine(id, command));
    const late = setTimeout(() => {
      if (running?.id === id)
        gone(`no answer within ${withinMs / 1000} s to ${command}\n${Buffer.concat(output)}\n${lastWords()}`);
    }, withinMs);
    return done.finally(() => clearTimeout(late));
  };
  return {
    console,
    events,
    boots,
    ended,
    run,
    must: async (command, withinMs) => {
      const done = await run(command, withinMs);
      if (done.status !== 0) throw new Error(`\`${command}\` failed with ${done.status}: ${done.output}`);
      return done.output;
    },
    booted: async (count, withinMs) => {
      for (const until = performance.now() + withinMs; performance.now() < until; await sleep(100)) {
        const boot = boots[count - 1];
        if (boot !== undefined) return boot;
        if (over) throw new GuestGone(`the emulator ended (${said}) before boot ${count}`);
      }
      throw new Error(`no shell of boot ${count} within ${withinMs / 1000} s:\n${lastWords()}`);
    },
    cut: async () => {
      guest.kill();
      await ended;
    },
  };
}
