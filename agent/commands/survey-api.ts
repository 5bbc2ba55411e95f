/** The survey as commands reach it: real time, patience in seconds, and what the data directory remembers of its log. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type OptionValues, text } from '../command.ts';
import { type Api, apiAt } from '../link/api.ts';
import { type SurveyLog, surveyLog } from '../link/log.ts';
import { type LogMemory, logMemoryIn, surveyDir } from '../link/log-memory.ts';
import { checkedSurvey, type Survey } from '../link/survey-api.ts';
import { defaultSettings, type MetalSettings, metalSettings } from '../metal/settings.ts';
import { metalPaths } from '../metal/state.ts';
import { dataDir } from '../paths.ts';

export interface SurveyLink {
  readonly url: string;
  /** The log's verifier key that a person gave, or null. */
  readonly givenKey: string | null;
  /** What the survey says, unchecked. */
  readonly api: Api;
  readonly log: SurveyLog;
  readonly memory: LogMemory;
  readonly survey: Survey;
}

/** The survey, in the order in which it may be named: option, environment, installation, default. Pure. */
export function surveyNamed(
  values: OptionValues,
  env: Readonly<Record<string, string | undefined>>,
  settings: Pick<MetalSettings, 'survey' | 'log_key'> | null,
): { readonly url: string; readonly logKey: string | null } {
  const installed = settings ?? defaultSettings;
  const url = (text(values, 'url') ?? env.DUMPSURVEY_URL) || installed.survey;
  // The key of one survey's log says nothing of another's.
  const installedKey = url === installed.survey ? installed.log_key : null;
  return { url, logKey: (text(values, 'log-key') ?? env.DUMPSURVEY_LOG_KEY) || installedKey };
}

/** What was chosen at the installation. A damaged file is as none here: doctor and run tell of it. */
function settingsHere(): MetalSettings | null {
  try {
    return metalSettings.parse(JSON.parse(readFileSync(metalPaths(dataDir()).settings, 'utf8')));
  } catch {
    return null;
  }
}

/** The survey that the options name; gives up after `patienceMs` without an answer. */
export function surveyLink(values: OptionValues, patienceMs: number): SurveyLink {
  const { url, logKey } = surveyNamed(values, process.env, settingsHere());
  const api = apiAt(url, { sleep: (ms) => sleep(ms), patienceMs, now: () => performance.now() });
  const memory = logMemoryIn(surveyDir(dataDir(), url));
  const log = surveyLog({ memory, reads: api, givenKey: logKey, now: Date.now });
  return { url, givenKey: logKey, api, log, memory, survey: checkedSurvey(api, log) };
}
