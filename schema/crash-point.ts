/**
 * Crash points: the execution contexts and code paths in which a crash happens. The kernel module's table and its own
 * listing are compared with this one by a test.
 */

/** The execution context at a crash point: the innermost one. A hard interrupt may have come over a soft one. */
export const contexts = {
  task: 'a process or a kernel thread',
  softirq: 'a soft interrupt, or bottom half',
  hardirq: 'a hard interrupt',
  nmi: 'a non-maskable interrupt',
} as const;
export type Context = keyof typeof contexts;

/** Whose task was running. In interrupts it is the interrupted one. */
export const taskKinds = {
  user: 'a process',
  kthread: 'a kernel thread of another kind',
  kworker: 'a worker of a workqueue',
  'irq-thread': 'the thread of an interrupt',
  ksoftirqd: 'the thread of soft interrupts',
  idle: 'the idle task',
} as const;
export type TaskKind = keyof typeof taskKinds;

/** What a crash point must be given, by the module's own keys: it fires on this one only. */
export const needs = {
  device: 'a disk, MAJOR:MINOR',
  interface: 'a network interface, by name',
  pci: 'a PCI device, by address',
} as const;
export type Need = keyof typeof needs;

/** What makes a machine that does nothing else hit a crash point. */
export const stimuli = {
  module: 'the module itself: nothing else is needed',
  disk: 'requests to the disk under test',
  ata: 'an ATA ioctl on the disk under test',
  net: 'packets through the chosen interface',
  reclaim: 'memory in short supply',
} as const;
export type Stimulus = keyof typeof stimuli;

interface CrashPointRow {
  /** LKDTT's name for it (OLS 2006), or null where LKDTT had none. */
  readonly lkdtt: string | null;
  /** Which contexts it may fire in; under PREEMPT_RT, where handlers may run in threads, `rtContexts` if that differs. */
  readonly contexts: readonly Context[];
  readonly rtContexts?: readonly Context[];
  /** Whether interrupts are off there; null where both occur. */
  readonly irqsOff: boolean | null;
  /** The kinds of task that it may fire in; left out where any may have been interrupted. */
  readonly tasks?: readonly TaskKind[];
  readonly needs: Need | null;
  /** Whether the context may sleep: crash types that wait make sense only there. */
  readonly maySleep: boolean;
  readonly stimulus: Stimulus;
  readonly where: string;
}

/** Every crash point of the survey. */
export const crashPoints = {
  direct: {
    lkdtt: null,
    contexts: ['task'],
    irqsOff: false,
    tasks: ['user'],
    needs: null,
    maySleep: true,
    stimulus: 'module',
    where: 'process context, from the control file',
  },
  'irq-entry': {
    lkdtt: 'INT_HARDWARE_ENTRY',
    contexts: ['hardirq'],
    irqsOff: true,
    needs: null,
    maySleep: false,
    stimulus: 'disk',
    where: 'entry of a hard interrupt, not yet acknowledged, interrupts off',
  },
  'irq-handler': {
    lkdtt: 'INT_HW_IRQ_EN',
    contexts: ['hardirq'],
    irqsOff: true,
    needs: null,
    maySleep: false,
    stimulus: 'disk',
    where: 'dispatch of an interrupt handler',
  },
  'tasklet-entry': {
    lkdtt: 'INT_TASKLET_ENTRY',
    contexts: ['softirq'],
    irqsOff: false,
    needs: null,
    maySleep: false,
    stimulus: 'module',
    where: 'before tasklet work',
  },
  tasklet: {
    lkdtt: 'TASKLET',
    contexts: ['softirq'],
    irqsOff: false,
    needs: null,
    maySleep: false,
    stimulus: 'module',
    where: 'in the middle of tasklet work',
  },
  'block-submit': {
    lkdtt: 'FS_DEVRW',
    contexts: ['task'],
    irqsOff: false,
    needs: 'device',
    maySleep: false,
    stimulus: 'disk',
    where: 'block layer submission',
  },
  swapout: {
    lkdtt: 'MEM_SWAPOUT',
    contexts: ['task'],
    irqsOff: false,
    needs: null,
    maySleep: false,
    stimulus: 'reclaim',
    where: 'reclaim of pages',
  },
  timer: {
    lkdtt: 'TIMERADD',
    contexts: ['softirq'],
    irqsOff: false,
    needs: null,
    maySleep: false,
    stimulus: 'module',
    where: "expiry of a timer of the wheel; LKDTT's was the start of one",
  },
  'scsi-dispatch': {
    lkdtt: 'SCSI_DISPATCH_CMD',
    contexts: ['task', 'softirq'],
    irqsOff: false,
    needs: 'device',
    maySleep: false,
    stimulus: 'disk',
    where: 'SCSI command dispatch',
  },
  'ata-ioctl': {
    lkdtt: 'IDE_CORE_CP',
    contexts: ['task'],
    irqsOff: false,
    tasks: ['user'],
    needs: 'device',
    maySleep: false,
    stimulus: 'ata',
    where: 'the ATA successor of the IDE ioctl path',
  },
  softirq: {
    lkdtt: null,
    contexts: ['softirq'],
    irqsOff: false,
    needs: null,
    maySleep: false,
    stimulus: 'module',
    where: 'entry of a softirq',
  },
  workqueue: {
    lkdtt: null,
    contexts: ['task'],
    irqsOff: false,
    tasks: ['kworker'],
    needs: null,
    maySleep: true,
    stimulus: 'module',
    where: 'a work item in a kworker',
  },
  'threaded-irq': {
    lkdtt: null,
    contexts: ['task'],
    irqsOff: false,
    tasks: ['irq-thread'],
    needs: null,
    maySleep: true,
    stimulus: 'module',
    where: 'the thread of an interrupt handler',
  },
  nmi: {
    lkdtt: null,
    contexts: ['nmi'],
    irqsOff: true,
    needs: null,
    maySleep: false,
    stimulus: 'module',
    where: 'an NMI handler',
  },
  'net-xmit': {
    lkdtt: null,
    contexts: ['task', 'softirq'],
    irqsOff: false,
    needs: 'interface',
    maySleep: false,
    stimulus: 'net',
    where: 'transmit on the chosen network interface',
  },
  'net-poll': {
    lkdtt: null,
    contexts: ['softirq', 'task'],
    irqsOff: false,
    needs: 'interface',
    maySleep: false,
    stimulus: 'net',
    where: 'NAPI poll of the chosen network interface',
  },
  'block-dispatch': {
    lkdtt: null,
    contexts: ['task', 'softirq'],
    irqsOff: false,
    needs: 'device',
    maySleep: false,
    stimulus: 'disk',
    where: 'a request handed to the driver of the chosen disk',
  },
  'driver-irq': {
    lkdtt: null,
    contexts: ['hardirq'],
    rtContexts: ['task'],
    irqsOff: null,
    needs: 'pci',
    maySleep: false,
    stimulus: 'disk',
    where: "entry of the chosen device's own interrupt handler",
  },
} as const satisfies Record<string, CrashPointRow>;
export type CrashPoint = keyof typeof crashPoints;

/** The contexts that a crash point may fire in, without and with PREEMPT_RT. */
export function contextsOf(point: CrashPoint, realtime: boolean): readonly Context[] {
  const row: CrashPointRow = crashPoints[point];
  return (realtime ? row.rtContexts : undefined) ?? row.contexts;
}
