/**
 * What a process, or under Workers an isolate, counts of its own work. Every label has few values: patterns of routes,
 * classes of statuses, slugs of problems.
 */
import type { ProblemSlug } from '../../schema/problem.ts';
import type { Family, Labels, Sample } from './exposition.ts';

/** Upper bounds of the buckets, in seconds. A report takes a millisecond or two; a body may take twenty seconds. */
export const durationBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

interface Histogram {
  readonly labels: Labels;
  /** How many fell into each bucket alone; the last one is for what is above all bounds. */
  readonly counts: number[];
  sumSeconds: number;
}

interface Counter {
  readonly labels: Labels;
  value: number;
}

/** The limits that a request may meet. */
export type LimitName = 'requests-per-prefix' | 'admissions-per-key' | 'enrolments-per-prefix';

/** What is counted. None of it throws, and none of it waits. */
export interface Counts {
  readonly request: (labels: { route: string; method: string; status: number }, durationMs: number) => void;
  readonly admission: (kind: string, outcome: 'fresh' | 'again' | ProblemSlug) => void;
  readonly bytesRefused: (problem: ProblemSlug) => void;
  readonly limited: (limit: LimitName) => void;
  readonly unexpectedError: () => void;
  readonly storeBusy: () => void;
  readonly families: () => Family[];
}

function add(counters: Map<string, Counter>, labels: Labels): void {
  const key = JSON.stringify(labels);
  const counter = counters.get(key);
  if (counter === undefined) counters.set(key, { labels, value: 1 });
  else counter.value += 1;
}

function samplesOf({ labels, counts, sumSeconds }: Histogram): Sample[] {
  let total = 0;
  const buckets = counts.map((count, i): Sample => {
    total += count;
    const bound = durationBuckets[i];
    return {
      suffix: '_bucket',
      labels: { ...labels, le: bound === undefined ? '+Inf' : String(bound) },
      value: total,
    };
  });
  return [
    ...buckets,
    { suffix: '_sum', labels, value: sumSeconds },
    { suffix: '_count', labels, value: total },
  ];
}

/** Counts from zero. `counter` says in HELP who counts: a process, or one of several isolates. */
export function createCounts(counter: string): Counts {
  const histograms = new Map<string, Histogram>();
  const admissions = new Map<string, Counter>();
  const refusedBytes = new Map<string, Counter>();
  const limits = new Map<string, Counter>();
  let unexpectedErrorCount = 0;
  let storeBusyCount = 0;
  return {
    request: ({ route, method, status }, durationMs) => {
      const labels = { route, method, status: `${Math.trunc(status / 100)}xx` };
      const key = JSON.stringify(labels);
      let histogram = histograms.get(key);
      if (histogram === undefined) {
        histogram = { labels, counts: Array<number>(durationBuckets.length + 1).fill(0), sumSeconds: 0 };
        histograms.set(key, histogram);
      }
      const seconds = durationMs / 1000;
      const found = durationBuckets.findIndex((bound) => seconds <= bound);
      const bucket = found < 0 ? durationBuckets.length : found;
      histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
      histogram.sumSeconds += seconds;
    },
    admission: (kind, outcome) => add(admissions, { kind, outcome }),
    bytesRefused: (problem) => add(refusedBytes, { problem }),
    limited: (limit) => add(limits, { limit }),
    unexpectedError: () => {
      unexpectedErrorCount += 1;
    },
    storeBusy: () => {
      storeBusyCount += 1;
    },
    families: () => [
      {
        name: 'dumpsurvey_request_duration_seconds',
        type: 'histogram',
        help: `Time from a request's headers to its answer, by pattern of route, method and class of status. ${counter}`,
        samples: [...histograms.values()].flatMap(samplesOf),
      },
      {
        name: 'dumpsurvey_admissions_total',
        type: 'counter',
        help: `Signed requests by kind and outcome: fresh (201), again (200), or the problem. ${counter}`,
        samples: [...admissions.values()],
      },
      {
        name: 'dumpsurvey_bytes_refused_total',
        type: 'counter',
        help: `Requests that were refused before the application saw them, by problem. ${counter}`,
        samples: [...refusedBytes.values()],
      },
      {
        name: 'dumpsurvey_limited_total',
        type: 'counter',
        help: `Requests that were refused because there were too many, by limit. ${counter}`,
        samples: [...limits.values()],
      },
      {
        name: 'dumpsurvey_unexpected_errors_total',
        type: 'counter',
        help: `Errors that nobody expected; each is an event in the log. ${counter}`,
        samples: [{ value: unexpectedErrorCount }],
      },
      {
        name: 'dumpsurvey_store_busy_total',
        type: 'counter',
        help: `How often the store was found locked; it is tried again before a request is refused. ${counter}`,
        samples: [{ value: storeBusyCount }],
      },
    ],
  };
}
