/** `GET /metrics`, for Prometheus: what this process counts, and how the store stands. */
import { exposition, expositionType, type Family } from '../metrics/exposition.ts';
import { rootOf } from '../root-cause.ts';
import type { Services } from '../services.ts';
import { type StoreGauges, storeGauges } from '../store/gauges.ts';
import { version } from '../version.ts';
import { textAnswer } from './answer.ts';
import type { AppContext } from './frame.ts';
import { letOperatorPass } from './operator.ts';

const gauge = (name: string, help: string, value: number | null): Family => ({
  name,
  type: 'gauge',
  help,
  samples: value === null ? [] : [{ value }],
});

function ofStore(gauges: StoreGauges | null, nowMs: number): Family[] {
  const published = gauges?.editionPublishedAtMs ?? null;
  return [
    gauge('dumpsurvey_store_up', 'Whether the store answered: 1 or 0.', gauges === null ? 0 : 1),
    gauge('dumpsurvey_log_entries', 'Entries of the log. Read from the store.', gauges?.logSize ?? null),
    gauge(
      'dumpsurvey_edition_number',
      'Number of the newest edition, 0 before the first. Read from the store.',
      gauges?.editionNumber ?? null,
    ),
    gauge(
      'dumpsurvey_edition_age_seconds',
      'Time since the newest edition was published. It grows while nothing happens. Read from the store.',
      published === null ? null : Math.max(0, nowMs - published) / 1000,
    ),
    gauge(
      'dumpsurvey_armed_overdue_trials',
      'Trials that were armed, are past their deadline and have no report. Read from the store.',
      gauges?.overdueCount ?? null,
    ),
  ];
}

/** The handler. A store that does not answer is a gauge too: the counts are told all the same. */
export async function metrics(services: Services, c: AppContext): Promise<Response> {
  await letOperatorPass(services, c);
  const { store, counts, now, startedAtMs, runtime, log } = services;
  const nowMs = now();
  const gauges = await storeGauges(store, nowMs).catch((error: unknown) => {
    log({ event: 'check-failed', check: 'metrics', cause: rootOf(error) });
    return null;
  });
  const families: Family[] = [
    ...counts.families(),
    ...ofStore(gauges, nowMs),
    gauge(
      'process_start_time_seconds',
      'When what counts began to count, in seconds since 1970 UTC.',
      startedAtMs / 1000,
    ),
    {
      name: 'dumpsurvey_build_info',
      type: 'gauge',
      help: 'Always 1; the labels say which code runs where.',
      samples: [{ labels: { version, runtime }, value: 1 }],
    },
  ];
  return textAnswer(exposition(families), expositionType);
}
