/** The survey as commands reach it: real time, patience in seconds, and what the data directory remembers of its log. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type OptionValues, surveyUrl, text } from '../command.ts';
import { type Api, apiAt } from '../link/api.ts';
import { type SurveyLog, surveyLog } from '../link/log.ts';
import { type LogMemory, logMemoryIn, surveyDir } from '../link/log-memory.ts';
import { checkedSurvey, type Survey } from '../link/survey-api.ts';
import { metalPaths } from '../metal/state.ts';
import { dataDir } from '../paths.ts';

export interface SurveyLink {
  readonly url: string;
  /** What the survey says, unchecked. */
  readonly api: Api;
  readonly log: SurveyLog;
  readonly memory: LogMemory;
  readonly survey: Survey;
}

/** The survey that the owner chose for this machine at the installation; the options and the environment go before it. */
function chosenSurvey(data: string): { readonly url: string; readonly logKey: string | null } | null {
  try {
    const { survey, log_key } = JSON.parse(readFileSync(metalPaths(data).settings, 'utf8')) as Record<
      string,
      unknown
    >;
    return typeof survey === 'string'
      ? { url: survey, logKey: typeof log_key === 'string' ? log_key : null }
      : null;
  } catch {
    // Without settings, or with damaged ones, nothing was chosen; `run` says what is wrong with the file.
    return null;
  }
}

/** The survey that the options name; gives up after `patienceMs` without an answer. */
export function surveyLink(values: OptionValues, patienceMs: number): SurveyLink {
  const isNamed = text(values, 'url') !== null || Boolean(process.env.DUMPSURVEY_URL);
  const chosen = isNamed ? null : chosenSurvey(dataDir());
  const url = chosen?.url ?? surveyUrl(values);
  const api = apiAt(url, { sleep: (ms) => sleep(ms), patienceMs, now: () => performance.now() });
  const memory = logMemoryIn(surveyDir(dataDir(), url));
  const givenKey = text(values, 'log-key') ?? process.env.DUMPSURVEY_LOG_KEY ?? chosen?.logKey;
  const log = surveyLog({ memory, reads: api, givenKey: givenKey || null, now: Date.now });
  return { url, api, log, memory, survey: checkedSurvey(api, log) };
}
