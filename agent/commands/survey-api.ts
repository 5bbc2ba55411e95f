/** The survey as commands reach it: real time, patience in seconds, and what the data directory remembers of its log. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type OptionValues, surveyUrl, text } from '../command.ts';
import { type Api, apiAt } from '../link/api.ts';
import { type SurveyLog, surveyLog } from '../link/log.ts';
import { type LogMemory, logMemoryIn, surveyDir } from '../link/log-memory.ts';
import { checkedSurvey, type Survey } from '../link/survey-api.ts';
import { dataDir } from '../paths.ts';

export interface SurveyLink {
  readonly url: string;
  /** What the survey says, unchecked. */
  readonly api: Api;
  readonly log: SurveyLog;
  readonly memory: LogMemory;
  readonly survey: Survey;
}

/** The survey that the options name; gives up after `patienceMs` without an answer. */
export function surveyLink(values: OptionValues, patienceMs: number): SurveyLink {
  const url = surveyUrl(values);
  const api = apiAt(url, { sleep: (ms) => sleep(ms), patienceMs, now: () => performance.now() });
  const memory = logMemoryIn(surveyDir(dataDir(), url));
  const givenKey = text(values, 'log-key') ?? process.env.DUMPSURVEY_LOG_KEY;
  const log = surveyLog({ memory, reads: api, givenKey: givenKey || null, now: Date.now });
  return { url, api, log, memory, survey: checkedSurvey(api, log) };
}
