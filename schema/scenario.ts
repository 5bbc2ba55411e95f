/**
 * Scenarios: crash point × crash type × load × mitigation. The agent runs only what a versioned scenario set
 * lists; the server chooses among its entries and cannot define others.
 */
import { namesOf } from './vocabulary.ts';

/** The execution context at a crash point: the innermost one. A hard interrupt may have come over a soft one. */
export const contexts = {
  task: 'a process or a kernel thread',
  softirq: 'a soft interrupt, or bottom half',
  hardirq: 'a hard interrupt',
  nmi: 'a non-maskable interrupt',
} as const;
export type Context = keyof typeof contexts;

interface CrashPointRow {
  /** LKDTT's name for it (OLS 2006), or null where LKDTT had none. */
  readonly lkdtt: string | null;
  /** Which contexts it may fire in on a kernel without PREEMPT_RT. */
  readonly contexts: readonly Context[];
  /** Whether it fires on one chosen device only. */
  readonly device: 'block' | 'net' | 'irq' | null;
  /** Whether this version of the kernel module can plant it. */
  readonly planted: boolean;
  readonly where: string;
}

/** Every crash point of the survey. `planted` ones are compared with the module's own table by a test. */
export const crashPoints = {
  direct: {
    lkdtt: null,
    contexts: ['task'],
    device: null,
    planted: true,
    where: 'process context, from the control file',
  },
  'irq-entry': {
    lkdtt: 'INT_HARDWARE_ENTRY',
    contexts: ['hardirq'],
    device: null,
    planted: false,
    where: 'entry of a hard interrupt, interrupts off',
  },
  'irq-handler': {
    lkdtt: 'INT_HW_IRQ_EN',
    contexts: ['hardirq'],
    device: null,
    planted: true,
    where: 'dispatch of an interrupt handler',
  },
  'tasklet-entry': {
    lkdtt: 'INT_TASKLET_ENTRY',
    contexts: ['softirq'],
    device: null,
    planted: false,
    where: 'before tasklet work',
  },
  tasklet: {
    lkdtt: 'TASKLET',
    contexts: ['softirq'],
    device: null,
    planted: true,
    where: 'in the middle of tasklet work',
  },
  'block-submit': {
    lkdtt: 'FS_DEVRW',
    contexts: ['task'],
    device: 'block',
    planted: true,
    where: 'block layer submission',
  },
  swapout: { lkdtt: 'MEM_SWAPOUT', contexts: ['task'], device: null, planted: false, where: 'reclaim' },
  timer: {
    lkdtt: 'TIMERADD',
    contexts: ['softirq'],
    device: null,
    planted: true,
    where: 'expiry of a timer',
  },
  'scsi-dispatch': {
    lkdtt: 'SCSI_DISPATCH_CMD',
    contexts: ['task', 'softirq'],
    device: 'block',
    planted: false,
    where: 'SCSI command dispatch',
  },
  'ata-ioctl': {
    lkdtt: 'IDE_CORE_CP',
    contexts: ['task'],
    device: 'block',
    planted: false,
    where: 'the ATA successor of the IDE ioctl path',
  },
  softirq: {
    lkdtt: null,
    contexts: ['softirq'],
    device: null,
    planted: false,
    where: 'entry of a softirq',
  },
  workqueue: {
    lkdtt: null,
    contexts: ['task'],
    device: null,
    planted: false,
    where: 'a work item in a kworker',
  },
  'threaded-irq': {
    lkdtt: null,
    contexts: ['task'],
    device: null,
    planted: false,
    where: 'the thread of an interrupt handler',
  },
  nmi: { lkdtt: null, contexts: ['nmi'], device: null, planted: false, where: 'an NMI handler' },
  'net-xmit': {
    lkdtt: null,
    contexts: ['task', 'softirq'],
    device: 'net',
    planted: false,
    where: 'transmit on the chosen network device',
  },
  'net-poll': {
    lkdtt: null,
    contexts: ['softirq'],
    device: 'net',
    planted: false,
    where: 'NAPI poll of the chosen network device',
  },
  'block-dispatch': {
    lkdtt: null,
    contexts: ['task'],
    device: 'block',
    planted: true,
    where: 'a request handed to the driver of the chosen disk',
  },
  'driver-irq': {
    lkdtt: null,
    contexts: ['hardirq'],
    device: 'irq',
    planted: false,
    where: "entry of the chosen device's own interrupt handler",
  },
} as const satisfies Record<string, CrashPointRow>;
export type CrashPoint = keyof typeof crashPoints;

/** How much a crash type can hurt the machine it runs on. */
export const safetyClasses = {
  stops: 'the kernel stops or panics by itself',
  hangs: 'the kernel may hang: needs a proven watchdog',
  corrupts: 'may damage memory that later reaches a disk: lab only',
} as const;
export type SafetyClass = keyof typeof safetyClasses;

/** What should notice a crash. */
export const detectors = {
  panic: 'panic() is called at once',
  oops: 'the fault handler, with panic_on_oops or outside of task context',
  'soft-lockup': 'the soft lockup watchdog',
  'hard-lockup': 'the hard lockup (NMI) watchdog',
  'rcu-stall': 'the RCU stall detector',
  'hung-task': 'khungtaskd',
  'oom-killer': 'the OOM killer, with panic_on_oom',
  nmi: 'the NMI handler, with unknown_nmi_panic',
} as const;
export type Detector = keyof typeof detectors;

interface CrashTypeRow {
  /** LKDTT's name for it, or null. */
  readonly lkdtt: string | null;
  readonly detector: Detector;
  readonly safety: SafetyClass;
  readonly contexts: readonly Context[];
  /** Sysctls (`kernel.*` unless dotted) that the scenario sets before arming, so that the crash is noticed. */
  readonly sysctls: Readonly<Record<string, number>>;
  readonly planted: boolean;
  readonly what: string;
}

const anywhere = ['task', 'softirq', 'hardirq', 'nmi'] as const satisfies readonly Context[];

/** Every crash type of the survey. `planted` ones are compared with the module's own table by a test. */
export const crashTypes = {
  panic: {
    lkdtt: 'PANIC',
    detector: 'panic',
    safety: 'stops',
    contexts: anywhere,
    sysctls: {},
    planted: true,
    what: 'calls panic()',
  },
  bug: {
    lkdtt: 'BUG',
    detector: 'oops',
    safety: 'stops',
    contexts: anywhere,
    sysctls: { panic_on_oops: 1 },
    planted: true,
    what: 'executes BUG()',
  },
  exception: {
    lkdtt: 'EXCEPTION',
    detector: 'oops',
    safety: 'stops',
    contexts: anywhere,
    sysctls: { panic_on_oops: 1 },
    planted: true,
    what: 'writes through a null pointer',
  },
  loop: {
    lkdtt: 'LOOP',
    detector: 'soft-lockup',
    safety: 'hangs',
    contexts: ['task', 'softirq', 'hardirq'],
    sysctls: { softlockup_panic: 1, watchdog_thresh: 5 },
    planted: true,
    what: 'loops for ever with preemption off and interrupts on',
  },
  'loop-irqoff': {
    lkdtt: 'LOOP',
    detector: 'hard-lockup',
    safety: 'hangs',
    contexts: anywhere,
    sysctls: { hardlockup_panic: 1 },
    planted: true,
    what: 'loops for ever with interrupts off',
  },
  'stack-overflow': {
    lkdtt: 'OVERFLOW',
    detector: 'oops',
    safety: 'corrupts',
    contexts: ['task', 'softirq', 'hardirq'],
    sysctls: { panic_on_oops: 1 },
    planted: true,
    what: 'recurses until the kernel stack is used up',
  },
  'hung-task': {
    lkdtt: null,
    detector: 'hung-task',
    safety: 'hangs',
    contexts: ['task'],
    sysctls: { hung_task_panic: 1 },
    planted: false,
    what: 'sleeps uninterruptibly for ever',
  },
  'spinlock-held': {
    lkdtt: null,
    detector: 'panic',
    safety: 'hangs',
    contexts: ['task', 'softirq', 'hardirq'],
    sysctls: {},
    planted: false,
    what: 'panics while holding a lock that the dump path may want',
  },
  'double-fault': {
    lkdtt: null,
    detector: 'oops',
    safety: 'stops',
    contexts: ['task'],
    sysctls: { panic_on_oops: 1 },
    planted: false,
    what: 'faults on a bad stack',
  },
  oom: {
    lkdtt: null,
    detector: 'oom-killer',
    safety: 'hangs',
    contexts: ['task'],
    sysctls: { 'vm.panic_on_oom': 1 },
    planted: false,
    what: 'uses up all memory',
  },
  'corrupt-stack': {
    lkdtt: null,
    detector: 'panic',
    safety: 'corrupts',
    contexts: ['task'],
    sysctls: {},
    planted: false,
    what: 'overwrites its own stack frame',
  },
  'external-nmi': {
    lkdtt: null,
    detector: 'nmi',
    safety: 'stops',
    contexts: ['nmi'],
    sysctls: { unknown_nmi_panic: 1 },
    planted: false,
    what: 'an NMI from outside, while the kernel is otherwise healthy',
  },
} as const satisfies Record<string, CrashTypeRow>;
export type CrashType = keyof typeof crashTypes;

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

/** One entry of a scenario set. Named `crash_point/crash_type/load/mitigation`. */
export interface Scenario {
  readonly crash_point: CrashPoint;
  readonly crash_type: CrashType;
  readonly load: Load;
  readonly mitigation: Mitigation;
  /** The crash fires only while at least this many requests are in flight on the dump target. */
  readonly in_flight_min: number;
}

function scenario(
  crash_point: CrashPoint,
  crash_type: CrashType,
  load: Load,
  in_flight_min = load === 'disk' ? 1 : 0,
): Scenario {
  return { crash_point, crash_type, load, mitigation: 'none', in_flight_min };
}

/**
 * The scenario sets, by name and version. A set never changes: a changed one gets the next version.
 * `standard/1` is what every machine can run; `lab/1` adds what only an emulated machine may.
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
  'lab/1': [
    scenario('timer', 'exception', 'disk', 2),
    scenario('irq-handler', 'exception', 'disk', 2),
    scenario('irq-handler', 'panic', 'disk', 2),
    scenario('block-submit', 'bug', 'disk'),
    scenario('timer', 'bug', 'disk'),
    scenario('direct', 'stack-overflow', 'disk'),
    scenario('direct', 'loop', 'disk'),
  ],
} as const satisfies Record<string, readonly Scenario[]>;
export type ScenarioSet = keyof typeof scenarioSets;

/** `crash_point/crash_type/load/mitigation`: unique within a set, and stable. */
export function scenarioId(s: Pick<Scenario, 'crash_point' | 'crash_type' | 'load' | 'mitigation'>): string {
  return `${s.crash_point}/${s.crash_type}/${s.load}/${s.mitigation}`;
}

/** The entry of a set with this id, or null where the set has none. */
export function findScenario(set: ScenarioSet, id: string): Scenario | null {
  return scenarioSets[set].find((s) => scenarioId(s) === id) ?? null;
}

/** Why a pair of crash point and crash type makes no sense, or null where it does. */
export function impossiblePair(point: CrashPoint, type: CrashType): string | null {
  const offered: readonly Context[] = crashPoints[point].contexts;
  const wanted: readonly Context[] = crashTypes[type].contexts;
  if (offered.some((context) => wanted.includes(context))) return null;
  return `${type} needs ${wanted.join(' or ')} context; ${point} fires in ${offered.join(' or ')} context`;
}

export const scenarioSetNames = namesOf(scenarioSets);
