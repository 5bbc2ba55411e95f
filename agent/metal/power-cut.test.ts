/**
 * A campaign on a machine that only plays it, cut off at any step and at any byte of the journal, again and again. What
 * must hold is held against what really happened: no trial lost, none run twice, none reported as what it was not.
 */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { AfterReboot } from '../../schema/after-reboot.ts';
import { fromBase64 } from '../../schema/bytes.ts';
import { classify } from '../../schema/classify/classify.ts';
import type { Envelope } from '../../schema/envelope.ts';
import type { DumpFinding, Evidence } from '../../schema/evidence.ts';
import { findScenario } from '../../schema/scenario.ts';
import type { ArmedBody, EnrolBody, ReportBody, Ticket, TicketsBody } from '../../schema/wire.ts';
import { Refused, Unreachable } from '../link/api.ts';
import { keyPairOf } from '../link/keys.ts';
import { outboxIn } from '../link/outbox.ts';
import { sha256Of } from '../link/survey.ts';
import type { Survey } from '../link/survey-api.ts';
import { type Journal, openJournal } from '../trial/journal.ts';
import type { MetalCampaign } from './campaign.ts';
import { historyOf } from './history.ts';
import type { ArmedTrial, MetalMachine } from './machine.ts';
import { type RunContext, runMetal } from './run.ts';

vi.mock('../link/sign.ts', async (original) => ({
  ...(await original<typeof import('../link/sign.ts')>()),
  findWork: () => 0,
}));

// What lasts is decided by the order of the writes here, not by the disk of the machine that tests.
vi.mock('../durable.ts', async () => {
  const { appendFile, rename, writeFile } = await import('node:fs/promises');
  return {
    syncDirectory: async () => {},
    appendDurably: (path: string, line: string) => appendFile(path, `${line}\n`),
    writeDurably: async (path: string, contents: string) => {
      await writeFile(`${path}.tmp`, contents);
      await rename(`${path}.tmp`, path);
    },
  };
});

const keys = {
  machine: keyPairOf(new Uint8Array(32).fill(1)),
  owner: keyPairOf(new Uint8Array(32).fill(2)),
};
const campaign: MetalCampaign = {
  version: 1,
  id: 'ab'.repeat(16),
  seed: 11,
  set: 'metal/1',
  first_ordinal: 0,
  trials: 4,
  started_at: '2026-11-24T11:00:00.000Z',
};

/** What really became of a trial. */
type Truth = 'captured' | 'not captured' | 'went on';

/** The world outside of the agent: what survives every power cut. */
interface World {
  nowMs: number;
  boot: number;
  /** Steps until the power goes; below zero it stays. */
  left: number;
  /** What the next crashes come to, and whether the survey is reachable meanwhile. */
  readonly draw: () => number;
  readonly fired: Map<string, Truth>;
  readonly twice: string[];
  readonly tickets: Map<string, Ticket>;
  readonly noted: Map<string, string>;
  readonly reports: Map<string, string>;
  readonly conflicts: string[];
}

const wholeDump: DumpFinding = {
  format: 'kdump-compressed',
  fault: null,
  byte_count: 1000,
  truncated: false,
  incomplete_flag: false,
  pages: { promised: 10, present: 10, undecodable: 0 },
  armed: 'present',
  fired: 'present',
  canaries: { planted: 3, good: 3, changed: 0, missing: 0 },
  kernel_release: '6.1.0',
  vmcoreinfo: 'resolved',
  log_lines: 10,
};

const found: AfterReboot = {
  layout: 'debian',
  dump_state: 'none',
  watchdog_status: 'not-reported',
  reset_reason: null,
  pstore_records: 0,
  capture_log_found: false,
  receiver: null,
};

const unseen: Evidence = {
  channel: { name: 'none', could_see: [], saw: [] },
  trigger: null,
  at_crash: null,
  survived: null,
  dump: null,
  watchdog: { present: false, fired: false, timeout_ms: 0 },
  exit: 'restart',
  harness_fault: null,
  crash_log: [],
  capture_log: [],
  duration_ms: 60_000,
  after_reboot: found,
};
const captured: Evidence = {
  ...unseen,
  dump: wholeDump,
  exit: 'reboot',
  after_reboot: { ...found, dump_state: 'complete' },
};
const wentOn: Evidence = {
  ...unseen,
  channel: {
    name: 'kernel-log',
    could_see: ['armed', 'fired'],
    saw: [{ stage: 'armed', at_ms: 0, line: 'armed' }],
  },
  exit: 'went-on',
  harness_fault: 'nothing hit the crash point in time',
  after_reboot: null,
};

/** The power is gone: whatever is asked of this life never answers. */
const never = <T>() => new Promise<T>(() => {});

/** One life of the agent, from a start to a crash, a power cut or its own end. */
function lifeIn(world: World, dir: string) {
  let die: () => void = () => {};
  const death = new Promise<'died'>((settle) => {
    die = () => {
      world.boot++;
      settle('died');
    };
  });
  let isDead = false;
  const kill = () => {
    isDead = true;
    die();
  };
  /** One step that the power may go at: before it, or right behind it. */
  async function step<T>(act: () => T | Promise<T>): Promise<T> {
    if (isDead) return never();
    world.nowMs += 250;
    if (world.left-- === 0) {
      if (world.draw() < 0.5) await act();
      kill();
      return never();
    }
    return act();
  }

  const bodyOf = <T>(e: Envelope) => JSON.parse(new TextDecoder().decode(fromBase64(e.payload))) as T;
  const online = () => {
    if (world.draw() < 0.2) throw new Unreachable('nobody answers');
  };
  const survey = {
    version: async (kind: string) => (kind === 'report' ? '1.2' : '1.1'),
    enrol: (e: Envelope) =>
      step(() => {
        online();
        return { profile_sha256: sha256Of(bodyOf<EnrolBody>(e).profile) };
      }),
    tickets: (e: Envelope) =>
      step(() => {
        online();
        const { request, profile_sha256, scenarios, environment } = bodyOf<TicketsBody>(e);
        const scenario = findScenario('metal/1', scenarios[0] ?? '');
        if (scenario === null) throw new Error(`no scenario ${scenarios[0]}`);
        const ticket: Ticket = world.tickets.get(request) ?? {
          nonce: request,
          machine: keys.machine.name,
          profile_sha256,
          scenario: { set: 'metal/1', ...scenario },
          mechanism: 'kdump',
          environment,
          control: false,
          issued_at: new Date(world.nowMs).toISOString(),
          arm_by: new Date(world.nowMs + 3600_000).toISOString(),
          report_by: new Date(world.nowMs + 7200_000).toISOString(),
          log_index: world.tickets.size,
        };
        world.tickets.set(request, ticket);
        return { tickets: [ticket], checkpoint: '' };
      }),
    armed: (e: Envelope) =>
      step(() => {
        online();
        const { nonce } = bodyOf<ArmedBody>(e);
        const before = world.noted.get(nonce);
        if (before !== undefined && before !== e.payload) world.conflicts.push(`two notes on ${nonce}`);
        world.noted.set(nonce, before ?? e.payload);
      }),
    report: (e: Envelope) =>
      step(() => {
        online();
        const { nonce } = bodyOf<ReportBody>(e);
        const before = world.reports.get(nonce);
        if (before !== undefined && before !== e.payload) {
          world.conflicts.push(`two reports on ${nonce}`);
          throw new Refused(409, 'conflict', 'another report', '');
        }
        world.reports.set(nonce, e.payload);
        return { report_id: '1' };
      }),
  } as unknown as Survey;

  const machine: MetalMachine = {
    bootId: () => `boot ${world.boot}`,
    now: () => world.nowMs,
    profile: async () => '{}',
    prepare: ({ nonce }) =>
      step(() => {
        if (world.draw() < 0.1) throw new Error('the load did not start');
        return {
          planted: { nonce, triggeredBy: 'sysrq' as const },
          sysctls: {},
          metal: {
            boot_id: `boot ${world.boot}`,
            crash_before: [],
            watchdog: { present: false, timeout_ms: 0 },
            beacon: { kind: 'none' as const },
          },
          fire: () =>
            step(() => {
              if (world.fired.has(nonce)) world.twice.push(nonce);
              const drawn = world.draw();
              const truth: Truth = drawn < 0.5 ? 'captured' : drawn < 0.8 ? 'not captured' : 'went on';
              world.fired.set(nonce, truth);
              if (truth === 'went on') return { evidence: wentOn, rebootDue: false };
              kill();
              return never<never>();
            }),
          undo: () => step(() => {}),
        };
      }),
    evidenceAfter: ({ nonce }: ArmedTrial) =>
      step(() => (world.fired.get(nonce) === 'captured' ? captured : unseen)),
    evidenceHere: () => step(() => wentOn),
    undoLeftovers: () => step(() => {}),
    removeDump: () => step(() => {}),
    proveWatchdog: () => step(() => {}),
    reboot: () => step(() => {}),
    reserve: () => step(() => {}),
    freeReserve: () => step(() => {}),
  };

  const journalPath = join(dir, 'journal.jsonl');
  /** The power may go at any byte of a line. */
  const cuttable = (journal: Journal): Journal => ({
    trials: journal.trials,
    append: async (entry) => {
      if (isDead) return never();
      world.nowMs += 250;
      if (world.left-- !== 0) return journal.append(entry);
      const line = `${JSON.stringify(entry)}\n`;
      appendFileSync(journalPath, line.slice(0, Math.floor(world.draw() * (line.length + 1))));
      kill();
      return never();
    },
  });

  return {
    run: async () => {
      const journal = cuttable(await openJournal(journalPath));
      const outbox = await outboxIn(join(dir, 'outbox'));
      const context: RunContext = {
        machine,
        journal,
        survey,
        keys,
        outbox: { ...outbox, put: (nonce, e) => step(() => outbox.put(nonce, e)) },
        environment: 'stock',
        machineName: keys.machine.name,
        keyNamed: async () => keys.machine,
        bundled: async () => null,
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
            device: '',
            identity: '',
            timeout_ms: 1000,
            why: '',
          },
          noWatchdog: null,
          trialsPerDay: 1000,
          crashesMs: historyOf(journal.trials()).armedMs,
          notBeforeMs: 0,
          nowMs: world.nowMs,
        }),
        onTrouble: async () => {},
        onReport: () => {},
        onSent: () => {},
        onNext: () => {},
        onStep: () => {},
        sleep: async () => {},
      };
      return Promise.race([death, runMetal(context, 0).then(() => 'ended' as const)]);
    },
  };
}

/** Numbers below 1 that follow from a seed (a linear congruential generator). */
function drawsFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'power-cut-'));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Lives until everything is closed and sent. `cuts`: steps until the power goes, life by life; then it stays. */
async function runThrough(cuts: readonly number[], seed: number) {
  const dir = mkdtempSync(join(root, 'life-'));
  const world: World = {
    nowMs: Date.parse('2026-11-24T12:00:00Z'),
    boot: 0,
    left: -1,
    draw: drawsFrom(seed),
    fired: new Map(),
    twice: [],
    tickets: new Map(),
    noted: new Map(),
    reports: new Map(),
    conflicts: [],
  };
  const livesMax = cuts.length + 200;
  for (let life = 0; life < livesMax; life++) {
    world.left = cuts[life] ?? -1;
    await lifeIn(world, dir).run();
    const trials = (await openJournal(join(dir, 'journal.jsonl'))).trials();
    const { waiting } = await (await outboxIn(join(dir, 'outbox'))).count();
    const closed = [0, 1, 2, 3].filter((ordinal) => trials.get(ordinal)?.closed).length;
    if (closed === 4 && waiting === 0 && life >= cuts.length) return { world, trials };
  }
  throw new Error(
    `not at its end after ${livesMax} lives:\n${readFileSync(join(dir, 'journal.jsonl'), 'utf8')}`,
  );
}

const report = (payload: string) => JSON.parse(new TextDecoder().decode(fromBase64(payload))) as ReportBody;

async function check(cuts: readonly number[], seed: number): Promise<World> {
  const { world, trials } = await runThrough(cuts, seed);
  expect(world.twice).toEqual([]);
  expect(world.conflicts).toEqual([]);
  // None lost: each trial of the campaign has one report, and so has each that was announced or that fired.
  const nonces = [0, 1, 2, 3].map((ordinal) => trials.get(ordinal)?.ticket?.nonce ?? '');
  expect([...world.reports.keys()].sort()).toEqual(nonces.sort());
  for (const nonce of [...world.noted.keys(), ...world.fired.keys()])
    expect(world.reports.has(nonce)).toBe(true);
  for (const [nonce, payload] of world.reports) {
    const { outcome, evidence, scenario, mechanism } = report(payload);
    expect(outcome).toEqual(classify(evidence, scenario, mechanism));
    const truth = world.fired.get(nonce);
    // None reported as what it was not. One that was cut off before it fired is not known to have fired.
    if (truth === 'captured') expect(outcome.result).toBe('captured');
    else if (truth === 'not captured') expect(outcome).toMatchObject({ result: 'failed', verdict: null });
    else expect(['inconclusive', 'failed']).toContain(outcome.result);
    if (truth === undefined) expect(outcome.reached.proven).toBeNull();
  }
  return world;
}

it('runs a campaign to its end where the power never goes', async () => {
  const world = await check([], 1);
  expect(world.fired.size).toBe(4);
});

it('at each single step of the first trials', async () => {
  for (let cut = 0; cut < 40; cut++) for (const seed of [1, 2]) await check([cut], seed + 100 * cut);
});

it('at any steps and any bytes, again and again', async () => {
  const cuts = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 12 });
  const seed = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  await fc.assert(
    fc.asyncProperty(cuts, seed, async (c, s) => {
      await check(c, s);
    }),
    { numRuns: 50 },
  );
});
