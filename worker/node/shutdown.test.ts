import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { onSignals } from './shutdown.ts';

it.each<[string, readonly (readonly [number, 'SIGTERM' | 'SIGINT'])[], readonly string[]]>([
  ['one signal stops', [[0, 'SIGTERM']], ['stop at 0']],
  [
    'Ctrl-C, told by the terminal and by npm start, is one request',
    [
      [0, 'SIGINT'],
      [3, 'SIGTERM'],
      [5, 'SIGTERM'],
    ],
    ['stop at 0'],
  ],
  [
    'a second Ctrl-C leaves at once',
    [
      [0, 'SIGINT'],
      [3, 'SIGTERM'],
      [1500, 'SIGINT'],
    ],
    ['stop at 0', 'leave at 1500'],
  ],
])('%s', (_, signals, expected) => {
  const emitter = new EventEmitter();
  const done: string[] = [];
  let nowMs = 0;
  onSignals(emitter as unknown as NodeJS.Process, {
    stop: () => done.push(`stop at ${nowMs}`),
    leave: () => done.push(`leave at ${nowMs}`),
    monotonicMs: () => nowMs,
  });
  for (const [atMs, signal] of signals) {
    nowMs = atMs;
    emitter.emit(signal);
  }
  expect(done).toEqual(expected);
});
