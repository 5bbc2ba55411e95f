import { expect, test } from 'vitest';
import { evidenceLines } from './excerpt.ts';
import { reproduceCommand } from './reproduce.ts';
import { scenario } from './sample.ts';

test('the command names machine, scenario and set', () => {
  expect(reproduceCommand('i440fx-am53c974', scenario)).toBe(
    'npx dumpsurvey lab --machine i440fx-am53c974 --scenario timer/exception/disk/none --set standard/1',
  );
});

test.each([null, '', '-x', '--set', 'a b', 'a;b', '~root', '$(id)', 'a\nb', '../x'])(
  'no command for %j: people paste it into a shell',
  (machine) => {
    expect(reproduceCommand(machine, scenario)).toBeNull();
  },
);

test.each([
  {
    name: 'starts one line before the first fault',
    crash: ['x'],
    capture: ['a', 'b', 'Oops: 0', 'c', 'd'],
    lines: ['b', 'Oops: 0', 'c'],
  },
  {
    name: 'is full where the fault is near the end',
    crash: [],
    capture: ['a', 'b', 'c', 'BUG'],
    lines: ['b', 'c', 'BUG'],
  },
  {
    name: 'is the end of a log without faults',
    crash: ['Oops'],
    capture: ['a', 'b', 'c', 'd'],
    lines: ['b', 'c', 'd'],
  },
  {
    name: 'is of the crash where nothing was captured',
    crash: ['panic', 'y'],
    capture: [],
    lines: ['panic', 'y'],
  },
  { name: 'is empty without logs', crash: [], capture: [], lines: [] },
])('the excerpt $name', ({ crash, capture, lines }) => {
  expect(evidenceLines({ crash_log: crash, capture_log: capture }, 3)).toEqual(lines);
});
