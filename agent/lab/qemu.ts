/**
 * One guest: a QEMU process with three channels, each an inherited socket: the console, the beacons (both ways)
 * and QMP. It dies with its parent, and its process group is killed as a whole.
 */
import { spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';

export interface GuestHandlers {
  /** One line of the console or of the beacon channel, with the milliseconds since the start. */
  readonly onConsole: (line: string, atMs: number) => void;
  readonly onBeacon: (line: string, atMs: number) => void;
  /** A QMP event by name (docs/interop/qemu-qmp-ref). */
  readonly onEvent: (name: string, data: Record<string, unknown>, atMs: number) => void;
}

export interface GuestExit {
  readonly code: number | null;
  readonly signal: string | null;
  /** What QEMU itself said. */
  readonly said: string;
}

export interface Guest {
  readonly pid: number;
  /** Sends a line to the guest over the beacon channel. */
  readonly tell: (line: string) => void;
  readonly qmp: (execute: string, args?: Record<string, unknown>) => void;
  readonly kill: () => void;
  readonly exited: Promise<GuestExit>;
}

/** Longer lines are cut: a guest that prints without end must not fill the host's memory. */
const lineMaxChars = 2000;

/** Calls back for each line of a stream, without its line end. */
function eachLine(stream: Duplex, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('latin1');
  stream.on('error', () => {});
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(0, lineMaxChars);
    for (const line of lines) onLine(line.replaceAll('\r', '').slice(0, lineMaxChars));
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
  });
}

/** Starts QEMU with `args` besides the channels. `now` gives milliseconds on a clock that never goes back. */
export function startGuest(args: readonly string[], handlers: GuestHandlers, now: () => number): Guest {
  const socket = (name: string, fd: number) => ['-chardev', `socket,id=${name},fd=${fd}`];
  const channels = [
    ...[...socket('console', 3), '-serial', 'chardev:console'],
    ...[...socket('beacons', 4), '-serial', 'chardev:beacons'],
    ...[...socket('qmp', 5), '-mon', 'chardev=qmp,mode=control'],
  ];
  const startedAt = now();
  const at = () => Math.round(now() - startedAt);
  const command = ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64', ...args, ...channels];
  const child = spawn('setpriv', command, {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  const [, , , consoleStream, beacons, monitor] = child.stdio as (Duplex | null)[];
  if (!consoleStream || !beacons || !monitor) throw new Error('the channels to QEMU could not be made');
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-lineMaxChars);
    });
  }
  const qmp = (execute: string, args: Record<string, unknown> = {}) => {
    if (monitor.writable) monitor.write(`${JSON.stringify({ execute, arguments: args })}\n`);
  };
  eachLine(consoleStream, (line) => handlers.onConsole(line, at()));
  eachLine(beacons, (line) => handlers.onBeacon(line, at()));
  eachLine(monitor, (line) => {
    const message = JSON.parse(line) as { event?: string; data?: Record<string, unknown> };
    if (message.event) handlers.onEvent(message.event, message.data ?? {}, at());
  });
  qmp('qmp_capabilities');
  const exited = new Promise<GuestExit>((settle) => {
    child.on('error', (error) => settle({ code: null, signal: null, said: error.message }));
    child.on('close', (code, signal) => settle({ code, signal, said: said.trim() }));
  });
  return {
    pid: child.pid ?? -1,
    tell: (line) => {
      if (beacons.writable) beacons.write(`${line}\n`);
    },
    qmp,
    kill: () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It is gone already.
      }
    },
    exited,
  };
}
