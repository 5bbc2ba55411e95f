/** Surveys for the suite of the auditor: with a history that is told once and copied, and audits of them. */
import { createHash } from 'node:crypto';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createClient } from '@libsql/client';
import { type RunningWitness, startWitness } from '../../agent/witness/server.ts';
import { parseVerifierKey } from '../../schema/log/note.ts';
import type { AuditReport } from '../../worker/audit/audit.ts';
import type { Values } from '../../worker/audit/command.ts';
import { reportText, statusOf } from '../../worker/audit/print.ts';
import { type Rim, verify } from '../../worker/audit/run.ts';
import { settingsOf } from '../../worker/audit/settings.ts';
import { type LogIdentity, logIdentity } from '../../worker/log/identity.ts';
import { type ServerOptions, startServer } from '../../worker/node.ts';
import { auditorToken, endsMs, operator, type Story, tellHistory } from './history.ts';
import type { Runtime } from './runtimes.ts';
import { keyPair } from './samples.ts';

const origin = 'survey.test/log';
const seed = new Uint8Array(32).fill(7);

/** Who signs for the surveys of this suite. */
export const log: LogIdentity = await logIdentity(seed, origin);

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** A new directory, with the log's key in it. */
async function newData(): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'dumpsurvey-audit-'));
  await writeFile(join(data, 'log.key'), '07'.repeat(32), { mode: 0o600 });
  return data;
}

/** Starts a survey on what is in a directory. */
export async function openSurvey(
  data: string,
  options: Partial<ServerOptions> = {},
  startMs = 0,
): Promise<Runtime> {
  let offsetMs = startMs;
  const server = await startServer({
    port: 0,
    data,
    origin,
    referenceOwners: [keyPair('owner').publicHex],
    operators: [operator.publicHex],
    auditors: [sha256(auditorToken)],
    controlShare: 1,
    now: () => Date.now() + offsetMs,
    editionEveryMs: 20,
    lookEveryMs: 50,
    ...options,
  });
  const database = createClient({ url: pathToFileURL(join(data, 'survey.db')).href, concurrency: 1 });
  return {
    url: server.url,
    database,
    setClock: async (ms) => {
      offsetMs = ms;
    },
    tick: () => new Promise((done) => setTimeout(done, 60)),
    stop: async () => {
      database.close();
      await server.close();
    },
  };
}

export interface ToldSurvey {
  readonly story: Story;
  /** A copy of the store and the key beside it, in a directory of its own. */
  readonly copy: () => Promise<string>;
  readonly forget: () => Promise<void>;
}

/** Tells the history once. The server is stopped then: each test has its own copy. */
export async function toldSurvey(options: Partial<ServerOptions> = {}): Promise<ToldSurvey> {
  const data = await newData();
  const survey = await openSurvey(data, options);
  const story = await tellHistory(survey);
  await survey.stop();
  const copies: string[] = [data];
  return {
    story,
    copy: async () => {
      const to = await mkdtemp(join(tmpdir(), 'dumpsurvey-audit-'));
      copies.push(to);
      await cp(data, to, { recursive: true });
      return to;
    },
    forget: async () => {
      for (const path of copies) await rm(path, { recursive: true, force: true });
    },
  };
}

/** A witness of the log, in a directory. */
export async function openWitness(state: string, name: string): Promise<RunningWitness> {
  return startWitness({
    logs: [await parseVerifierKey(log.verifierKey)],
    state,
    name,
    port: 0,
    host: '127.0.0.1',
    nowSeconds: () => Math.floor(Date.now() / 1000),
    onError: (error) => console.error(error),
  });
}

/** A rim that waits for nothing and prints nothing. */
export const quietRim: Rim = {
  environment: {},
  now: () => Date.now() + endsMs,
  sleep: () => new Promise((done) => setTimeout(done, 20)),
  print: () => undefined,
  complain: () => undefined,
  progress: () => undefined,
};

export interface Audited {
  readonly report: AuditReport;
  readonly status: number;
  /** `check` or `check index` of each finding, each once, in order. */
  readonly found: readonly string[];
  /** The report as a person sees it. */
  readonly text: string;
}

/** Audits as the command line would. */
export async function audited(values: Values, rim: Partial<Rim> = {}): Promise<Audited> {
  const settings = await settingsOf(values, {});
  const { report, kept } = await verify(settings, { ...quietRim, ...rim });
  const found = report.tally
    .findings()
    .map(({ check, log_index }) => (log_index === null ? check : `${check} ${log_index}`));
  return {
    report,
    status: statusOf(report),
    found: [...new Set(found)],
    text: reportText(report, kept),
  };
}
