/**
 * What a trial costs beyond what it cannot do without: booting both kernels and writing the dump. The bare boots
 * are the lab's own, so that whatever makes them faster makes the bound stricter too.
 */
import { join } from 'node:path';
import { beaconsIn, type Observation } from '../../agent/lab/observe.ts';
import { provision } from '../../agent/lab/provision.ts';
import type { TrialRun } from '../../agent/lab/trial.ts';
import { dataDir } from '../../agent/paths.ts';
import type { Stage } from '../../schema/vocabulary.ts';
import { bareBoot, benchMachine, capturedTrial, type Timed } from './lab-guests.ts';
import { inTurns, median } from './measure.ts';
import type { Context, Findings } from './section.ts';

const bound = 1.5;

/** When things happened in a run, in milliseconds since QEMU's start. */
type Times = ReadonlyMap<string, number>;

function timesOf(observations: readonly Observation[]): Map<string, number> {
  const times = new Map<string, number>();
  const see = (what: string, atMs: number) => {
    if (!times.has(what)) times.set(what, atMs);
  };
  for (const { word, atMs } of beaconsIn(observations)) see(word, atMs);
  for (const { channel, text, atMs } of observations) {
    if (channel === 'console' && text.includes('Linux version')) see('linux', atMs);
    if (channel === 'event') see(text, atMs);
  }
  return times;
}

function trialTimes({ ms, cpuMs, result }: Timed<TrialRun>): Times {
  const times = timesOf(result.observations);
  for (const { stage, at_ms } of result.evidence.channel.saw) {
    times.set(stage satisfies Stage, at_ms + (result.armedAtMs ?? 0));
  }
  return times.set('ended', result.evidence.duration_ms).set('verified', ms).set('cpu', cpuMs);
}

/** The steps of a trial: what it is, and the moments between which it lies. */
const steps = [
  ['first kernel: QEMU to user space', null, 'booted'],
  ['inventory', 'booted', 'inventoried'],
  ['load capture kernel and crash module, plant', 'inventoried', 'prepared'],
  ['start load, arm', 'prepared', 'armed'],
  ['crash', 'armed', 'fired'],
  ['digest, decompression, to the first line', 'fired', 'handed_over'],
  ['capture kernel: to user space', 'handed_over', 'capture_booted'],
  ['modules, disk', 'capture_booted', 'target_ready'],
  ['dump', 'target_ready', 'dump_written'],
  ['end of QEMU', 'dump_written', 'ended'],
  ['image, verification', 'ended', 'verified'],
  ['processor time of QEMU', null, 'cpu'],
] as const;

function between(runs: readonly Times[], from: string | null, to: string): number {
  const at = (times: Times, what: string) => {
    const ms = times.get(what);
    if (ms === undefined) throw new Error(`a run did not show ${what}`);
    return ms;
  };
  return median(runs.map((times) => at(times, to) - (from === null ? 0 : at(times, from))));
}

/** The section. */
export async function labTrial({ rounds, say }: Context): Promise<Findings> {
  const lab = await provision(join(dataDir(), 'lab'), say);
  const seen = { idle: [] as Times[], disk: [] as Times[], first: [] as Times[], capture: [] as Times[] };
  const trial = (load: 'idle' | 'disk') => async () => {
    const run = await capturedTrial(lab, `direct/panic/${load}/none`);
    seen[load].push(trialTimes(run));
    say(`trial under ${load}: ${(run.ms / 1000).toFixed(2)} s`);
    return run.ms / 1000;
  };
  const bare = (which: 'first' | 'capture') => async () => {
    const run = await bareBoot(lab, which);
    seen[which].push(timesOf(run.result).set('ended', run.ms).set('cpu', run.cpuMs));
    say(`${which} kernel bare: ${(run.ms / 1000).toFixed(2)} s`);
    return run.ms / 1000;
  };
  const medians = await inTurns(rounds, {
    first: bare('first'),
    capture: bare('capture'),
    idle: trial('idle'),
    disk: trial('disk'),
  });
  const rows = (['idle', 'disk'] as const).map((load) => ({
    what: `lab-trial: ${benchMachine} direct/panic/${load}, to its verdict`,
    unit: 's' as const,
    measured: medians[load],
    against: 'both kernels bare, and the dump',
    peer: medians.first + medians.capture + between(seen[load], 'target_ready', 'dump_written') / 1000,
    bound,
  }));
  const s = (ms: number) => (ms / 1000).toFixed(2);
  return {
    rows,
    details: {
      title: 'Where the time of a trial goes (s)',
      table: [
        ['step', 'idle', 'disk'],
        ...steps.map(([what, from, to]) => [
          what,
          s(between(seen.idle, from, to)),
          s(between(seen.disk, from, to)),
        ]),
        ['bare first kernel: QEMU to user space', s(between(seen.first, null, 'booted')), ''],
        ['bare first kernel: end of QEMU', s(between(seen.first, 'booted', 'ended')), ''],
        ['bare first kernel: processor time of QEMU', s(between(seen.first, null, 'cpu')), ''],
        ['bare capture kernel: QEMU to the first line', s(between(seen.capture, null, 'linux')), ''],
        ['bare capture kernel: to user space', s(between(seen.capture, 'linux', 'capture_booted')), ''],
        ['bare capture kernel: end of QEMU', s(between(seen.capture, 'capture_booted', 'ended')), ''],
        ['bare capture kernel: processor time of QEMU', s(between(seen.capture, null, 'cpu')), ''],
      ],
    },
  };
}
