/** The few lines of a report's logs that say most about a failure. */
import type { Evidence } from '../../schema/evidence.ts';

/** What kernels print when something goes wrong, and the programs of a capture environment. */
const telling =
  /\b(BUG|Oops|panic|RIP|Call Trace|nobody cared|NULL pointer|general protection|lockup|stall|timed? ?out|reset(ting)? failed|I\/O error|no space|out of memory|unable to|cannot|failed|failure|error|not found)\b/i;

function excerpt(log: readonly string[], limit: number): readonly string[] {
  const first = log.findIndex((line) => telling.test(line));
  if (first < 0) return log.slice(-limit);
  const start = Math.max(0, Math.min(first - 1, log.length - limit));
  return log.slice(start, start + limit);
}

/**
 * At most `limit` lines in their order: of the capture kernel's log from the first that tells of a fault, or its
 * end where none does; of the crashing kernel's log where the capture kernel left nothing.
 */
export function evidenceLines(
  evidence: Pick<Evidence, 'crash_log' | 'capture_log'>,
  limit = 12,
): readonly string[] {
  return excerpt(evidence.capture_log.length > 0 ? evidence.capture_log : evidence.crash_log, limit);
}
