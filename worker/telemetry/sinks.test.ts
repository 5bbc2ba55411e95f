import { expect, it } from 'vitest';
import type { Told } from './events.ts';
import { jsonLine, jsonLog, textLog } from './sinks.ts';

const answered: Told = {
  event: 'request',
  request_id: '0123456789abcdef',
  route: '/v1/reports/:id',
  method: 'GET',
  status: 200,
  problem: null,
  duration_ms: 1.25,
  bytes: 812,
};

it('an event is one line of JSON, with time and level first', () => {
  const atMs = Date.UTC(2026, 10, 24, 21, 5, 7, 9);
  expect(jsonLine(answered, atMs)).toBe(
    '{"time":"2026-11-24T21:05:07.009Z","level":"info","event":"request","request_id":"0123456789abcdef",' +
      '"route":"/v1/reports/:id","method":"GET","status":200,"problem":null,"duration_ms":1.25,"bytes":812}',
  );
  expect(jsonLine({ event: 'publishing-failed', cause: 'Error: a\n    at b' }, atMs)).not.toContain('\n');
});

it.each<[Told, string, string | null]>([
  [answered, 'info', null],
  [{ ...answered, status: 503, problem: 'store-busy' }, 'warn', null],
  [{ event: 'edition-published', number: 7, log_size: 12 }, 'info', null],
  [{ event: 'bytes-refused', problem: 'not-http' }, 'info', null],
  [{ event: 'listening', url: 'http://127.0.0.1:1' }, 'info', 'Dump Survey listens at http://127.0.0.1:1'],
  [{ event: 'draining', in_progress: 0 }, 'info', null],
  [{ event: 'draining', in_progress: 2 }, 'info', 'Stopping; 2 requests are in progress.'],
  [{ event: 'stopped', cut_off: 0 }, 'info', null],
  [{ event: 'stopped', cut_off: 1 }, 'warn', '1 connections did not end in time and were cut off.'],
  [{ event: 'publishing-failed', cause: 'x' }, 'error', 'publishing an edition failed: x'],
  [{ event: 'check-failed', check: 'log', cause: 'x' }, 'error', 'the check log failed: x'],
  [{ event: 'store-failed', cause: 'x' }, 'error', 'the store could not be opened: x'],
  [
    { event: 'handing-over-failed', cause: 'x' },
    'error',
    expect.stringContaining('handed to the application: x'),
  ],
  [
    { event: 'request-failed', request_id: 'ab', route: '/v1', method: 'GET', cause: 'x' },
    'error',
    'request ab (GET /v1) failed: x',
  ],
])('%j has level %s and is said as %j', (told, level, words) => {
  const lines: string[] = [];
  jsonLog(
    (line) => lines.push(line),
    () => 0,
  )(told);
  expect(JSON.parse(lines[0] ?? '')).toEqual({ time: '1970-01-01T00:00:00.000Z', level, ...told });
  const said: unknown[] = [];
  textLog((line, at) => said.push(line, at))(told);
  expect(said).toEqual(words === null ? [] : [words, level]);
});
