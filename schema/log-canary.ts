/**
 * What is planted where the survey's kernel module is not: lines in the kernel's log, written through /dev/kmsg.
 * Their contents follow from the nonce, so that a dump whose log holds them unchanged is a dump of this trial; and
 * the line of whatever pulled the trigger, behind them, says that it fired. Fewer kinds of memory are sampled than
 * with the module: the log's own pages.
 */
import { toHex } from './bytes.ts';
import { canaryBytes } from './canary.ts';
import type { TriggeredBy } from './scenario.ts';

/** A trial whose trigger is not the module's. */
export interface LogPlan {
  readonly nonce: string;
  readonly triggeredBy: Exclude<TriggeredBy, 'crashpoint'>;
}

const lineCount = 8;
const firstIndex = 0x40;
/** Twice as many digits: with its prefix a line stays well below LOG_LINE_MAX (kernel/printk/printk.c). */
const lineBytes = 192;

/** The line that says that a trial is armed. */
export function armedLine(nonce: string): string {
  return `dumpsurvey: armed nonce=${nonce}`;
}

/** The lines whose contents the verifier knows, in the order in which they are written. */
export function canaryLines(nonce: string): string[] {
  return Array.from({ length: lineCount }, (_, i) => {
    const contents = toHex(canaryBytes(nonce, firstIndex + i, lineBytes));
    return `dumpsurvey: canary=${i} ${contents}`;
  });
}

/** What a trigger prints just before it crashes (drivers/tty/sysrq.c, drivers/misc/lkdtm/core.c). */
export const firedLines = {
  sysrq: /\bsysrq: Trigger a crash$/,
  lkdtm: /\blkdtm: Performing direct entry [A-Z_]+$/,
} as const satisfies Record<LogPlan['triggeredBy'], RegExp>;

/** What was found of a plan in the log of a dump. */
export interface LogFinding {
  readonly armed: boolean;
  /** The trigger's line stands behind the one that armed this trial. */
  readonly fired: boolean;
  readonly otherTrial: boolean;
  readonly good: number;
  readonly changed: number;
  readonly missing: number;
}

/** Looks for a plan's lines in a log. `lines` are whole lines, in order, with or without time stamps. */
export function findInLog(lines: Iterable<string>, plan: LogPlan): LogFinding {
  const wanted = canaryLines(plan.nonce);
  const seen = new Map<number, boolean>();
  let armed = false;
  let fired = false;
  let otherTrial = false;
  for (const line of lines) {
    const said = line.indexOf('dumpsurvey: ');
    const text = said < 0 ? '' : line.slice(said);
    const canary = /^dumpsurvey: canary=(\d+) /.exec(text)?.[1];
    if (canary !== undefined) {
      const index = Number(canary);
      if (index < lineCount) seen.set(index, (seen.get(index) ?? false) || text === wanted[index]);
    } else if (text.startsWith('dumpsurvey: armed nonce=')) {
      if (text === armedLine(plan.nonce)) armed = true;
      else otherTrial = true;
    } else if (armed && firedLines[plan.triggeredBy].test(line)) fired = true;
  }
  const good = [...seen.values()].filter(Boolean).length;
  return { armed, fired, otherTrial, good, changed: seen.size - good, missing: lineCount - seen.size };
}
