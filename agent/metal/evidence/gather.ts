/**
 * The evidence of a trial on a real machine, gathered once the system is there again. Nobody watched: each thing that is
 * claimed has left a trace, and what no trace could show stays unknown. Only reads.
 */
import type { AfterReboot } from '../../../schema/after-reboot.ts';
import type { Listing } from '../../../schema/canary.ts';
import type { Evidence, Sighting } from '../../../schema/evidence.ts';
import type { LogPlan } from '../../../schema/log-canary.ts';
import type { SystemTree } from '../../machine/tree.ts';
import { ofTrial, parseAtCrash, parseTrigger } from '../../trial/module-lines.ts';
import type { BeaconChannel } from '../settings.ts';
import { readBeacons } from './beacon.ts';
import type { DumpSearch, SearchOptions } from './dump.ts';
import { exitOf, resetReasonIn, startedMsOf, watchdogStatusOf } from './ending.ts';
import { allowedLines, fromTrigger } from './log-lines.ts';
import { landingOf, pstoreNames } from './place.ts';
import type { Received } from './received.ts';
import { searchDump } from './search.ts';

/** What is in the journal of an armed trial. */
export interface ArmedFacts {
  readonly boot_id: string;
  readonly armed_at: string;
  readonly listing: Listing | LogPlan;
  readonly watchdog: { readonly present: boolean; readonly timeout_ms: number };
  readonly beacon: BeaconChannel;
  /** As `namesBefore` gave them. */
  readonly crash_before: readonly string[];
}

export interface GatherOptions {
  readonly tree: SystemTree;
  /** `/` but in tests. */
  readonly root: string;
  readonly armed: ArmedFacts;
  readonly bootId: string;
  readonly nowMs: number;
  /** The machine has started once since the arming: only then do its watchdogs and its log speak of the trial's end. */
  readonly isFirstStart?: boolean;
  readonly freeBytesAt?: SearchOptions['freeBytesAt'];
  /** Lines of the present kernel's log: where the kernel prints why the machine was reset. */
  readonly kernelLog?: readonly string[];
  /** An earlier trial of this machine showed beacons on the same channel. */
  readonly beaconProven?: boolean;
  /** What the receiving side found, where dumps go to another machine. */
  readonly received?: Received | null;
}

const crashLinesMax = 60;
const captureLinesMax = 100;

/**
 * The crashing kernel's log as pstore kept it: from records that were not there before, and from those that name the
 * trial, for some back ends use the same names again.
 */
function pstoreLog(
  tree: SystemTree,
  names: readonly string[],
  before: ReadonlySet<string>,
  nonce: string,
): string[] {
  return names
    .filter((name) => /\/(?:dmesg|console)-[\w.-]{1,80}$/.test(name))
    .slice(0, 64)
    .map((name) => ({ isNew: !before.has(name), text: (tree.read(name) ?? '').slice(0, 1 << 18) }))
    .filter(({ isNew, text }) => isNew || text.includes(nonce))
    .flatMap(({ text }) => text.split('\n'));
}

/** A full file system says why its dump is not whole, though nobody kept the capture kernel's own words. */
function noSpaceLine(search: DumpSearch | null): string[] {
  if (!search?.isFull || search.state === 'complete') return [];
  return ['dumpsurvey: after the reboot, for the dump: No space left on device'];
}

/**
 * The evidence of a trial whose machine has started again since it was armed. Never rejects for what it finds, only where
 * the machine has not started again.
 */
export async function gatherEvidence(o: GatherOptions): Promise<Evidence> {
  const { tree, root, armed, nowMs } = o;
  if (o.bootId === armed.boot_id)
    throw new Error(`boot ${o.bootId} is the one in which the trial was armed: see survivedEvidence`);
  const { nonce } = armed.listing;
  const landing = landingOf(tree);
  const { freeBytesAt, isFirstStart = true } = o;
  const search = await searchDump(tree, root, armed, freeBytesAt ? { freeBytesAt } : {});
  const beacons = await readBeacons(armed.beacon, nonce, {
    tree,
    root,
    ...(landing.layout === null ? {} : { told: landing.layout.beaconStages }),
    isProven: o.beaconProven ?? false,
  });
  const before = new Set(armed.crash_before);
  const records = pstoreNames(tree);
  const logged = [...(search?.crashLog ?? []), ...pstoreLog(tree, records, before, nonce)];
  const captureLog = search?.captureLog ?? null;
  const received = landing.kind === 'elsewhere' && o.received?.body.nonce === nonce ? o.received : null;

  const status = isFirstStart ? watchdogStatusOf(tree) : 'not-reported';
  const reason = isFirstStart ? resetReasonIn(o.kernelLog ?? []) : null;
  const armedMs = Date.parse(armed.armed_at);
  const startedMs = startedMsOf(tree);
  const isFinished = search?.state === 'complete' && search.finding !== null && isOfTrial(search);
  const found: AfterReboot = {
    layout: landing.layout?.name ?? null,
    dump_state: landing.kind === 'elsewhere' ? 'elsewhere' : (search?.state ?? 'unreadable'),
    watchdog_status: status,
    reset_reason: reason,
    pstore_records: records.filter((name) => !before.has(name)).length,
    capture_log_found: captureLog !== null,
    receiver: received?.envelope ?? null,
  };
  const exit = exitOf({
    status,
    reason,
    captureEnded: isFinished || beacons.saidRebooting,
    watchdogTimeoutMs: armed.watchdog.present ? armed.watchdog.timeout_ms : null,
    downMs: startedMs === null || !isFirstStart ? null : startedMs - armedMs,
  });
  return {
    channel: beacons.channel,
    trigger: ofTrial(logged, parseTrigger, nonce) ?? received?.body.trigger ?? null,
    at_crash: ofTrial(logged, parseAtCrash, nonce) ?? received?.body.at_crash ?? null,
    survived: null,
    dump: received?.body.dump ?? search?.finding ?? null,
    watchdog: { ...armed.watchdog, fired: exit === 'watchdog' },
    exit,
    harness_fault: search?.fault ?? null,
    crash_log: received?.body.crash_log ?? allowedLines(fromTrigger(logged, nonce), crashLinesMax),
    capture_log: [...noSpaceLine(search), ...allowedLines(captureLog ?? [], captureLinesMax)],
    duration_ms: Math.max(0, Math.round(nowMs - armedMs) || 0),
    after_reboot: found,
  };
}

/** Whether the dump is this trial's by its own records. */
function isOfTrial({ finding }: DumpSearch): boolean {
  return finding !== null && (finding.armed === 'present' || finding.fired === 'present');
}

export interface SurvivedOptions {
  readonly armed: Pick<ArmedFacts, 'armed_at' | 'listing' | 'watchdog'>;
  readonly nowMs: number;
  /** The kernel's log since the arming, oldest line first. */
  readonly kernelLog: readonly string[];
  /** The module's own word: it was never armed, it still waits, it fired; or it is not there to ask. */
  readonly module: 'not-armed' | 'waiting' | 'fired' | 'unknown';
  /** What the module said it had expected, where it says so. */
  readonly survived: string | null;
  /** What the agent could not do, where it is to blame. */
  readonly fault?: string | null;
}

/** The evidence of a trial whose machine never went down. The running kernel's own log is the channel. */
export function survivedEvidence(o: SurvivedOptions): Evidence {
  const { armed, kernelLog } = o;
  const { nonce } = armed.listing;
  const trigger = ofTrial(kernelLog, parseTrigger, nonce);
  const saw: Sighting[] = [];
  const hasFired = trigger !== null || o.module === 'fired';
  if (hasFired || o.module === 'waiting')
    saw.push({ stage: 'armed', at_ms: 0, line: `crashpoint: armed ${nonce}` });
  if (hasFired) saw.push({ stage: 'fired', at_ms: 0, line: `crashpoint: fired ${nonce}` });
  return {
    channel: {
      name: 'kernel-log',
      // No dump can have been taken of a kernel that still runs.
      could_see: o.module === 'unknown' && !hasFired ? [] : ['armed', 'fired', 'detected', 'handed_over'],
      saw,
    },
    trigger,
    at_crash: ofTrial(kernelLog, parseAtCrash, nonce),
    survived: o.survived?.replaceAll(/[^\x20-\x7e]/g, ' ').slice(0, 400) ?? null,
    dump: null,
    watchdog: { ...armed.watchdog, fired: false },
    exit: 'went-on',
    harness_fault: o.fault?.slice(0, 300) ?? null,
    crash_log: hasFired ? allowedLines(fromTrigger(kernelLog, nonce), crashLinesMax) : [],
    capture_log: [],
    duration_ms: Math.max(0, Math.round(o.nowMs - Date.parse(armed.armed_at)) || 0),
    after_reboot: null,
  };
}
