/**
 * Crash types: what goes wrong at a crash point, what should notice it, and how it is made to stop the kernel. The
 * kernel module's table and its own listing are compared with this one by a test.
 */
import type { Context } from './crash-point.ts';

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
  'double-fault': 'the double fault handler, which has a stack of its own',
  'soft-lockup': 'the soft lockup watchdog',
  'hard-lockup': 'the hard lockup (NMI) watchdog',
  'rcu-stall': 'the RCU stall detector',
  'hung-task': 'khungtaskd',
  'oom-killer': 'the OOM killer, with panic_on_oom',
  'stack-protector': 'the canary of the stack protector',
  nmi: 'the NMI handler, with unknown_nmi_panic',
  none: 'nothing',
} as const;
export type Detector = keyof typeof detectors;

/** Sysctls (`kernel.*` unless dotted) by name. */
export type Sysctls = Readonly<Record<string, number>>;

/** What a type states about the very moment of its crash: the module reads it back and says it. */
export interface AtCrash {
  readonly irqsOff?: true;
  readonly preemptOff?: true;
  readonly lockHeld?: true;
}

interface CrashTypeRow {
  /** LKDTT's name for it, or null. */
  readonly lkdtt: string | null;
  /** The name of mainline LKDTM's crash type (drivers/misc/lkdtm) that does the same, or null. */
  readonly lkdtm: string | null;
  readonly detector: Detector;
  readonly safety: SafetyClass;
  readonly contexts: readonly Context[];
  /** Whether it waits, and so needs a crash point that may sleep. */
  readonly sleeps: boolean;
  /** Sysctls that the scenario sets before arming, so that the crash becomes a panic. */
  readonly sysctls: Sysctls;
  /** Whether its CPU or its task never comes back from it. */
  readonly hangs: boolean;
  readonly atCrash: AtCrash;
  /** What the kernel's own log says when it notices. */
  readonly log: RegExp;
  readonly what: string;
}

const anywhere = ['task', 'softirq', 'hardirq', 'nmi'] as const satisfies readonly Context[];
const notInNmi = ['task', 'softirq', 'hardirq'] as const satisfies readonly Context[];

/** Every crash type of the survey. */
export const crashTypes = {
  panic: {
    lkdtt: 'PANIC',
    lkdtm: 'PANIC',
    detector: 'panic',
    safety: 'stops',
    contexts: anywhere,
    sleeps: false,
    sysctls: {},
    hangs: false,
    atCrash: {},
    log: /Kernel panic - not syncing: crashpoint/,
    what: 'calls panic()',
  },
  bug: {
    lkdtt: 'BUG',
    lkdtm: 'BUG',
    detector: 'oops',
    safety: 'stops',
    contexts: anywhere,
    sleeps: false,
    sysctls: { panic_on_oops: 1 },
    hangs: false,
    atCrash: {},
    log: /kernel BUG at/,
    what: 'executes BUG()',
  },
  exception: {
    lkdtt: 'EXCEPTION',
    lkdtm: 'EXCEPTION',
    detector: 'oops',
    safety: 'stops',
    contexts: anywhere,
    sleeps: false,
    sysctls: { panic_on_oops: 1 },
    hangs: false,
    atCrash: {},
    log: /BUG: kernel NULL pointer dereference/,
    what: 'writes through a null pointer',
  },
  loop: {
    lkdtt: 'LOOP',
    lkdtm: 'SOFTLOCKUP',
    detector: 'soft-lockup',
    safety: 'hangs',
    contexts: ['task', 'softirq'],
    sleeps: false,
    sysctls: { softlockup_panic: 1, watchdog_thresh: 5 },
    hangs: true,
    atCrash: { preemptOff: true },
    log: /Kernel panic - not syncing: softlockup: hung tasks/,
    what: 'loops for ever with preemption off and interrupts on',
  },
  'loop-irqoff': {
    lkdtt: 'LOOP',
    lkdtm: 'HARDLOCKUP',
    detector: 'hard-lockup',
    safety: 'hangs',
    contexts: anywhere,
    sleeps: false,
    sysctls: { hardlockup_panic: 1 },
    hangs: true,
    atCrash: { irqsOff: true },
    log: /Kernel panic - not syncing: Hard LOCKUP/,
    what: 'loops for ever with interrupts off',
  },
  'stack-overflow': {
    lkdtt: 'OVERFLOW',
    lkdtm: 'EXHAUST_STACK',
    detector: 'double-fault',
    safety: 'corrupts',
    contexts: anywhere,
    sleeps: false,
    sysctls: { panic_on_oops: 1 },
    hangs: false,
    atCrash: {},
    log: /stack guard page was hit/,
    what: 'recurses until the kernel stack is used up',
  },
  'hung-task': {
    lkdtt: null,
    lkdtm: 'HUNG_TASK',
    detector: 'hung-task',
    safety: 'hangs',
    contexts: ['task'],
    sleeps: true,
    sysctls: { hung_task_panic: 1, hung_task_timeout_secs: 5 },
    hangs: true,
    atCrash: {},
    log: /Kernel panic - not syncing: hung_task: blocked tasks/,
    what: 'sleeps uninterruptibly for ever',
  },
  'spinlock-held': {
    lkdtt: null,
    lkdtm: null,
    detector: 'panic',
    safety: 'hangs',
    contexts: notInNmi,
    sleeps: false,
    sysctls: {},
    hangs: false,
    atCrash: { irqsOff: true, lockHeld: true },
    log: /Kernel panic - not syncing: crashpoint/,
    what: 'panics while holding the lock of the console and a spinlock, interrupts off',
  },
  'double-fault': {
    lkdtt: null,
    lkdtm: null,
    detector: 'double-fault',
    safety: 'stops',
    contexts: anywhere,
    sleeps: false,
    sysctls: {},
    hangs: false,
    atCrash: {},
    log: /double fault/,
    what: 'faults with a stack pointer that points nowhere',
  },
  oom: {
    lkdtt: null,
    lkdtm: null,
    detector: 'oom-killer',
    safety: 'hangs',
    contexts: ['task'],
    sleeps: true,
    sysctls: { 'vm.panic_on_oom': 1 },
    hangs: false,
    atCrash: {},
    log: /Kernel panic - not syncing: Out of memory/,
    what: 'uses up all memory',
  },
  'corrupt-stack': {
    lkdtt: null,
    lkdtm: 'CORRUPT_STACK',
    detector: 'stack-protector',
    safety: 'corrupts',
    contexts: anywhere,
    sleeps: false,
    sysctls: {},
    hangs: false,
    atCrash: {},
    log: /stack-protector: Kernel stack is corrupted/,
    what: 'overwrites its own stack frame',
  },
  'external-nmi': {
    lkdtt: null,
    lkdtm: null,
    detector: 'nmi',
    safety: 'stops',
    contexts: ['task'],
    sleeps: true,
    sysctls: { unknown_nmi_panic: 1 },
    hangs: false,
    atCrash: {},
    log: /NMI: Not continuing|Kernel panic - not syncing: NMI/,
    what: 'an NMI from outside, while the kernel is otherwise healthy',
  },
} as const satisfies Record<string, CrashTypeRow>;
export type CrashType = keyof typeof crashTypes;

/** What is set up, before arming, to notice the crash: types that differ only in this are one function of the module. */
export const setUps = {
  panic: { sysctls: null, what: 'the sysctls by which this crash type becomes a panic' },
  defaults: { sysctls: {}, what: 'nothing: as the distribution ships it' },
  'rcu-stall': { sysctls: { panic_on_rcu_stall: 1 }, what: 'the other processors notice by an RCU stall' },
  'watchdog-nmi': {
    sysctls: { unknown_nmi_panic: 1 },
    what: 'the hardware watchdog sends an NMI before it would reset',
  },
} as const satisfies Record<string, { readonly sysctls: Sysctls | null; readonly what: string }>;
export type SetUp = keyof typeof setUps;

/** The sysctls that a set-up wants for a crash type. */
export function sysctlsOf(type: CrashType, setUp: SetUp): Sysctls {
  return setUps[setUp].sysctls ?? crashTypes[type].sysctls;
}
