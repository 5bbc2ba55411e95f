/** What a kernel log says went wrong: a symptom by name, and the top frames, without what differs from run to run. */

/**
 * Symptoms, the most telling first. Each pattern follows the words that the kernel or a driver prints when it
 * happens; what they print on every boot must not match (`Shutdown timeout set to 8 seconds`, `RCU CPU stall
 * warnings timeout set to 21`, a command line with `nvme_core.io_timeout=255`).
 */
const symptomPatterns = [
  ['out-of-memory', /Out of memory|oom-kill|System is deadlocked on memory/i],
  ['no-space', /No space left on device/i],
  ['module-missing', /dumpsurvey: module .* (missing|refused)/],
  ['null-dereference', /NULL pointer dereference/i],
  ['bad-paging-request', /unable to handle (kernel paging request|page fault)/i],
  ['stack-guard-page', /stack guard page was hit/i],
  ['double-fault', /double fault/i],
  ['bug', /kernel BUG at|invalid opcode/i],
  ['general-protection-fault', /general protection fault/i],
  ['soft-lockup', /soft lockup/i],
  ['hard-lockup', /hard LOCKUP/i],
  ['rcu-stall', /detected (expedited )?stalls?\b|self-detected stall|syncing: RCU Stall/],
  ['hung-task', /blocked for more than \d+ seconds/],
  ['irq-nobody-cared', /nobody cared/i],
  [
    'command-timeout',
    /timed[ -]?out|\btimeout(,|\.?$| after | waiting | is detected| \(cmd )|aborting c(md|ommand)|not ready; aborting|task abort|(?<!skipping global )host reset|not responding/i,
  ],
  ['io-error', /I\/O error|Input\/output error|failed command|dumpsurvey: target .* unreadable/i],
  ['target-missing', /dumpsurvey: target .* missing/],
  ['makedumpfile-failed', /dumpsurvey: makedumpfile failed/],
  ['panic', /Kernel panic/],
] as const satisfies readonly (readonly [string, RegExp])[];
export type Symptom = (typeof symptomPatterns)[number][0];

/** The most telling symptom in these lines, with the index of the first line that shows it, or null. */
function firstSymptom(lines: readonly string[]): { readonly name: Symptom; readonly at: number } | null {
  for (const [name, pattern] of symptomPatterns) {
    const at = lines.findIndex((line) => pattern.test(line));
    if (at >= 0) return { name, at };
  }
  return null;
}

/** The most telling symptom in these lines, or null. */
export function symptomOf(lines: readonly string[]): Symptom | null {
  return firstSymptom(lines)?.name ?? null;
}

/** A frame of a stack trace: `function+0x1/0x2 [module]`, behind a time stamp, `RIP: 0010:` or nothing. Frames marked `?` are guesses of the unwinder. */
const framePattern =
  /^(?:\[[\s\d.]+\]\s*)?(?:\[\s*[CT]\d+\]\s*)?\s*(?:RIP: [\da-f]{4}:)?([A-Za-z_][\w.]*)\+0x[\da-f]+\/0x[\da-f]+(?:\s+\[(\w+)\])?/;

/** A handler of an interrupt that nobody cared for: `[<address>] function [module]`. Its trace is only of what was interrupted. */
const handlerPattern = /\[<[\da-f]+>\] ([A-Za-z_][\w.]*)(?:\s+\[(\w+)\])?/;

/** What ends a trace: behind it stands what was interrupted, or the registers once more. */
const traceEnd = /<\/IRQ>|---\[ end trace/;

/** Frames that every crash goes through: they say nothing about the cause. */
const plumbing =
  /^(dump_stack|show_stack|panic|die|oops_|__die|exc_|asm_|page_fault|no_context|__warn|report_bug|handle_bug|ret_from_fork|kthread$|entry_|do_syscall|__x64_sys|x64_sys|secondary_startup|start_secondary|cpu_startup_entry|do_idle|default_idle)/;

/** `function [module]` without compiler suffixes, so that the same fault has the same frame on each build. */
function normalise(name: string, module: string | undefined): string {
  const stem = name.replace(/\.(isra|constprop|part|cold|llvm)\b.*$/, '');
  return module ? `${stem} [${module}]` : stem;
}

/** The frame that a line shows, or null. */
function frameIn(line: string, pattern = framePattern): string | null {
  const match = pattern.exec(line);
  return !match?.[1] || plumbing.test(match[1]) ? null : normalise(match[1], match[2]);
}

/**
 * The top frames of the stack trace at the most telling symptom, or of the first trace where there is no symptom;
 * at most `most`, without repeats next to each other.
 */
export function topFrames(lines: readonly string[], most = 3): string[] {
  const symptom = firstSymptom(lines);
  const pattern = symptom?.name === 'irq-nobody-cared' ? handlerPattern : framePattern;
  const frames: string[] = [];
  for (const line of lines.slice(symptom?.at ?? 0)) {
    if (frames.length === most || (frames.length > 0 && traceEnd.test(line))) break;
    const frame = frameIn(line, pattern);
    if (frame !== null && frames.at(-1) !== frame) frames.push(frame);
  }
  return frames;
}

/** The index of the first line that says what went wrong: the most telling symptom, or else a frame; null where none does. */
export function tellingLine(lines: readonly string[]): number | null {
  const at = firstSymptom(lines)?.at ?? lines.findIndex((line) => frameIn(line) !== null);
  return at < 0 ? null : at;
}
