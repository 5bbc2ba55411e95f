/**
 * Campaigns against the real server. Only the guests are not real: what a trial comes to was recorded
 * (test/fixtures/runs), and is given at once.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openCampaign, openItems, runCampaign, type TrialDone } from '../../agent/lab/campaign.ts';
import { labKeys } from '../../agent/lab/keys.ts';
import type { PlanItem } from '../../agent/lab/plan.ts';
import type { Lab } from '../../agent/lab/provision.ts';
import type { Prepared, TrialOptions, TrialRun } from '../../agent/lab/trial.ts';
import { apiAt, Unreachable } from '../../agent/link/api.ts';
import { surveyLog } from '../../agent/link/log.ts';
import { LogFault } from '../../agent/link/log-fault.ts';
import { logMemoryIn } from '../../agent/link/log-memory.ts';
import { rotateKey } from '../../agent/link/rotation.ts';
import { checkedSurvey, type Survey } from '../../agent/link/survey-api.ts';
import type { Listing } from '../../schema/canary.ts';
import type { Evidence } from '../../schema/evidence.ts';
import type { ReportBody, TicketsBody } from '../../schema/wire.ts';
import { evidenceOf, recordedRun, treeOf } from '../fixtures/runs/runs.ts';
import { type Runtime, startRuntime } from '../http/runtimes.ts';

const run = recordedRun('virtio_blk');
/** Every guest that was started: whether it was a control, or null where it was not told so far. */
const guests: (boolean | null)[] = [];

function withoutCapture(e: Evidence): Evidence {
  const saw = e.channel.saw
    .filter(({ stage }) => ['armed', 'fired', 'detected'].includes(stage))
    .map((s) => (s.stage === 'armed' ? { ...s, line: 'armed inflight=0 kexec_crash_loaded=0' } : s));
  return { ...e, channel: { ...e.channel, saw }, dump: null, capture_log: [] };
}

async function recordedTrial(
  _lab: Lab,
  _name: string,
  _scenario: object,
  options: TrialOptions,
): Promise<TrialRun> {
  guests.push(null);
  const guest = guests.length - 1;
  const nothing = { observations: [], armedAtMs: null, prepared: null };
  const evidence = evidenceOf(run);
  try {
    const { nonce, control = false } = await options.beforePlanting(treeOf(run));
    guests[guest] = control;
    const prepared: Prepared = { planted: { nonce } as Listing, sysctls: { panic_on_oops: 1 } };
    await options.beforeArming(prepared);
    return { ...nothing, prepared, evidence: control ? withoutCapture(evidence) : evidence };
  } catch (error) {
    return { ...nothing, evidence: { ...evidence, harness_fault: String(error), dump: null } };
  }
}

vi.mock('../../agent/lab/trial.ts', () => ({
  runTrial: (...args: Parameters<typeof recordedTrial>) => recordedTrial(...args),
}));

const items: PlanItem[] = [
  'direct/panic/idle/none',
  'direct/panic/disk/none',
  'timer/exception/disk/none',
].map((scenario, ordinal) => ({ ordinal, machine: 'virtio_blk-pc', set: 'standard/1', scenario }));
const lab = { emulator: run.emulator, tools: run.tools } as Lab;

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'campaign-'));
  guests.length = 0;
});
afterEach(() => rmSync(data, { recursive: true }));

function surveyAt(url: string): Survey {
  const api = apiAt(url, { sleep: async () => {}, patienceMs: 0, now: () => 0 });
  const memory = logMemoryIn(join(data, 'memory'));
  return checkedSurvey(api, surveyLog({ memory, reads: api, givenKey: null, now: Date.now }));
}

/** Runs what is open of the campaign in `data`, one trial after the other. */
async function campaign(survey: Survey, plan = items) {
  const opened = await openCampaign(data, plan);
  if (opened === null) throw new Error('there is no plan');
  const done: TrialDone[] = [];
  const troubles: string[] = [];
  const result = await runCampaign({
    lab,
    survey,
    data,
    campaign: opened,
    concurrency: 1,
    onTrial: (trial) => done.push(trial),
    onTrouble: (_, what) => troubles.push(what),
  }).catch((error: unknown) => error);
  const left = openItems((await openCampaign(data)) ?? opened).length;
  return { result, done, troubles, left };
}

/** The payloads of a kind that a survey has, as they were sent. */
async function payloads<T>(runtime: Runtime, kind: string): Promise<T[]> {
  const { rows } = await runtime.database.execute({
    sql: 'select payload from envelopes where kind = ? order by rowid',
    args: [kind],
  });
  return rows.map(({ payload }) => JSON.parse(new TextDecoder().decode(payload as ArrayBuffer)) as T);
}

describe('a campaign', () => {
  let runtime: Runtime;
  let survey: Survey;
  beforeAll(async () => {
    runtime = await startRuntime('node');
  });
  afterAll(() => runtime.stop());
  beforeEach(() => {
    survey = surveyAt(runtime.url);
  });

  it('runs every trial, in the newest versions that both sides know', async () => {
    const { result, done, troubles, left } = await campaign(survey);
    expect([result, troubles, left]).toEqual([{ givenUp: 0 }, [], 0]);
    expect(done.map(({ control }) => control)).toEqual([false, false, false]);
    const reports = (await payloads<ReportBody>(runtime, 'report')).slice(-3);
    for (const report of reports)
      expect(report).toMatchObject({ version: '1.2', amends: null, evidence: { after_reboot: null } });
    const tickets = (await payloads<TicketsBody>(runtime, 'tickets')).slice(-3);
    for (const body of tickets)
      expect(body).toMatchObject({ version: '1.1', controls: true, offline: false });
    expect(readdirSync(join(data, 'outbox/sent'))).toHaveLength(6);
  });

  it('speaks the older versions to a survey that knows no others', async () => {
    const older: Survey = { ...survey, version: async () => '1.0' };
    expect((await campaign(older, items.slice(0, 1))).result).toEqual({ givenUp: 0 });
    const [report] = (await payloads<ReportBody>(runtime, 'report')).slice(-1);
    expect(report).toMatchObject({ version: '1.0' });
    expect(report).not.toHaveProperty('amends');
    const [body] = (await payloads<TicketsBody>(runtime, 'tickets')).slice(-1);
    expect(body).toMatchObject({ version: '1.0' });
    expect(body).not.toHaveProperty('controls');
  });

  it('says the same of an arming whose note was taken but not answered', async () => {
    const lost: Survey = {
      ...survey,
      armed: async (e) => {
        await survey.armed(e);
        throw new Unreachable('the answer was lost');
      },
    };
    const first = await campaign(lost, items.slice(0, 1));
    // Three guests were started, and none was armed: the report says so.
    expect(first.troubles).toHaveLength(2);
    expect(guests).toHaveLength(3);
    expect(first.done[0]?.report).toMatchObject({ armed_at: null, outcome: { result: 'inconclusive' } });
    const nonce = first.done[0]?.report.nonce;
    const notes = await payloads<{ nonce: string }>(runtime, 'armed');
    expect(notes.filter((note) => note.nonce === nonce)).toHaveLength(1);
    expect(await logMemoryIn(join(data, 'memory')).evidence()).toEqual([]);
  });

  it('ends where the log cannot be trusted: what ran is kept, and nothing more is begun', async () => {
    const fault = new LogFault('forked', 'two histories');
    const lying: Survey = { ...survey, report: () => Promise.reject(fault) };
    const { result, left } = await campaign(lying);
    expect(result).toBe(fault);
    expect(guests).toEqual([false]);
    expect(left).toBe(2);
    expect(readdirSync(join(data, 'outbox/waiting'))).toHaveLength(1);
    // Nor is a guest armed, or started again, where it is found out earlier.
    const early: Survey = { ...survey, tickets: () => Promise.reject(fault) };
    guests.length = 0;
    expect((await campaign(early)).result).toBe(fault);
    expect(guests).toEqual([null]);
    expect((await campaign(survey)).left).toBe(0);
  });

  it('that was killed before its report was signed signs it with the key that it names, though it was replaced', async () => {
    await campaign(survey, items.slice(0, 1));
    const journal = join(data, 'campaign/journal.jsonl');
    const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
    expect(lines.pop()).toContain('"closed"');
    writeFileSync(journal, `${lines.join('\n')}\n`);
    rmSync(join(data, 'outbox'), { recursive: true });
    const path = join(data, 'keys/lab-virtio_blk-pc.key');
    const old = await (await labKeys(data)).machine('virtio_blk-pc');
    const api = apiAt(runtime.url, { sleep: async () => {}, patienceMs: 0, now: () => 0 });
    const options = {
      path,
      role: 'machine',
      url: runtime.url,
      randomBytes: () => new Uint8Array(32).fill(9),
      nowMs: Date.now(),
    } as const;
    const { next } = await rotateKey(options, async (e) => {
      await api.rotate(e);
    });
    const again = await campaign(survey);
    expect([again.result, again.left]).toEqual([{ givenUp: 0 }, 0]);
    expect(again.done[0]?.report.machine).toBe(old.name);
    expect(readdirSync(join(data, 'outbox/refused'))).toEqual([]);
    expect((await (await labKeys(data)).machine('virtio_blk-pc')).name).toBe(next);
  });
});

describe('controls', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await startRuntime('node', { controlShare: 1 });
  });
  afterAll(() => runtime.stop());

  it('are run where the survey draws one, are reported as what they are, and the trial is run all the same', async () => {
    const { result, done, left } = await campaign(surveyAt(runtime.url), items.slice(0, 2));
    expect([result, left]).toEqual([{ givenUp: 0 }, 0]);
    expect(guests).toEqual([true, false, true, false]);
    expect(done.map(({ control, report }) => [control, report.outcome.result])).toEqual([
      [true, 'failed'],
      [false, 'captured'],
      [true, 'failed'],
      [false, 'captured'],
    ]);
    // The second request of each trial asks for none: the survey draws one whenever it may.
    const asked = await payloads<{ controls: boolean }>(runtime, 'tickets');
    expect(asked.map(({ controls }) => controls)).toEqual([true, false, true, false]);
    const [control] = done;
    expect(control?.report.evidence.channel.saw[0]?.line).toContain('kexec_crash_loaded=0');
    const { rows } = await runtime.database.execute('select labels from reports order by log_index');
    expect(rows.map(({ labels }) => JSON.parse(String(labels)) as string[])).toEqual([
      ['control'],
      [],
      ['control'],
      [],
    ]);
    const status = (await (await fetch(`${runtime.url}/v1/status`)).json()) as { campaign: object };
    expect(status.campaign).toMatchObject({ done: 2, captured: 2, failed: 0 });
  });

  it('that were cut off are reported as that, and the trial is run all the same', async () => {
    const survey = surveyAt(runtime.url);
    const cut: Survey = { ...survey, report: () => Promise.reject(new Unreachable('power cut')) };
    expect((await campaign(cut, items.slice(0, 1))).left).toBe(1);
    expect(guests).toEqual([true]);
    // As a power cut leaves it: armed, and no report.
    const journal = join(data, 'campaign/journal.jsonl');
    const lines = readFileSync(journal, 'utf8').trimEnd().split('\n');
    const arming = lines.findIndex((line) => line.includes('"arming"'));
    writeFileSync(journal, `${lines.slice(0, arming + 1).join('\n')}\n`);
    rmSync(join(data, 'outbox'), { recursive: true });
    guests.length = 0;
    const { done, left } = await campaign(survey);
    expect(left).toBe(0);
    expect(guests).toEqual([false]);
    expect(done.map(({ control, report }) => [control, report.outcome.result])).toEqual([
      [true, 'inconclusive'],
      [false, 'captured'],
    ]);
  });
});
