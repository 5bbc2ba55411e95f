import { expect, it } from 'vitest';
import { faultOfDate } from './date.ts';

const nowMs = Date.parse('2026-11-21T12:00:00.000Z');

it.each([
  ['2026-11-21T12:00:00.000Z', true],
  ['2026-11-20T12:00:00.000Z', true],
  ['2026-11-20T11:59:59.999Z', false],
  ['2026-11-21T12:10:00.000Z', true],
  ['2026-11-21T12:10:00.001Z', false],
  ['1970-01-01T00:00:00.000Z', false],
  ['9999-12-31T23:59:59.999Z', false],
])('signed at %s, it may take effect: %s', (createdAt, may) => {
  const fault = faultOfDate(createdAt, nowMs);
  expect(fault === null).toBe(may);
  if (fault !== null) {
    expect(fault.slug).toBe('untimely-request');
    expect(fault.detail).toContain(createdAt);
  }
});
