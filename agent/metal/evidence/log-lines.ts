/**
 * What of a kernel's log may leave a real machine: lines of a closed grammar (DESIGN 9). A line becomes the name of what
 * went wrong, in words of our own, or a frame of a stack trace; everything else of it stays, for it may hold names of
 * hosts, volumes and people.
 */
import { type Symptom, symptomOf } from '../../../schema/classify/symptom.ts';
import { parseTrigger } from '../../trial/module-lines.ts';

/** Each symptom in words that `symptomOf` knows again. */
const words: Readonly<Record<Symptom, string>> = {
  'out-of-memory': 'Out of memory',
  'no-space': 'No space left on device',
  'module-missing': 'dumpsurvey: module needed is missing',
  'null-dereference': 'BUG: kernel NULL pointer dereference',
  'bad-paging-request': 'BUG: unable to handle page fault',
  'stack-guard-page': 'BUG: stack guard page was hit',
  'double-fault': 'double fault',
  bug: 'kernel BUG at a line',
  'general-protection-fault': 'general protection fault',
  'soft-lockup': 'BUG: soft lockup',
  'hard-lockup': 'hard LOCKUP',
  'rcu-stall': 'rcu: detected stalls',
  'hung-task': 'task blocked for more than 120 seconds',
  'irq-nobody-cared': 'irq: nobody cared',
  'command-timeout': 'command timed out',
  'io-error': 'I/O error',
  'target-missing': 'dumpsurvey: target of the dump missing',
  'makedumpfile-failed': 'dumpsurvey: makedumpfile failed',
  panic: 'Kernel panic - not syncing',
};

/** `function+0x1/0x2 [module]`, with the words that say whose frame it is; guesses of the unwinder are none. */
const frame =
  /^(?:<\d>)?(?:\[[^\]]{1,40}\]\s*){0,3}\s*((?:RIP: [\da-f]{4}:)?[A-Za-z_][\w.]{0,120}\+0x[\da-f]{1,8}\/0x[\da-f]{1,8}(?: \[\w{1,60}\])?)/;
/** A handler of an interrupt that nobody cared for. The address is a hash of the kernel's. */
const handler = /\[<[\da-f]{1,16}>\] ([A-Za-z_][\w.]{0,120}(?: \[\w{1,60}\])?)/;
const traceEnd = /<\/IRQ>|---\[ end trace/;

/** What of one line may leave the machine, or null. */
function allowed(line: string): string | null {
  const found = frame.exec(line)?.[1];
  if (found !== undefined) return ` ${found}`;
  const handles = handler.exec(line)?.[1];
  if (handles !== undefined) return `[<0>] ${handles}`;
  const end = traceEnd.exec(line)?.[0];
  if (end !== undefined) return end;
  const symptom = symptomOf([line]);
  return symptom === null ? null : words[symptom];
}

/** The lines that may leave the machine, in order, without repeats next to each other; at most `most`. */
export function allowedLines(lines: readonly string[], most: number): string[] {
  const kept: string[] = [];
  for (const line of lines) {
    const text = allowed(line.slice(0, 400));
    if (text !== null && text !== kept.at(-1)) kept.push(text);
    if (kept.length === most) break;
  }
  return kept;
}

/** So many of a log's last lines are those of a crash whose trigger was not kept. */
const tailLines = 80;

/** The lines from this trial's trigger on; the last ones where it is not among them. */
export function fromTrigger(lines: readonly string[], nonce: string): readonly string[] {
  const at = lines.findIndex((line) => parseTrigger(line)?.nonce === nonce);
  return lines.slice(at < 0 ? -tailLines : at);
}
