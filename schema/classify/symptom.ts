/** What a kernel log says went wrong: a symptom by name, and the top frames, without what differs from run to run. */

/** Symptoms, the most telling first: the first that any line matches is taken. */
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
  ['rcu-stall', /rcu.*(stall|detected)/i],
  ['irq-nobody-cared', /nobody cared/i],
  ['command-timeout', /timed out|timeout|aborting cmd|task abort|host reset|not responding/i],
  ['io-error', /I\/O error|Buffer I\/O|failed command/i],
  ['target-missing', /dumpsurvey: target .* missing/],
  ['panic', /Kernel panic/],
] as const satisfies readonly (readonly [string, RegExp])[];
export type Symptom = (typeof symptomPatterns)[number][0];

/** The most telling symptom in these lines, or null. */
export function symptomOf(lines: readonly string[]): Symptom | null {
  for (const [name, pattern] of symptomPatterns) {
    if (lines.some((line) => pattern.test(line))) return name;
  }
  return null;
}

/** A frame of a stack trace: `function+0x1/0x2 [module]`, behind a time stamp, `RIP: 0010:` or nothing. Frames marked `?` are guesses of the unwinder. */
const framePattern =
  /^(?:\[[\s\d.]+\]\s*)?(?:\[\s*[CT]\d+\]\s*)?\s*(?:RIP: [\da-f]{4}:)?([A-Za-z_][\w.]*)\+0x[\da-f]+\/0x[\da-f]+(?:\s+\[(\w+)\])?/;

/** Frames that every crash goes through: they say nothing about the cause. */
const plumbing =
  /^(dump_stack|show_stack|panic|die|oops_|__die|exc_|asm_|page_fault|no_context|__warn|report_bug|handle_bug|ret_from_fork|kthread$|entry_|do_syscall|__x64_sys|x64_sys|secondary_startup|start_secondary|cpu_startup_entry|do_idle|default_idle)/;

/** `function [module]` without compiler suffixes, so that the same fault has the same frame on each build. */
function normalise(name: string, module: string | undefined): string {
  const stem = name.replace(/\.(isra|constprop|part|cold|llvm)\b.*$/, '');
  return module ? `${stem} [${module}]` : stem;
}

/** The top frames of the first stack trace in these lines, at most `most`, without repeats next to each other. */
export function topFrames(lines: readonly string[], most = 3): string[] {
  const frames: string[] = [];
  for (const line of lines) {
    const match = framePattern.exec(line);
    if (!match?.[1] || plumbing.test(match[1])) continue;
    const frame = normalise(match[1], match[2]);
    if (frames.at(-1) !== frame) frames.push(frame);
    if (frames.length === most) break;
  }
  return frames;
}
