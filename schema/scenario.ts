/**
 * Scenarios: crash point × crash type × load × mitigation, under a set-up. The agent runs only what a versioned
 * scenario set lists; the server chooses among its entries and cannot define others.
 */
import { type CrashPoint, contextsOf, crashPoints } from './crash-point.ts';
import { type CrashType, crashTypes, type SetUp } from './crash-type.ts';
import { namesOf } from './vocabulary.ts';

/** What the hardware is doing at the crash. */
export const loads = {
  idle: 'nothing',
  disk: 'writes in flight on the dump target',
  'disk-other': 'writes in flight on another disk',
  net: 'receive and transmit in flight on a network device',
  memory: 'reclaim and swap',
  cpu: 'all processors busy',
  all: 'everything at once',
} as const;
export type Load = keyof typeof loads;

/** What the capture environment does about devices. */
export const mitigations = {
  none: 'a bare command line, without reset_devices',
  distribution: "the distribution's default",
  denylist: 'modules that the dump does not need are not loaded',
  'reset-param': 'reset_devices on the command line',
  'reset-flr': 'function level reset before the driver binds',
  'reset-pm': 'power management reset before the driver binds',
  'reset-bus': 'secondary bus reset before the driver binds',
  restore: 'bus mastering and MSI cleared, saved configuration registers written back',
  hardened: 'another build of the driver',
  cmdline: "one option of the capture kernel's command line",
} as const;
export type Mitigation = keyof typeof mitigations;

/** What pulls the trigger. Without the survey's own module less can be run, and less is known of it afterwards. */
export const triggers = {
  crashpoint: "the survey's kernel module",
  lkdtm: "mainline's LKDTM, entered directly",
  sysrq: 'c written to /proc/sysrq-trigger',
} as const;
export type TriggeredBy = keyof typeof triggers;

/** One entry of a scenario set. */
export interface Scenario {
  readonly crash_point: CrashPoint;
  readonly crash_type: CrashType;
  readonly load: Load;
  readonly mitigation: Mitigation;
  /** What is set up to notice the crash. */
  readonly set_up: SetUp;
  /** The crash fires only while at least this many requests are in flight on the dump target. */
  readonly in_flight_min: number;
}

function scenario(
  crash_point: CrashPoint,
  crash_type: CrashType,
  load: Load,
  in_flight_min = load === 'disk' ? 1 : 0,
  set_up: SetUp = 'panic',
): Scenario {
  return { crash_point, crash_type, load, mitigation: 'none', set_up, in_flight_min };
}

/** The same under the mitigation that a distribution's own capture environment is: a real machine has no bare one. */
function asShipped(s: Scenario): Scenario {
  return { ...s, mitigation: 'distribution' };
}

/**
 * The scenario sets, by name and version. A set never changes: a changed one gets the next version.
 * `standard/1` is what every machine can run; `metal/1` is the same on a real machine, in the capture environment of its
 * distribution; `contexts/1` adds the contexts that need no other hardware; `scsi/1`, `ata/1` and `net/1` need that
 * transport; `lab/…` holds what only an emulated machine may run.
 */
export const scenarioSets = {
  'standard/1': [
    scenario('direct', 'panic', 'idle'),
    scenario('direct', 'panic', 'disk'),
    scenario('direct', 'exception', 'idle'),
    scenario('direct', 'exception', 'disk'),
    scenario('timer', 'exception', 'disk'),
    scenario('tasklet', 'panic', 'disk'),
    scenario('block-dispatch', 'exception', 'disk', 2),
    scenario('direct', 'loop-irqoff', 'disk'),
  ],
  'metal/1': [
    asShipped(scenario('direct', 'panic', 'idle')),
    asShipped(scenario('direct', 'panic', 'disk')),
    asShipped(scenario('direct', 'exception', 'idle')),
    asShipped(scenario('direct', 'exception', 'disk')),
    asShipped(scenario('timer', 'exception', 'disk')),
    asShipped(scenario('tasklet', 'panic', 'disk')),
    asShipped(scenario('block-dispatch', 'exception', 'disk', 2)),
    asShipped(scenario('direct', 'loop-irqoff', 'disk')),
  ],
  'lab/1': [
    scenario('timer', 'exception', 'disk', 2),
    scenario('irq-handler', 'exception', 'disk', 2),
    scenario('irq-handler', 'panic', 'disk', 2),
    scenario('block-submit', 'bug', 'disk'),
    scenario('timer', 'bug', 'disk'),
    scenario('direct', 'stack-overflow', 'disk'),
    scenario('direct', 'loop', 'disk'),
  ],
  'contexts/1': [
    scenario('irq-entry', 'exception', 'disk'),
    scenario('irq-handler', 'exception', 'disk'),
    scenario('driver-irq', 'exception', 'disk'),
    scenario('nmi', 'panic', 'disk'),
    scenario('nmi', 'exception', 'disk'),
    scenario('softirq', 'exception', 'disk'),
    scenario('tasklet-entry', 'exception', 'disk'),
    scenario('workqueue', 'exception', 'disk'),
    scenario('threaded-irq', 'exception', 'disk'),
    scenario('swapout', 'exception', 'memory'),
    scenario('direct', 'double-fault', 'disk'),
    scenario('timer', 'spinlock-held', 'disk'),
    scenario('direct', 'hung-task', 'disk'),
    scenario('direct', 'oom', 'memory'),
  ],
  'scsi/1': [
    scenario('scsi-dispatch', 'exception', 'disk', 2),
    scenario('scsi-dispatch', 'panic', 'disk', 2),
  ],
  'ata/1': [scenario('ata-ioctl', 'exception', 'disk'), scenario('ata-ioctl', 'panic', 'idle')],
  'net/1': [
    scenario('net-xmit', 'exception', 'net'),
    scenario('net-poll', 'exception', 'net'),
    scenario('net-poll', 'panic', 'net'),
  ],
  'lab/2': [
    scenario('direct', 'corrupt-stack', 'disk'),
    scenario('direct', 'external-nmi', 'disk'),
    scenario('direct', 'exception', 'idle', 0, 'defaults'),
    scenario('direct', 'stack-overflow', 'idle', 0, 'defaults'),
    scenario('direct', 'loop', 'idle', 0, 'defaults'),
    scenario('direct', 'loop-irqoff', 'idle', 0, 'defaults'),
    scenario('direct', 'loop-irqoff', 'idle', 0, 'rcu-stall'),
    scenario('direct', 'loop-irqoff', 'idle', 0, 'watchdog-nmi'),
    scenario('direct', 'hung-task', 'idle', 0, 'defaults'),
    scenario('direct', 'oom', 'memory', 0, 'defaults'),
    scenario('direct', 'external-nmi', 'idle', 0, 'defaults'),
  ],
} as const satisfies Record<string, readonly Scenario[]>;
export type ScenarioSet = keyof typeof scenarioSets;

/**
 * `crash_point/crash_type/load/mitigation`, and `/set_up` where that is another than `panic`: unique within a set,
 * and stable.
 */
export function scenarioId(s: Omit<Scenario, 'in_flight_min'>): string {
  const id = `${s.crash_point}/${s.crash_type}/${s.load}/${s.mitigation}`;
  return s.set_up === 'panic' ? id : `${id}/${s.set_up}`;
}

/** The entry of a set with this id, or null where the set has none. */
export function findScenario(set: ScenarioSet, id: string): Scenario | null {
  return scenarioSets[set].find((s) => scenarioId(s) === id) ?? null;
}

/** Why a pair of crash point and crash type makes no sense, or null where it does. */
export function impossiblePair(point: CrashPoint, type: CrashType, realtime = false): string | null {
  const { contexts: wanted, sleeps } = crashTypes[type];
  const offered = contextsOf(point, realtime);
  if (!offered.some((context) => (wanted as readonly string[]).includes(context)))
    return `${type} needs ${wanted.join(' or ')} context; ${point} fires in ${offered.join(' or ')} context`;
  return sleeps && !crashPoints[point].maySleep ? `${type} waits, and ${point} may not sleep` : null;
}

/**
 * What can pull the trigger of a scenario. The fallbacks crash the task that writes to them, and know of no device;
 * LKDTM's own other crash points are kprobes, of which three find no function on today's x86-64 kernels.
 */
export function triggersOf(s: Pick<Scenario, 'crash_point' | 'crash_type' | 'in_flight_min'>): TriggeredBy[] {
  const direct = s.crash_point === 'direct' && s.in_flight_min === 0;
  return namesOf(triggers).filter((trigger) => {
    if (trigger === 'crashpoint') return true;
    return (
      direct && (trigger === 'sysrq' ? s.crash_type === 'panic' : crashTypes[s.crash_type].lkdtm !== null)
    );
  });
}

export const scenarioSetNames = namesOf(scenarioSets);
