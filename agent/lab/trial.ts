/**
 * Runs one trial on an emulated machine: boot, load the capture kernel (not in a control trial), plant, wait for the
 * go-ahead, load the disk, arm, crash, capture, verify. What it gives is evidence; it judges nothing.
 */
import { appendFile, copyFile, mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Listing, parseListing } from '../../schema/canary.ts';
import { crashPoints } from '../../schema/crash-point.ts';
import { crashTypes, sysctlsOf } from '../../schema/crash-type.ts';
import type { DumpFinding, Evidence } from '../../schema/evidence.ts';
import type { LogPlan } from '../../schema/log-canary.ts';
import type { Scenario, TriggeredBy } from '../../schema/scenario.ts';
import { fileSource } from '../dump/file_source.ts';
import { dumpLog, verifyDump } from '../dump/verify.ts';
import type { SystemTree } from '../machine/tree.ts';
import { capturedMap } from '../machine/tree.ts';
import { parseAtCrash } from '../trial/module-lines.ts';
import { firstCommandLine, type PlantOrder, plantLines, qemuArguments } from './command-line.ts';
import { type CpioEntry, cpio } from './cpio.ts';
import { build, type LabMachine, type LabMachineName, labMachines } from './machines.ts';
import { assembleEvidence, beaconsIn, controlEvidence, type Observation } from './observe.ts';
import type { Lab } from './provision.ts';
import { type Guest, startGuest } from './qemu.ts';

/** The harness ends a guest that neither ends by itself nor is ended by its watchdog, this long after arming. */
const overdueMs = build.watchdogMs + 60_000;
/** A guest that is not prepared by then is broken. Generous: the host may be busy. */
const preparedWithinMs = 120_000;

/** What the guest said before it was armed. */
export interface Prepared {
  /** What the module listed, or what went into the log. */
  readonly planted: Listing | LogPlan;
  /** Sysctls as they were read back. */
  readonly sysctls: Readonly<Record<string, number>>;
}

export interface TrialRun {
  readonly evidence: Evidence;
  /** Null where the guest never came so far. */
  readonly prepared: Prepared | null;
  /** Every line of every channel, for whoever wants to look. */
  readonly observations: readonly Observation[];
  /** When the guest was armed, in milliseconds since the guest's start; null where it was not. */
  readonly armedAtMs: number | null;
}

export interface TrialOptions {
  /** What pulls the trigger; the survey's own module where it is left out. */
  readonly triggeredBy?: TriggeredBy;
  /** Files that the first kernel gets besides those of its machine's image: LKDTM is none of the lab's own. */
  readonly files?: readonly CpioEntry[];
  /** How long the hardware watchdog waits. */
  readonly watchdogMs?: number;
  /**
   * Given the machine's files, decides what to plant, and whether the trial is a control. The guest waits for it;
   * rejecting ends the trial unarmed.
   */
  readonly beforePlanting: (tree: SystemTree) => Promise<PlantOrder>;
  /** Called when everything is planted and before anything is armed; the guest waits for it. Rejecting ends the trial unarmed. */
  readonly beforeArming: (prepared: Prepared) => Promise<void>;
  readonly onObservation?: (o: Observation) => void;
  /** Called with the disk under test after an armed trial, before its image is deleted. The dump lies at `build.dumpAtBytes`. */
  readonly onDisk?: (image: string, planted: Listing | LogPlan) => Promise<void>;
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number;
}

function treeIn(observations: readonly Observation[]): SystemTree {
  const beacons = beaconsIn(observations);
  const of = (word: string) => beacons.filter((b) => b.word === word).map(({ rest }) => rest);
  return capturedMap(of('file'), of('link'), of('build-id'));
}

function preparedIn(observations: readonly Observation[], triggeredBy: TriggeredBy): Prepared {
  const beacons = beaconsIn(observations);
  const of = (word: string) => beacons.filter((b) => b.word === word).map(({ rest }) => rest);
  const sysctls = of('sysctl').map((pair) => [pair.split('=')[0] ?? '', Number(pair.split('=')[1])] as const);
  const planted =
    triggeredBy === 'crashpoint'
      ? parseListing(of('listing').join('\n'))
      : { nonce: of('planted')[0] ?? '', triggeredBy };
  return { planted, sysctls: Object.fromEntries(sysctls) };
}

const unthrottled = { bps: 0, bps_rd: 0, bps_wr: 0, iops: 0, iops_rd: 0, iops_wr: 0 };

/** Answers what the guest asks, as its lines arrive. */
function conversation(
  guest: Guest,
  scenario: Scenario,
  options: TrialOptions,
  seen: readonly Observation[],
  fail: (why: string) => void,
) {
  const answer = (question: () => Promise<string>) =>
    Promise.resolve()
      .then(question)
      .then(guest.tell, (error: unknown) => fail(error instanceof Error ? error.message : String(error)));
  const triggeredBy = options.triggeredBy ?? 'crashpoint';
  const plant = async () => plantLines(await options.beforePlanting(treeIn(seen)), triggeredBy);
  return ({ channel, text }: Observation): void => {
    if (scenario.crash_type === 'external-nmi' && parseAtCrash(text)) guest.qmp('inject-nmi');
    if (channel !== 'beacon') return;
    if (text === 'ds inventoried') answer(plant);
    else if (text === 'ds prepared')
      answer(() => options.beforeArming(preparedIn(seen, triggeredBy)).then(() => 'go'));
    // The throttle kept requests in flight at the crash. The dump is not to pay for it.
    else if (text.startsWith('ds target_ready'))
      guest.qmp('block_set_io_throttle', { device: 'disk0', ...unthrottled });
  };
}

/** Runs one trial of a scenario. Throws only where the host fails (no disk space, no QEMU). */
export async function runTrial(
  lab: Lab,
  name: LabMachineName,
  scenario: Scenario,
  options: TrialOptions,
): Promise<TrialRun> {
  const machine: LabMachine = labMachines[name];
  const { crash_point, crash_type, load } = scenario;
  const triggeredBy = options.triggeredBy ?? 'crashpoint';
  const watchdogMs =
    options.watchdogMs ?? (scenario.set_up === 'watchdog-nmi' ? build.nmiAfterMs : build.watchdogMs);
  await mkdir(join(lab.dir, 'trials'), { recursive: true });
  const dir = await mkdtemp(join(lab.dir, 'trials/'));
  const disk = join(dir, 'disk.img');
  try {
    await writeFile(disk, '');
    await truncate(disk, build.diskBytes);
    const commandLine = firstCommandLine(machine, {
      mode: 'trial',
      trigger: triggeredBy,
      point: crash_point,
      type: crash_type,
      lkdtm: crashTypes[crash_type].lkdtm,
      needs: crashPoints[crash_point].needs,
      stimulus: crashPoints[crash_point].stimulus,
      load,
      inFlightMin: scenario.in_flight_min,
      sysctls: sysctlsOf(crash_type, scenario.set_up),
      watchdogMs,
    });
    const args = qemuArguments(machine, {
      kernel: lab.kernel.vmlinux,
      initrd: await initrdWith(lab.images(name).first, options.files ?? [], dir),
      commandLine,
      memoryMib: build.memoryMib,
      processors: build.processors,
      disk,
      iops: load === 'disk' ? build.loadIops : null,
      watchdog: scenario.set_up === 'watchdog-nmi' ? 'inject-nmi' : 'reset',
    });
    let isControl = false;
    const beforePlanting = async (tree: SystemTree) => {
      const order = await options.beforePlanting(tree);
      isControl = order.control ?? false;
      return order;
    };
    const { ending, ...run } = await observe(args, scenario, { ...options, beforePlanting });
    const planted = run.armedAtMs === null ? null : (run.prepared?.planted ?? null);
    const dump = planted && (await readDump(disk, planted));
    const { finding = null, logged = [] } = dump ?? {};
    if (planted) await options.onDisk?.(disk, planted);
    const nonce = run.prepared?.planted.nonce ?? '';
    const evidence = assembleEvidence(
      nonce,
      run.observations,
      ending,
      finding,
      watchdogMs,
      triggeredBy,
      logged,
    );
    return { ...run, evidence: isControl ? controlEvidence(evidence) : evidence };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** An image with more files: the kernel unpacks archives that follow one another as if they were one. */
async function initrdWith(image: string, files: readonly CpioEntry[], dir: string): Promise<string> {
  if (files.length === 0) return image;
  const path = join(dir, 'first.cpio');
  await copyFile(image, path);
  await appendFile(path, cpio(files));
  return path;
}

/** What the verifier finds in the dump, and the module's own lines in its log. */
async function readDump(
  disk: string,
  planted: Listing | LogPlan,
): Promise<{ finding: DumpFinding; logged: string[] }> {
  const source = await fileSource(disk, { offset: build.dumpAtBytes });
  try {
    const finding = await verifyDump(source, planted);
    const log = finding.vmcoreinfo === 'absent' ? null : await dumpLog(source);
    return { finding, logged: log?.filter((line) => line.includes('crashpoint: ')) ?? [] };
  } finally {
    await source.close();
  }
}

/** Runs the guest to its end and records all that its channels show. */
async function observe(args: readonly string[], scenario: Scenario, options: TrialOptions) {
  const observations: Observation[] = [];
  const startedAt = options.now();
  let broken: string | null = null;
  let overdue = false;
  let endedByGuest = false;
  let armedAtMs: number | null = null;
  let converse: (o: Observation) => void = () => {};
  const record = (channel: Observation['channel']) => (text: string, atMs: number) => {
    const o = { channel, text, atMs };
    observations.push(o);
    if (armedAtMs === null && channel === 'beacon' && text.startsWith('ds armed')) {
      armedAtMs = atMs;
      clearTimeout(deadline);
      deadline = setTimeout(() => {
        overdue = true;
        guest.kill();
      }, overdueMs);
    }
    converse(o);
    options.onObservation?.(o);
  };
  const event = record('event');
  const guest = startGuest(
    args,
    {
      onConsole: record('console'),
      onBeacon: record('beacon'),
      onEvent: (word, data, atMs) => {
        endedByGuest ||= word === 'SHUTDOWN' && data.guest === true;
        event(word, atMs);
      },
    },
    options.now,
  );
  const fail = (why: string) => {
    broken ??= why;
    guest.kill();
  };
  converse = conversation(guest, scenario, options, observations, fail);
  let deadline = setTimeout(
    () => fail(`the guest was not prepared within ${preparedWithinMs / 1000} s`),
    preparedWithinMs,
  );
  const exit = await guest.exited;
  clearTimeout(deadline);
  if (!endedByGuest && !overdue)
    broken ??= `QEMU ended by itself (${exit.code ?? exit.signal}): ${exit.said}`;
  const isPrepared = beaconsIn(observations).some(({ word }) => word === 'prepared');
  return {
    observations,
    prepared: isPrepared ? preparedIn(observations, options.triggeredBy ?? 'crashpoint') : null,
    armedAtMs,
    ending: { atMs: options.now() - startedAt, overdue, broken },
  };
}
