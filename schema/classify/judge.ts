/** The verdict on a dump, from what the verifier found in it (DESIGN 4: success, completeness, accuracy). */
import type { DumpFinding, Evidence } from '../evidence.ts';
import { type Verdict, type VerdictReason, verdictReasons } from '../vocabulary.ts';

/** A verdict and the one reason that decided it. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: VerdictReason;
}

/** The dump formats that no current kernel writes: recognised, not verified. */
const unsupported: readonly DumpFinding['format'][] = ['diskdump', 'lkcd', 'netdump', 'mkdump'];

/**
 * The first rule that applies decides. Identity comes before completeness (a whole dump of another crash is
 * foreign, not incomplete), completeness before accuracy.
 */
function reasonOf(f: DumpFinding): VerdictReason {
  if (f.format === 'empty') return 'empty';
  if (f.format === 'unknown') return 'no-dump-magic';
  if (unsupported.includes(f.format)) return 'unsupported-format';
  if (f.armed === 'other-trial' || f.fired === 'other-trial') return 'other-trial';
  if (f.armed === 'present' && f.fired === 'unfired') return 'armed-not-fired';
  if (f.truncated) return 'truncated';
  if (f.fault !== null) return 'malformed';
  if (f.incomplete_flag) return 'incomplete-flag';
  if (f.pages.promised === 0 || f.pages.present < f.pages.promised) return 'pages-missing';
  if (f.armed === 'missing' || f.fired === 'missing') return 'records-missing';
  if (f.armed === 'absent' || f.fired === 'absent') return 'other-trial';
  if (f.canaries.planted === 0 || f.canaries.missing > 0) return 'canaries-missing';
  if (f.pages.undecodable > 0) return 'pages-undecodable';
  if (f.armed === 'changed' || f.fired !== 'present') return 'record-changed';
  if (f.canaries.changed > 0 || f.canaries.good !== f.canaries.planted) return 'canaries-changed';
  if (f.vmcoreinfo !== 'resolved') return 'vmcoreinfo-unresolved';
  if (f.log_lines === null || f.log_lines === 0) return 'log-unresolved';
  return 'verified';
}

/** The verdict on a dump. Pure; the agent and the server must agree on it. */
export function judgeDump(finding: DumpFinding): Judgement {
  const reason = reasonOf(finding);
  return { verdict: verdictReasons[reason], reason };
}

/**
 * The verdict on the dump of a trial; null where there is none. A dump that another machine received is only as good
 * as that machine's word: without it nobody has looked.
 */
export function judgeEvidence({
  dump,
  after_reboot: found,
}: Pick<Evidence, 'dump' | 'after_reboot'>): Judgement | null {
  if (found?.dump_state === 'elsewhere' && found.receiver === null)
    return { verdict: verdictReasons.elsewhere, reason: 'elsewhere' };
  return dump && judgeDump(dump);
}
