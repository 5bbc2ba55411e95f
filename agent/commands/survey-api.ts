/** The API client that commands use: real time, and patience in seconds. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Api, apiAt } from '../link/api.ts';

/** The survey at `url`; gives up after `patienceMs` without an answer. */
export function surveyAt(url: string, patienceMs: number): Api {
  return apiAt(url, { sleep: (ms) => sleep(ms), patienceMs, now: () => performance.now() });
}
