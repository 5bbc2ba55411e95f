import { expect, test } from 'vitest';
import { capturedOf, counted, interval, moment, percent, seconds, whole } from './format.ts';

const nb = '\u00a0';

test.each([
  [0, `0${nb}%`],
  [0.004, `<1${nb}%`],
  [0.07, `7${nb}%`],
  [0.875, `88${nb}%`],
  [0.99, `99${nb}%`],
  [0.9999, `>99${nb}%`],
  [1, `100${nb}%`],
])('percent(%d) claims no certainty that is not there', (value, text) => {
  expect(percent(value)).toBe(text);
});

test.each([
  [0, 0.2646, `0–27${nb}%`],
  [0.07, 0.07, `7–7${nb}%`],
  [0.29, 0.57, `29–57${nb}%`],
  [0.6306, 1, `63–100${nb}%`],
  [0.4735, 0.9968, `47–100${nb}%`],
])('interval(%d, %d) is rounded outwards', (low, high, text) => {
  expect(interval(low, high)).toBe(text);
});

test('counts and times', () => {
  expect(capturedOf({ captured: 7, trials: 8 })).toBe('7 of 8');
  expect(counted(1, 'trial')).toBe('1 trial');
  expect(counted(1412, 'trial')).toBe('1\u202f412 trials');
  expect(whole(999)).toBe('999');
  expect(seconds(4873)).toBe(`4.87${nb}s`);
  expect(moment('2026-11-23T14:49:01.004Z')).toBe(`2026-11-23 14:49${nb}UTC`);
  expect(moment('yesterday')).toBe('yesterday');
});
