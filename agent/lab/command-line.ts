/** What guests are told: QEMU's command line, the first kernel's, the capture kernel's, and the order to plant. Pure. */
import type { Need, Stimulus } from '../../schema/crash-point.ts';
import type { Sysctls } from '../../schema/crash-type.ts';
import { armedLine, canaryLines } from '../../schema/log-canary.ts';
import type { TriggeredBy } from '../../schema/scenario.ts';
import { build, type LabMachine } from './machines.ts';

/**
 * The bare arm: no reset_devices. `panic=5` ends a capture kernel that panics; the early console shows its first
 * line even where it dies before its drivers start.
 */
export function captureCommandLine(): string {
  return [
    'console=ttyS0',
    'earlyprintk=ttyS0,115200',
    'nr_cpus=1',
    'panic=5',
    `ds.dump_at=${build.dumpAtBytes}`,
  ].join(' ');
}

/** The words that first.sh reads. */
export interface GuestOrders {
  readonly mode: 'trial' | 'bare';
  readonly point?: string;
  readonly type?: string;
  /** What pulls the trigger, and LKDTM's own name of the crash type. */
  readonly trigger?: TriggeredBy;
  readonly lkdtm?: string | null;
  /** The key that the crash point needs, and what makes an idle machine hit it. */
  readonly needs?: Need | null;
  readonly stimulus?: Stimulus;
  readonly load?: string;
  readonly inFlightMin?: number;
  readonly sysctls?: Sysctls;
  readonly watchdogMs?: number;
}

/** The first kernel's command line. */
export function firstCommandLine(machine: LabMachine, orders: GuestOrders): string {
  const sysctls = Object.entries(orders.sysctls ?? {}).map(([name, value]) => `${qualified(name)}=${value}`);
  return [
    'console=ttyS0',
    'loglevel=5',
    'panic=5',
    `crashkernel=${build.crashKernelMib}M`,
    `ds.mode=${orders.mode}`,
    `ds.disk=${machine.disk}`,
    `ds.point=${orders.point ?? ''}`,
    `ds.type=${orders.type ?? ''}`,
    `ds.trigger=${orders.trigger ?? 'crashpoint'}`,
    `ds.lkdtm=${orders.lkdtm ?? ''}`,
    `ds.needs=${orders.needs ?? ''}`,
    `ds.stimulus=${orders.stimulus ?? ''}`,
    `ds.interface=${machine.card?.interface ?? ''}`,
    `ds.load=${orders.load ?? ''}`,
    `ds.inflight=${orders.inFlightMin ?? 0}`,
    `ds.sysctls=${sysctls.join(',')}`,
    `ds.load_at_mib=${build.loadAtMib}`,
    `ds.patience_s=${build.patienceMs / 1000}`,
    `ds.watchdog_s=${(orders.watchdogMs ?? build.watchdogMs) / 1000}`,
  ].join(' ');
}

/** The full name of a sysctl: `kernel.` is left out in the catalogue. */
export function qualified(name: string): string {
  return name.includes('.') ? name : `kernel.${name}`;
}

/** What QEMU is started with, besides its channels. `disk` is a raw image; `iops` limits its requests a second. */
export function qemuArguments(
  machine: LabMachine,
  boot: {
    readonly kernel: string;
    readonly initrd: string;
    readonly commandLine: string;
    readonly memoryMib: number;
    readonly processors: number;
    readonly disk: string;
    readonly iops: number | null;
    /** What the hardware watchdog does: it resets, or sends an NMI. */
    readonly watchdog?: 'reset' | 'inject-nmi';
  },
): string[] {
  const throttle = boot.iops === null ? '' : `,throttling.iops-total=${boot.iops}`;
  return [
    ...['-accel', 'tcg,thread=single', '-cpu', 'qemu64', '-machine', machine.board],
    ...['-m', String(boot.memoryMib), '-smp', String(boot.processors)],
    ...['-nodefaults', '-display', 'none', '-no-reboot'],
    ...['-device', 'i6300esb', '-action', `watchdog=${boot.watchdog ?? 'reset'}`],
    ...[
      '-drive',
      `file=${boot.disk.replaceAll(',', ',,')},format=raw,if=none,id=disk0,cache=unsafe${throttle}`,
    ],
    ...machine.devices,
    ...(machine.card?.devices ?? []),
    ...['-kernel', boot.kernel, '-initrd', boot.initrd, '-append', boot.commandLine],
  ];
}

/** What a guest is to plant, and whether the mechanism under test is to be armed beside it. */
export interface PlantOrder {
  /** The ticket's. */
  readonly nonce: string;
  /** A control trial: the capture kernel is not loaded, on purpose. */
  readonly control?: boolean;
}

/** The lines that first.sh waits for once it has said what the machine is. Without the module, those for the log follow. */
export function plantLines({ nonce, control = false }: PlantOrder, triggeredBy: TriggeredBy): string {
  const order = `${control ? 'control' : 'plant'} ${nonce}`;
  if (triggeredBy === 'crashpoint') return order;
  const lines = [armedLine(nonce), ...canaryLines(nonce)].map((line) => `line ${line}`);
  return [order, ...lines, 'end'].join('\n');
}
