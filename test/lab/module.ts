/**
 * What is proven of the crash module in a guest, without a crash: what it lists, that it comes and goes and leaves
 * nothing behind, and that nonsense is refused. A function each, with its counts: few for a test, many for a long
 * proof. None of them judges; each gives what it found.
 */
import type { LabMachineName } from '../../agent/lab/machines.ts';
import type { Lab } from '../../agent/lab/provision.ts';
import { type CrashPoint, crashPoints } from '../../schema/crash-point.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import { corpus, corpusFiles, guestNonce, plants } from './corpus.ts';
import { type Exercise, exercise } from './exercise.ts';
import { refusalIn, refusals } from './refusals.ts';
import { splatsIn, unexpectedTaint } from './splats.ts';

/** The machine that has every crash point. */
const everything = 'ahci-e1000-q35' satisfies LabMachineName;

/** A point or a type, as the module lists it. */
export interface Listed {
  readonly name: string;
  readonly description: string;
  /** The key that arming it needs. */
  readonly needs: string | null;
  /** Why the running kernel cannot offer it. */
  readonly unavailable: string | null;
}

/** How the guest was when everything was over. */
export interface Health {
  readonly splats: readonly string[];
  /** What the kernel is tainted with, but for the module itself. */
  readonly taint: number;
  /** Whether the module is gone. */
  readonly gone: boolean;
}

const load = 'insmod /modules/crashpoint.ko';
const readLog = 'dmesg -s 8388608';

async function healthOf({ must }: Exercise): Promise<Health> {
  const [taint = ''] = await must('cat /proc/sys/kernel/tainted');
  const modules = await must('cat /proc/modules');
  return {
    splats: splatsIn(await must(readLog)),
    taint: unexpectedTaint(Number(taint)),
    gone: !modules.some((line) => line.startsWith('crashpoint ')),
  };
}

/**
 * Checks all slabs, and gives what does so again and says which addresses of code that is gone have left objects in
 * them since: before the module was there, only the initialisation of other modules has.
 */
async function slabsOf({ must }: Exercise): Promise<() => Promise<string[]>> {
  const before = new Set(await must('check_slabs'));
  return async () => [...new Set(await must('check_slabs'))].filter((address) => !before.has(address));
}

function listed(lines: readonly string[], heading: string): Listed[] {
  const from = lines.indexOf(`${heading}:`) + 1;
  const length = lines.slice(from).findIndex((line) => !line.startsWith('  '));
  return lines.slice(from, length < 0 ? undefined : from + length).map((line) => {
    const [, name = '', description = '', needs = null, unavailable = null] =
      /^ {2}(\S+) +(.*?)(?:; needs (\S+?))?(?:; unavailable: (.*))?$/.exec(line) ?? [];
    return { name, description, needs, unavailable };
  });
}

/** The words that arm a point so that it is hit and does not fire. */
async function harmless({ must }: Exercise): Promise<(point: CrashPoint) => string> {
  const [found = ''] = await must('echo "$(cat /sys/block/$disk/dev) $(pci_device) $(opt ds.interface)"');
  const [device, pci, card] = found.split(' ');
  const keys = {
    device: `device=${device} inflight=1024`,
    pci: `pci=${pci} device=${device} inflight=1024`,
    interface: `interface=${card} device=${device} inflight=1024`,
  };
  return (point) => {
    const { needs } = crashPoints[point];
    return `point=${point} type=panic ${needs === null ? 'skip=1000000' : keys[needs]}`;
  };
}

export interface ListingReport {
  /** The whole text of the control file, by lines. */
  readonly control: readonly string[];
  readonly points: readonly Listed[];
  readonly types: readonly Listed[];
  /** Of each unavailable point, the reason for which arming it was refused; null where it was not. */
  readonly refused: Readonly<Record<string, string | null>>;
  /** The state after these refusals. */
  readonly state: string;
  readonly health: Health;
}

/** What the module lists on a machine, and what comes of arming what it says is unavailable. */
export function listModule(lab: Lab, machine: LabMachineName): Promise<ListingReport> {
  return exercise(lab, machine, { withinMs: 180_000 }, async (guest) => {
    const { sh, must } = guest;
    const arming = await harmless(guest);
    await must(load);
    const control = await must('cat $control');
    const points = listed(control, 'points');
    await must(`order plant nonce=${guestNonce}`);
    const refused: Record<string, string | null> = {};
    for (const { name } of points.filter(({ unavailable }) => unavailable !== null)) {
      const { status } = await sh(`order arm nonce=${guestNonce} ${arming(name as CrashPoint)} 2>/dev/null`);
      const log = await must(readLog);
      refused[name] = status === 0 ? null : refusalIn(log.at(-1) ?? '');
    }
    const [state = ''] = await must('cat $control');
    await must('rmmod crashpoint');
    return {
      control,
      points,
      types: listed(control, 'types'),
      refused,
      state,
      health: await healthOf(guest),
    };
  });
}

/** Totals of /proc/meminfo in KiB, and the objects in use of each slab cache. */
export interface Memory {
  readonly kib: Readonly<Record<string, number>>;
  readonly objects: Readonly<Record<string, number>>;
}

const totals = ['MemFree', 'Slab', 'SUnreclaim', 'VmallocUsed', 'Percpu', 'KernelStack', 'PageTables'];

async function measure({ must }: Exercise): Promise<Memory> {
  await must('settle');
  const meminfo = (await must('cat /proc/meminfo')).map((line) => line.split(/[:\s]+/));
  const slabinfo = (await must('cat /proc/slabinfo')).slice(2).map((line) => line.split(/\s+/));
  return {
    kib: Object.fromEntries(
      meminfo.filter(([name = '']) => totals.includes(name)).map(([name = '', kib]) => [name, Number(kib)]),
    ),
    objects: Object.fromEntries(slabinfo.map(([name = '', active]) => [name, Number(active)])),
  };
}

export interface CycleReport {
  readonly cycles: number;
  /** What went wrong, by cycle: none of it should. */
  readonly failed: readonly string[];
  /** Odd options that the module was loaded with, and whether it was. */
  readonly options: Readonly<Record<string, boolean>>;
  /** Refusals in the log other than those that the exercise provokes. */
  readonly unexpected: readonly string[];
  /** After so many cycles, and at the end. */
  readonly measuredAt: number;
  readonly before: Memory;
  readonly after: Memory;
  /** Addresses of code that is gone and that has left objects in slabs. */
  readonly orphans: readonly string[];
  readonly health: Health;
  readonly wallMs: number;
}

/** Options of insmod that are none of the module's. */
const oddOptions = ['nonsense=1', 'nonsense', '=', '"nonsense=a b"', 'dyndbg=+p', 'point=direct type=panic'];

/** What the writer that waits at `direct` is told. */
const provoked = 'disarmed by another writer while waiting';

/** Loads, plants, arms, fails to unload, disarms and unloads, over all points in turn, with a disk and a card at work. */
export function cycleModule(lab: Lab, cycles: number): Promise<CycleReport> {
  const startedAt = performance.now();
  const withinMs = 180_000 + cycles * 4000;
  return exercise(lab, everything, { withinMs }, async (guest) => {
    const { sh, must } = guest;
    const orphansIn = await slabsOf(guest);
    const options: Record<string, boolean> = {};
    for (const words of oddOptions) {
      const { status } = await sh(`${load} ${words}`);
      options[words] = status === 0;
      if (status === 0) await must('rmmod crashpoint');
    }
    const arming = await harmless(guest);
    const points = namesOf(crashPoints);
    const failed: string[] = [];
    const measuredAt = Math.min(50, Math.floor(cycles / 2));
    let before: Memory = { kib: {}, objects: {} };
    await must('start_traffic');
    for (let done = 0; done < cycles && failed.length < 10; done++) {
      if (done === measuredAt) {
        await must('stop_traffic');
        before = await measure(guest);
        await must('start_traffic');
      }
      const point = points[done % points.length] as CrashPoint;
      const nonce = (done + 1).toString(16).padStart(32, '0');
      const { status, out } = await sh(`cycle ${nonce} ${arming(point)}`);
      if (status !== 0) failed.push(`cycle ${done + 1}, ${point}: ${out.join(' ')}`);
    }
    await must('stop_traffic');
    const after = await measure(guest);
    const unexpected = (await must(readLog))
      .map(refusalIn)
      .filter((text) => text !== null)
      .filter((text) => text !== provoked);
    const orphans = await orphansIn();
    const health = await healthOf(guest);
    const wallMs = performance.now() - startedAt;
    return { cycles, failed, options, unexpected, measuredAt, before, after, orphans, health, wallMs };
  });
}

/** By how much each total rose between the measurements, in KiB; free memory counts as used when it is not. */
export function growth({ before, after }: CycleReport): Record<string, number> {
  return Object.fromEntries(
    totals.map((name) => {
      const kib = (after.kib[name] ?? 0) - (before.kib[name] ?? 0);
      return [name, name === 'MemFree' ? -kib : kib];
    }),
  );
}

/** What one input came to. */
export interface Fed {
  readonly text: Buffer;
  /** Whether the write failed. */
  readonly failed: boolean;
  /** What the module said that it refused. */
  readonly refusals: readonly string[];
}

export interface FuzzReport {
  readonly inputs: number;
  /** The inputs that were fed one after the other. */
  readonly fed: readonly Fed[];
  /** Those of them that the module should have taken, by number from 1. */
  readonly plantings: readonly number[];
  /** Inputs that three writers fed while others read, armed and disarmed; writes of all of them that failed. */
  readonly storm: {
    readonly fed: number;
    readonly failed: number;
    readonly refused: number;
    readonly armed: number;
    readonly reads: number;
    readonly unread: readonly string[];
  };
  /** How many refusals of both the log has, those of a form that no source has, and the forms that did not occur. */
  readonly refusals: number;
  readonly unknown: readonly string[];
  readonly unseen: readonly string[];
  /** Addresses of code that is gone and that has left objects in slabs. */
  readonly orphans: readonly string[];
  readonly health: Health;
  readonly wallMs: number;
}

/** What the module refused behind each marker in the log. */
function refusalsByInput(log: readonly string[]): Map<number, string[]> {
  const found = new Map<number, string[]>();
  let current: string[] = [];
  for (const line of log) {
    const number = / exercise: input (\d+)$/.exec(line)?.[1];
    const refusal = refusalIn(line);
    if (refusal !== null) current.push(refusal);
    if (number === undefined) continue;
    current = [];
    found.set(Number(number), current);
  }
  return found;
}

function judged(said: readonly string[]) {
  const forms = [...refusals()];
  const seen = (pattern: RegExp) => said.some((text) => pattern.test(text));
  return {
    refusals: said.length,
    unknown: said.filter((text) => !forms.some(([, pattern]) => pattern.test(text))),
    unseen: forms.filter(([, pattern]) => !seen(pattern)).map(([format]) => format),
  };
}

/** The numbers of the plantings of which the nonce is not the planted one. */
function plantingsIn(inputs: readonly Buffer[]): number[] {
  let planted = guestNonce;
  return inputs.flatMap((text, i) => {
    const nonce = plants(text);
    if (nonce === null || nonce === planted) return [];
    planted = nonce;
    return [i + 1];
  });
}

/** Feeds the control file with inputs that should be refused: three quarters in turn, the others in a storm. */
export function fuzzModule(lab: Lab, count: number, seed: number): Promise<FuzzReport> {
  const startedAt = performance.now();
  const inputs = corpus(count, seed);
  const inTurn = Math.floor((count * 3) / 4);
  const options = { withinMs: 180_000 + count * 400, files: corpusFiles(inputs) };
  return exercise(lab, everything, options, async (guest) => {
    const { must } = guest;
    const orphansIn = await slabsOf(guest);
    const arming = await harmless(guest);
    for (const point of namesOf(crashPoints)) await must(`echo "${arming(point)}" >>/tmp/armings`);
    await must(load);
    await must(`order plant nonce=${guestNonce}`);
    const statuses: string[] = [];
    for (let from = 1; from <= inTurn; from += 250)
      statuses.push(...(await must(`feed ${from} ${Math.min(from + 249, inTurn)}`)));
    const log = await must(readLog);
    const stormed = await must(`storm ${inTurn + 1} ${count}`);
    await must('rmmod crashpoint');
    const wholeLog = await must(readLog);
    const said = refusalsByInput(log);
    const later = wholeLog.slice(log.length);
    return {
      inputs: count,
      fed: inputs.slice(0, inTurn).map((text, i) => ({
        text,
        failed: statuses[i] !== `${i + 1} 0`,
        refusals: said.get(i + 1) ?? [],
      })),
      plantings: plantingsIn(inputs.slice(0, inTurn)),
      storm: {
        fed: stormed.filter((line) => /^\d+ \d/.test(line)).length,
        failed: stormed.filter((line) => /^\w+ [1-9]/.test(line)).length,
        refused: later.filter((line) => /crashpoint: (refused|not fired): /.test(line)).length,
        armed: stormed.filter((line) => line === 'arm 0').length,
        reads: stormed.filter((line) => line === 'read').length,
        unread: stormed.filter((line) => !/^(\w+ \d+|read)$/.test(line)),
      },
      ...judged(wholeLog.map(refusalIn).filter((text) => text !== null)),
      orphans: await orphansIn(),
      health: await healthOf(guest),
      wallMs: performance.now() - startedAt,
    };
  });
}
