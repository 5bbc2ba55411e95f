/** The evidence of a trial that was announced and never armed: nothing happened, and that is said. */
import type { Evidence } from '../../schema/evidence.ts';

export function neverArmedEvidence(why: string): Evidence {
  return {
    channel: { name: 'none', could_see: [], saw: [] },
    trigger: null,
    at_crash: null,
    survived: null,
    dump: null,
    watchdog: { present: false, fired: false, timeout_ms: 0 },
    exit: 'lost',
    harness_fault: why.slice(0, 300),
    crash_log: [],
    capture_log: [],
    duration_ms: 0,
    after_reboot: null,
  };
}
