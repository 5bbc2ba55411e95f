/** How the Node server ends: what is in progress is answered, nothing more is begun, and an impatient operator is obeyed. */
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** How many requests have been begun and not answered. */
export interface Progress {
  readonly inProgress: () => number;
}

/** Counts the requests in progress of a server. */
export function watchProgress(server: Server): Progress {
  let inProgress = 0;
  server.on('request', (_request, response) => {
    inProgress += 1;
    response.once('close', () => {
      inProgress -= 1;
    });
  });
  return { inProgress: () => inProgress };
}

/**
 * Takes no more connections, lets requests in progress be answered for at most `withinMs`, then cuts off what is
 * left, and gives how many that were. Connections that are kept without a request are closed as they fall idle.
 */
export async function drain(server: Server, { inProgress }: Progress, withinMs: number): Promise<number> {
  let open = true;
  const closed = new Promise<void>((done) => {
    server.close(() => {
      open = false;
      done();
    });
  });
  const until = performance.now() + withinMs;
  while (open && inProgress() > 0 && performance.now() < until) {
    server.closeIdleConnections();
    await Promise.race([closed, sleep(20)]);
  }
  const cutOff = inProgress();
  server.closeAllConnections();
  await closed;
  return cutOff;
}

/**
 * A terminal and a supervisor may both tell of one Ctrl-C: signals within this time of the first are the same
 * request to stop.
 */
const sameRequestMs = 1000;

/** Calls `stop` at the first SIGTERM or SIGINT; a later one means that nobody wants to wait, and calls `leave`. */
export function onSignals(
  signals: Pick<NodeJS.Process, 'on'>,
  { stop, leave, monotonicMs }: { stop: () => void; leave: () => void; monotonicMs: () => number },
): void {
  let firstAtMs: number | null = null;
  const told = () => {
    if (firstAtMs === null) {
      firstAtMs = monotonicMs();
      stop();
    } else if (monotonicMs() - firstAtMs >= sameRequestMs) leave();
  };
  signals.on('SIGTERM', told).on('SIGINT', told);
}
