/**
 * What really happened to each trial, from the serial console, which the agent in the guest never sees: the module's trigger
 * line, the capture kernel's command line, and what kdump-tools says. Reports are held against it. Pure.
 */
import { mechanisms, type Stage } from '../../../schema/vocabulary.ts';

const order: readonly Stage[] = mechanisms.kdump.stages;

/** What one power-on of a machine showed. */
export interface Seen {
  /** How often each nonce fired. */
  readonly firings: ReadonlyMap<string, number>;
  /** The farthest stage that the console proves of each nonce that fired. */
  readonly reached: ReadonlyMap<string, Stage>;
}

const trigger = /crashpoint: v=\d+ nonce=([0-9a-f]{32}) point=/;
/** In the order in which they appear after a trigger. The firmware's line ends what follows from it. */
const marks: readonly { readonly stage: Stage; readonly line: RegExp }[] = [
  { stage: 'handed_over', line: /Command line: .*kdump-tools-dump\.service/ },
  { stage: 'capture_booted', line: /Starting kdump-tools|kdump-tools\[\d+\]: / },
  { stage: 'target_ready', line: /running makedumpfile -F/ },
  { stage: 'dump_written', line: /saved vmcore in / },
];
const firmware = /SeaBIOS|Booting from Hard Disk|GNU GRUB|Command line: BOOT_IMAGE=(?!.*kdump-tools-dump)/;

/** Reads the console of one power-on, from the switch to the cut. */
export function seenOn(console: readonly string[]): Seen {
  const firings = new Map<string, number>();
  const reached = new Map<string, Stage>();
  let current: string | null = null;
  for (const line of console) {
    const nonce = trigger.exec(line)?.[1];
    if (nonce !== undefined) {
      firings.set(nonce, (firings.get(nonce) ?? 0) + 1);
      reached.set(nonce, 'fired');
      current = nonce;
    } else if (firmware.test(line)) current = null;
    else if (current !== null) {
      const mark = marks.findLast((m) => m.line.test(line));
      const before = reached.get(current) ?? 'fired';
      if (mark && order.indexOf(mark.stage) > order.indexOf(before)) reached.set(current, mark.stage);
    }
  }
  return { firings, reached };
}

/** What several power-ons showed together. */
export function together(all: readonly Seen[]): Seen {
  const firings = new Map<string, number>();
  const reached = new Map<string, Stage>();
  for (const seen of all) {
    for (const [nonce, count] of seen.firings) firings.set(nonce, (firings.get(nonce) ?? 0) + count);
    for (const [nonce, stage] of seen.reached) {
      const before = reached.get(nonce);
      if (before === undefined || order.indexOf(stage) > order.indexOf(before)) reached.set(nonce, stage);
    }
  }
  return { firings, reached };
}

/** What the survey has of a trial, as far as it is judged. */
export interface Claimed {
  readonly nonce: string;
  /** Whether it was armed, by the machine's own journal. */
  readonly isArmed: boolean;
  readonly reports: readonly {
    readonly result: string;
    readonly reached: { readonly proven: Stage | null; readonly excluded: Stage | null };
  }[];
}

/** In what a trial was lost, doubled, or reported as what it was not. Empty where all is well. */
export function faultsOf({ nonce, isArmed, reports }: Claimed, truth: Seen): string[] {
  const faults: string[] = [];
  const fired = truth.firings.get(nonce) ?? 0;
  const really = truth.reached.get(nonce) ?? 'armed';
  if (fired > 1) faults.push(`run ${fired} times`);
  if (reports.length > 1) faults.push(`reported ${reports.length} times`);
  if ((isArmed || fired > 0) && reports.length === 0) faults.push('lost: armed, and never reported');
  for (const { result, reached } of reports) {
    const { proven, excluded } = reached;
    if (proven !== null && order.indexOf(proven) > order.indexOf('fired') && fired === 0)
      faults.push(`said to have reached ${proven}, and it never fired`);
    if (proven === 'fired' && fired === 0) faults.push('said to have fired, and it never did');
    if (excluded !== null && order.indexOf(really) >= order.indexOf(excluded))
      faults.push(`said not to have reached ${excluded}, and the console shows ${really}`);
    if (result === 'captured' && really !== 'dump_written')
      faults.push(`said to be captured, and the console shows ${really}`);
  }
  return faults;
}
