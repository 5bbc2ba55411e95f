/**
 * Runs one trial on an emulated machine: boot, load the capture kernel, plant, wait for the go-ahead, load the
 * disk, arm, crash, capture, verify. What it gives is evidence; it judges nothing.
 */
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Listing, parseListing } from '../../schema/canary.ts';
import type { DumpFinding, Evidence } from '../../schema/evidence.ts';
import { crashTypes, type Scenario } from '../../schema/scenario.ts';
import { fileSource } from '../dump/file_source.ts';
import { verifyDump } from '../dump/verify.ts';
import { capturedMap } from '../machine/tree.ts';
import type { SystemTree } from '../machine/tree.ts';
import { firstCommandLine, qemuArguments } from './command-line.ts';
import { build, type LabMachineName, labMachines } from './machines.ts';
import { assembleEvidence, beaconsIn, type Observation } from './observe.ts';
import type { Lab } from './provision.ts';
import { type Guest, startGuest } from './qemu.ts';

/** The harness ends a guest that neither ends by itself nor is ended by its watchdog, this long after arming. */
const overdueMs = build.watchdogMs + 60_000;
/** A guest that is not prepared by then is broken. Generous: the host may be busy. */
const preparedWithinMs = 120_000;

/** What the guest said of itself before it was armed. */
export interface Prepared {
  readonly listing: Listing;
  readonly tree: SystemTree;
  /** Sysctls as they were read back. */
  readonly sysctls: Readonly<Record<string, number>>;
}

export interface TrialRun {
  readonly evidence: Evidence;
  /** Null where the guest never came so far. */
  readonly prepared: Prepared | null;
  /** Every line of every channel, for whoever wants to look. */
  readonly observations: readonly Observation[];
  /** When the guest was armed, on the clock that `now` reads; null where it was not. */
  readonly armedAtMs: number | null;
}

export interface TrialOptions {
  /** Called when everything is prepared and before anything is armed; the guest waits for it. Rejecting ends the trial unarmed. */
  readonly beforeArming: (prepared: Prepared) => Promise<void>;
  /** Told when a stage is seen, for progress. */
  readonly onObservation?: (o: Observation) => void;
  readonly now: () => number;
  /** Keeps disk and log in the trial's directory. */
  readonly keep?: boolean;
}

function prepared(observations: readonly Observation[]): Prepared {
  const beacons = beaconsIn(observations);
  const of = (word: string) => beacons.filter((b) => b.word === word).map(({ rest }) => rest);
  return {
    listing: parseListing(of('listing').join('\n')),
    tree: capturedMap(of('file'), of('link'), of('build-id')),
    sysctls: Object.fromEntries(of('sysctl').map((pair) => [pair.split('=')[0] ?? '', Number(pair.split('=')[1])])),
  };
}

/** What happens when an observation arrives: the parts of a trial that cannot wait for its end. */
function reactions(guest: Guest, options: TrialOptions, observations: Observation[], fail: (why: string) => void) {
  let fired = false;
  return (o: Observation) => {
    if (o.channel === 'beacon' && o.text.trim() === 'ds prepared') {
      Promise.resolve()
        .then(() => options.beforeArming(prepared(observations)))
        .then(
          () => guest.tell('go'),
          (error: unknown) => fail(error instanceof Error ? error.message : String(error)),
        );
    }
    fired ||= o.channel === 'console' && o.text.includes('crashpoint: v=1 ');
    // The throttle held requests in flight at the crash; behind the hand-over it would only slow the dump.
    if (fired && o.channel === 'console' && /Linux version \d/.test(o.text)) {
      guest.qmp('block_set_io_throttle', { device: 'disk0', ...unthrottled });
    }
  };
}

const unthrottled = { bps: 0, bps_rd: 0, bps_wr: 0, iops: 0, iops_rd: 0, iops_wr: 0 };

/** Runs one trial of `scenario` under `nonce`. Throws only where the host fails (no disk space, no QEMU). */
export async function runTrial(
  lab: Lab,
  name: LabMachineName,
  scenario: Scenario,
  nonce: string,
  options: TrialOptions,
): Promise<TrialRun> {
  const machine = labMachines[name];
  const dir = join(lab.dir, 'trials', nonce);
  await mkdir(dir, { recursive: true });
  const disk = join(dir, 'disk.img');
  const handle = await open(disk, 'w');
  await handle.truncate(build.diskBytes);
  await handle.close();
  const commandLine = firstCommandLine(machine, {
    mode: 'trial',
    nonce,
    point: scenario.crash_point,
    type: scenario.crash_type,
    load: scenario.load,
    inFlightMin: scenario.in_flight_min,
    sysctls: crashTypes[scenario.crash_type].sysctls,
  });
  const args = qemuArguments(machine, {
    kernel: lab.kernel.vmlinux,
    initrd: lab.images(name).first,
    commandLine,
    memoryMib: build.memoryMib,
    processors: build.processors,
    disk,
    iops: scenario.load === 'disk' ? build.loadIops : null,
  });
  try {
    const run = await observe(args, options);
    const dump = run.prepared && run.armedAtMs !== null ? await readDump(disk, run.prepared.listing) : null;
    const evidence = assembleEvidence(nonce, run.observations, run.ending, dump, build.watchdogMs);
    return { ...run, evidence };
  } finally {
    if (!options.keep) await rm(dir, { recursive: true, force: true });
  }
}

async function readDump(disk: string, listing: Listing): Promise<DumpFinding> {
  const source = await fileSource(disk, { offset: build.dumpAtBytes });
  try {
    return await verifyDump(source, listing);
  } finally {
    await source.close();
  }
}

async function observe(args: readonly string[], options: TrialOptions) {
  const observations: Observation[] = [];
  const startedAt = options.now();
  let broken: string | null = null;
  let overdue = false;
  let armedAtMs: number | null = null;
  let ended = false;
  let react: (o: Observation) => void = () => {};
  let deadline: NodeJS.Timeout;
  const record = (channel: Observation['channel']) => (text: string, atMs: number) => {
    const o = { channel, text, atMs };
    observations.push(o);
    if (channel === 'beacon' && text.startsWith('ds armed') && armedAtMs === null) {
      armedAtMs = startedAt + atMs;
      clearTimeout(deadline);
      deadline = setTimeout(() => end(() => (overdue = true)), overdueMs);
    }
    react(o);
    options.onObservation?.(o);
  };
  const event = record('event');
  const guest = startGuest(
    args,
    {
      onConsole: record('console'),
      onBeacon: record('beacon'),
      onEvent: (word, data, atMs) => {
        ended ||= word === 'SHUTDOWN' && data.guest === true;
        event(word, atMs);
      },
    },
    options.now,
  );
  const end = (why: () => void) => {
    why();
    guest.kill();
  };
  const fail = (why: string) => end(() => (broken ??= why));
  react = reactions(guest, options, observations, fail);
  deadline = setTimeout(() => fail(`the guest was not prepared within ${preparedWithinMs / 1000} s`), preparedWithinMs);
  const exit = await guest.exited;
  clearTimeout(deadline);
  if (!ended && !overdue) broken ??= `QEMU ended by itself (${exit.code ?? exit.signal}): ${exit.said}`;
  const isPrepared = beaconsIn(observations).some(({ word }) => word === 'prepared');
  return {
    observations,
    prepared: isPrepared ? prepared(observations) : null,
    armedAtMs,
    ending: { atMs: options.now() - startedAt, overdue, broken },
  };
}
