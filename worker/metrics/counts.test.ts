import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createCounts, durationBuckets } from './counts.ts';
import type { Sample } from './exposition.ts';

const familyOf = (counts: ReturnType<typeof createCounts>, name: string): readonly Sample[] =>
  counts.families().find((family) => family.name === name)?.samples ?? [];

it('buckets are cumulative, and agree with the durations whatever these are', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 20_000, noNaN: true })), (durations) => {
      const counts = createCounts('');
      for (const ms of durations) counts.request({ route: '/v1', method: 'GET', status: 200 }, ms);
      const samples = familyOf(counts, 'dumpsurvey_request_duration_seconds');
      if (durations.length === 0) return samples.length === 0;
      const seconds = durations.map((ms) => ms / 1000);
      const expected = [...durationBuckets, Infinity].map(
        (bound) => seconds.filter((s) => s <= bound).length,
      );
      expect(samples.filter((s) => s.suffix === '_bucket').map((s) => s.value)).toEqual(expected);
      expect(samples.find((s) => s.suffix === '_count')?.value).toBe(durations.length);
      const sum = samples.find((s) => s.suffix === '_sum')?.value;
      expect(sum).toBeCloseTo(
        seconds.reduce((a, b) => a + b, 0),
        6,
      );
      return true;
    }),
  );
});

it('requests are told apart by route, method and class of status, and by nothing else', () => {
  const counts = createCounts('');
  for (const status of [200, 201, 204, 404, 409, 503]) {
    counts.request({ route: '/v1/reports', method: 'POST', status }, 1);
  }
  counts.request({ route: '/v1/reports', method: 'GET', status: 200 }, 1);
  const labels = familyOf(counts, 'dumpsurvey_request_duration_seconds')
    .filter(({ suffix }) => suffix === '_count')
    .map(({ labels: l, value }) => [l?.method, l?.status, value]);
  expect(labels).toEqual([
    ['POST', '2xx', 3],
    ['POST', '4xx', 2],
    ['POST', '5xx', 1],
    ['GET', '2xx', 1],
  ]);
});

it('admissions are counted by kind and outcome', () => {
  const counts = createCounts('');
  for (const outcome of ['fresh', 'again', 'again', 'wrong-signature'] as const)
    counts.admission('reports', outcome);
  expect(familyOf(counts, 'dumpsurvey_admissions_total')).toEqual([
    { labels: { kind: 'reports', outcome: 'fresh' }, value: 1 },
    { labels: { kind: 'reports', outcome: 'again' }, value: 2 },
    { labels: { kind: 'reports', outcome: 'wrong-signature' }, value: 1 },
  ]);
});
