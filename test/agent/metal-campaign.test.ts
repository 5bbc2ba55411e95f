/**
 * A campaign of a machine that only plays its crashes, against the real server: the reports of a real machine are
 * admitted as what they are, and none is lost where nobody answers for a while.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { apiAt } from '../../agent/link/api.ts';
import { carriedSurvey } from '../../agent/link/carried.ts';
import { type KeyPair, keyPairOf } from '../../agent/link/keys.ts';
import { surveyLog } from '../../agent/link/log.ts';
import { logMemoryIn } from '../../agent/link/log-memory.ts';
import { carry, mailboxIn } from '../../agent/link/mailbox.ts';
import { outboxIn } from '../../agent/link/outbox.ts';
import { enrolRequest } from '../../agent/link/survey.ts';
import { checkedSurvey, type Survey } from '../../agent/link/survey-api.ts';
import { machineInventory, profileText } from '../../agent/machine/inventory.ts';
import type { MetalCampaign } from '../../agent/metal/campaign.ts';
import { survivedEvidence } from '../../agent/metal/evidence/gather.ts';
import { exchange } from '../../agent/metal/exchange.ts';
import { historyOf } from '../../agent/metal/history.ts';
import type { ArmedTrial, MetalMachine } from '../../agent/metal/machine.ts';
import type { Next } from '../../agent/metal/next.ts';
import { type RunContext, runMetal } from '../../agent/metal/run.ts';
import { metalPaths } from '../../agent/metal/state.ts';
import { bundledTicket } from '../../agent/metal/tickets.ts';
import { openJournal } from '../../agent/trial/journal.ts';
import type { Evidence } from '../../schema/evidence.ts';
import { scenarioId } from '../../schema/scenario.ts';
import type { ReportBody } from '../../schema/wire.ts';
import { system } from '../fixtures/metal/plant.ts';
import { type Runtime, startRuntime } from '../http/runtimes.ts';

let runtime: Runtime;
beforeAll(async () => {
  runtime = await startRuntime('node');
});
afterAll(() => runtime.stop());

let data: string;
let seed = 40;
let keys: { machine: KeyPair; owner: KeyPair };
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'metal-campaign-'));
  mkdirSync(metalPaths(data).dir);
  const key = () => keyPairOf(new Uint8Array(32).fill(seed++));
  keys = { machine: key(), owner: key() };
});
afterEach(() => rmSync(data, { recursive: true }));

function surveyAt(url: string): Survey {
  const api = apiAt(url, { sleep: async () => {}, patienceMs: 0, now: () => 0 });
  const memory = logMemoryIn(join(data, 'memory'));
  return checkedSurvey(api, surveyLog({ memory, reads: api, givenKey: null, now: Date.now }));
}

const campaign: MetalCampaign = {
  version: 1,
  id: 'cd'.repeat(16),
  seed: 3,
  set: 'metal/1',
  first_ordinal: 0,
  trials: 3,
  started_at: '2026-11-24T11:00:00.000Z',
};

/** A dump was written under the name of a finished one, and it is another trial's: nothing else is known. */
const restarted: Evidence = {
  channel: { name: 'none', could_see: [], saw: [] },
  trigger: null,
  at_crash: null,
  survived: null,
  dump: null,
  watchdog: { present: true, fired: false, timeout_ms: 900_000 },
  exit: 'restart',
  harness_fault: null,
  crash_log: [],
  capture_log: [],
  duration_ms: 65_000,
  after_reboot: {
    layout: 'debian',
    dump_state: 'none',
    watchdog_status: 'clear',
    reset_reason: null,
    pstore_records: 0,
    capture_log_found: false,
    receiver: null,
  },
};

const thisProfile = () => profileText(machineInventory(system('debian-nvme-lvm'), {}).profile);

interface Played {
  boot: number;
  /** What the crashes come to, in order: the machine goes down, or goes on. */
  readonly crashes: ('down' | 'on')[];
  readonly removed: string[];
}

/** One life of the agent; ends with the crash, or by itself. */
async function live(played: Played, survey: Survey): Promise<Next | 'crashed'> {
  let crash: (how: 'crashed') => void = () => {};
  const crashed = new Promise<'crashed'>((settle) => {
    crash = settle;
  });
  const profile = thisProfile();
  const wentOn = ({ nonce, armedAt, planted, metal }: ArmedTrial) =>
    survivedEvidence({
      armed: { armed_at: armedAt, listing: planted, watchdog: metal.watchdog },
      nowMs: Date.now(),
      kernelLog: [],
      module: 'waiting',
      survived: null,
      fault: `nothing hit the crash point (${nonce.length})`,
    });
  const machine: MetalMachine = {
    bootId: () => `boot ${played.boot}`,
    now: Date.now,
    profile: async () => profile,
    prepare: async ({ nonce }) => {
      const planted = { nonce, triggeredBy: 'sysrq' } as const;
      const metal = {
        boot_id: `boot ${played.boot}`,
        crash_before: [],
        watchdog: { present: true, timeout_ms: 900_000 },
        beacon: { kind: 'none' },
      } as const;
      const trial = {
        nonce,
        control: false,
        armedAt: new Date().toISOString(),
        planted,
        metal: { ...metal, crash_before: [] },
      };
      return {
        planted,
        sysctls: { panic_on_oops: 1 },
        metal: trial.metal,
        undo: async () => {},
        fire: async () => {
          if (played.crashes.shift() === 'on') return { evidence: wentOn(trial), rebootDue: false };
          played.boot++;
          crash('crashed');
          return new Promise(() => {});
        },
      };
    },
    evidenceAfter: async () => restarted,
    evidenceHere: async (trial) => wentOn(trial),
    undoLeftovers: async () => {},
    removeDump: async ({ nonce }) => {
      played.removed.push(nonce);
    },
    proveWatchdog: async () => {},
    reboot: async () => {},
    reserve: async () => {},
    freeReserve: async () => {},
  };
  const paths = metalPaths(data);
  const journal = await openJournal(paths.journal);
  const context: RunContext = {
    machine,
    journal,
    survey,
    keys,
    outbox: await outboxIn(join(data, 'outbox')),
    environment: 'stock',
    machineName: keys.machine.name,
    keyNamed: async () => keys.machine,
    bundled: (scenario, profileSha256, nowMs) =>
      bundledTicket(paths, journal, { machine: keys.machine.name, scenario, profileSha256 }, nowMs),
    situation: async () => ({
      trials: journal.trials(),
      campaign,
      obstacles: () => [],
      stopped: null,
      proof: {
        version: 1,
        state: 'proven',
        boot_id: '',
        at_ms: 0,
        device: 'watchdog0',
        identity: 'played',
        timeout_ms: 1000,
        why: '',
      },
      noWatchdog: null,
      trialsPerDay: 100,
      crashesMs: historyOf(journal.trials()).armedMs,
      notBeforeMs: 0,
      nowMs: Date.now(),
    }),
    onTrouble: async (scenario, why) => {
      if (why !== null) throw new Error(`${scenario}: ${why}`);
    },
    onReport: () => {},
    onSent: (sent) => {
      for (const s of sent) if ('refused' in s) throw new Error(s.refused);
    },
    onNext: () => {},
    onStep: () => {},
    sleep: async () => {},
  };
  return Promise.race([crashed, runMetal(context, 0).then((end) => end.next)]);
}

/** The reports of this machine that the server has, as they were sent. */
async function reports(): Promise<ReportBody[]> {
  const { rows } = await runtime.database.execute(
    'select payload from envelopes where kind = ? order by rowid',
    ['report'],
  );
  return rows
    .map(({ payload }) => JSON.parse(new TextDecoder().decode(payload as ArrayBuffer)) as ReportBody)
    .filter(({ machine }) => machine === keys.machine.name);
}

it('reports each trial after its crash, and one that did not crash at once', async () => {
  const played: Played = { boot: 1, crashes: ['down', 'on', 'down'], removed: [] };
  expect(await live(played, surveyAt(runtime.url))).toBe('crashed');
  expect(await reports()).toEqual([]);
  expect(await live(played, surveyAt(runtime.url))).toBe('crashed');
  expect(await live(played, surveyAt(runtime.url))).toMatchObject({ do: 'done' });
  const sent = await reports();
  expect(sent.map(({ outcome }) => outcome.result)).toEqual(['failed', 'inconclusive', 'failed']);
  expect(sent[0]).toMatchObject({
    version: '1.2',
    population: 'metal',
    environment: 'stock',
    emulator: null,
  });
  expect(sent[0] && scenarioId(sent[0].scenario)).toBe('direct/panic/idle/distribution');
  expect(sent[0]?.outcome.reached).toEqual({ proven: null, excluded: 'dump_written' });
  expect(sent.map(({ nonce }) => nonce)).toEqual(played.removed);
});

it('keeps the report and the note where nobody answers after the crash, and sends both later', async () => {
  const played: Played = { boot: 1, crashes: ['down', 'down', 'down'], removed: [] };
  expect(await live(played, surveyAt(runtime.url))).toBe('crashed');
  expect(await live(played, surveyAt('http://127.0.0.1:9'))).toMatchObject({ do: 'trial', ordinal: 1 });
  expect((await (await outboxIn(join(data, 'outbox'))).count()).waiting).toBe(1);
  expect(await live(played, surveyAt(runtime.url))).toBe('crashed');
  expect((await reports()).length).toBe(1);
});

it('runs without a network by tickets that were fetched ahead, and its reports are carried', async () => {
  const api = apiAt(runtime.url, { sleep: async () => {}, patienceMs: 0, now: () => 0 });
  const stick = join(data, 'stick');
  const paths = metalPaths(data);
  const mailbox = await mailboxIn(stick);
  const noNetwork = () => Promise.reject(new Error('there is no network'));
  const memory = logMemoryIn(join(data, 'memory'));
  const log = surveyLog({
    memory,
    reads: { index: mailbox.index, consistency: noNetwork },
    givenKey: null,
    now: Date.now,
  });
  const outbox = await outboxIn(join(data, 'outbox'));
  const exchangeNow = async (tickets: number) =>
    exchange(
      {
        paths,
        survey: carriedSurvey(mailbox, log),
        journal: await openJournal(paths.journal),
        outbox,
        keys,
        environment: 'stock',
        profile: async () => thisProfile(),
        randomBytes,
        nowMs: Date.now(),
      },
      tickets,
    );
  expect(await exchangeNow(8)).toMatchObject({ tickets: 0, isWaiting: true });
  // Asked again before it was carried, it is the same request.
  expect(await exchangeNow(8)).toMatchObject({ tickets: 0, isWaiting: true });
  expect((await carry(stick, api)).map(({ refused }) => refused)).toEqual([null, null]);
  expect(await exchangeNow(0)).toMatchObject({ tickets: 8, refused: null, isWaiting: false });

  const nowhere = surveyAt('http://127.0.0.1:9');
  const played: Played = { boot: 1, crashes: ['down', 'down', 'down'], removed: [] };
  for (let i = 0; i < 3; i++) expect(await live(played, nowhere)).toBe('crashed');
  expect(await live(played, nowhere)).toMatchObject({ do: 'done' });
  expect(await exchangeNow(0)).toMatchObject({ sent: [], notes: 0, isWaiting: true });
  expect((await carry(stick, api)).filter(({ refused }) => refused !== null)).toEqual([]);
  const home = await exchangeNow(0);
  expect(home).toMatchObject({ notes: 3, isWaiting: false });
  expect(home.sent.every((s) => 'receipt' in s)).toBe(true);
  expect(new Set((await reports()).map(({ nonce }) => nonce))).toEqual(new Set(played.removed));
  expect(await carry(stick, api)).toEqual([]);
});

it('takes no answer from a mailbox that the log did not sign', async () => {
  const api = apiAt(runtime.url, { sleep: async () => {}, patienceMs: 0, now: () => 0 });
  const stick = join(data, 'stick');
  const mailbox = await mailboxIn(stick);
  const e = enrolRequest(keys.machine, keys.owner, thisProfile(), Date.now());
  await expect(mailbox.send('enrol', e)).rejects.toThrow('Carry it to a machine with a network');
  await carry(stick, api);
  const reads = { index: mailbox.index, consistency: () => Promise.reject(new Error('none')) };
  const memory = logMemoryIn(join(data, 'memory'));
  const survey = carriedSurvey(mailbox, surveyLog({ memory, reads, givenKey: null, now: Date.now }));
  expect((await survey.enrol(e)).machine).toBe(keys.machine.name);
  for (const name of readdirSync(join(stick, 'answers'))) {
    const path = join(stick, 'answers', name);
    const { answer } = JSON.parse(readFileSync(path, 'utf8')) as { answer: { checkpoint: string } };
    const forged = answer.checkpoint.replace(/^(\d+)$/m, (size) => String(Number(size) + 1));
    writeFileSync(path, JSON.stringify({ answer: { ...answer, checkpoint: forged } }));
  }
  await expect(survey.enrol(e)).rejects.toThrow();
});
