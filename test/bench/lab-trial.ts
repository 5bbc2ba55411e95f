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

/** A stretch of a run: from one moment, or from QEMU's start, to another. */
type Stretch = readonly [from: string | null, to: string];

interface Step {
  readonly what: string;
  readonly trial: Stretch;
  /** The same step of the bare boots, where they have it. */
  readonly first?: Stretch;
  readonly capture?: Stretch;
}

/** The steps of a trial, in their order. */
const steps: readonly Step[] = [
  { what: 'first kernel: QEMU to user space', trial: [null, 'booted'], first: [null, 'booted'] },
  { what: 'inventory', trial: ['booted', 'inventoried'] },
  { what: 'load the capture kernel and the crash module, plant', trial: ['inventoried', 'prepared'] },
  { what: 'start the load, arm', trial: ['prepared', 'armed'] },
  { what: 'crash', trial: ['armed', 'fired'] },
  {
    what: "digest (or firmware), decompression, to Linux's first line",
    trial: ['fired', 'handed_over'],
    capture: [null, 'linux'],
  },
  {
    what: 'capture kernel: to user space',
    trial: ['handed_over', 'capture_booted'],
    capture: ['linux', 'capture_booted'],
  },
  { what: 'modules, disk', trial: ['capture_booted', 'target_ready'] },
  { what: 'dump', trial: ['target_ready', 'dump_written'] },
  {
    what: 'end of QEMU',
    trial: ['dump_written', 'ended'],
    first: ['booted', 'ended'],
    capture: ['capture_booted', 'ended'],
  },
  { what: 'disk image, verification', trial: ['ended', 'verified'] },
  { what: 'processor time of QEMU', trial: [null, 'cpu'], first: [null, 'cpu'], capture: [null, 'cpu'] },
];

/** The median length of a stretch, in seconds. */
function secondsOf(runs: readonly Times[], [from, to]: Stretch): number {
  const at = (times: Times, what: string) => {
    const ms = times.get(what);
    if (ms === undefined) throw new Error(`a run did not show ${what}`);
    return ms;
  };
  return median(runs.map((times) => at(times, to) - (from === null ? 0 : at(times, from)))) / 1000;
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
    peer: medians.first + medians.capture + secondsOf(seen[load], ['target_ready', 'dump_written']),
    bound,
  }));
  const shown = (runs: readonly Times[], stretch: Stretch | undefined) =>
    stretch === undefined ? '–' : secondsOf(runs, stretch).toFixed(2);
  return {
    rows,
    details: {
      title: 'Where the time of a trial goes (s)',
      table: [
        ['step', 'trial, idle', 'trial, disk', 'bare first', 'bare capture'],
        ...steps.map(({ what, trial: stretch, first, capture }) => [
          what,
          shown(seen.idle, stretch),
          shown(seen.disk, stretch),
          shown(seen.first, first),
          shown(seen.capture, capture),
        ]),
      ],
    },
  };
}
