/** The report of a trial: evidence, and the outcome that follows from it, under the ticket's own words. */
import { classify } from '../../schema/classify/classify.ts';
import type { Evidence } from '../../schema/evidence.ts';
import type { VersionOf } from '../../schema/payload-versions.ts';
import type { TriggeredBy } from '../../schema/scenario.ts';
import type { Population } from '../../schema/vocabulary.ts';
import { type ReportBody, reportBody, type Ticket } from '../../schema/wire.ts';
import { agentVersion } from '../version.ts';

export interface TrialFacts {
  /** The newest that the survey takes, too. */
  readonly version: VersionOf<'report'>;
  /** Who signs: the key that the ticket was issued to, or its successor. */
  readonly machine: string;
  readonly ticket: Ticket;
  readonly population: Population;
  readonly triggeredBy: TriggeredBy;
  readonly emulator: string | null;
  readonly sysctls: Readonly<Record<string, number>>;
  /** Null where the trial was never armed. */
  readonly armedAt: string | null;
  readonly evidence: Evidence;
  readonly nowMs: number;
}

/** Builds the report's body. Throws a ZodError where evidence does not fit: that is a bug of the agent. */
export function reportOf(facts: TrialFacts): ReportBody {
  const { ticket, evidence } = facts;
  return reportBody.parse({
    ...versioned(facts),
    machine: facts.machine,
    nonce: ticket.nonce,
    profile_sha256: ticket.profile_sha256,
    population: facts.population,
    scenario: ticket.scenario,
    mechanism: ticket.mechanism,
    environment: ticket.environment,
    triggered_by: facts.triggeredBy,
    sysctls: facts.sysctls,
    agent_version: agentVersion,
    emulator: facts.emulator,
    armed_at: facts.armedAt,
    reported_at: new Date(facts.nowMs).toISOString(),
    outcome: classify(evidence, ticket.scenario, ticket.mechanism),
  });
}

/** The fields that differ between versions. Throws where a version has no words for what was seen. */
function versioned({ version, evidence }: Pick<TrialFacts, 'version' | 'evidence'>): object {
  const { after_reboot: found = null, ...watched } = evidence;
  if (version === '1.2') return { version, amends: null, evidence: { ...watched, after_reboot: found } };
  if (found !== null) {
    throw new Error(
      `A report of version ${version} cannot say what was found after a reboot. The survey takes no newer one: ask its operator to upgrade it; the report is kept.`,
    );
  }
  return version === '1.1' ? { version, amends: null, evidence: watched } : { version, evidence: watched };
}

/** The evidence of a trial that was armed when the agent was killed: nothing is known, and that is said. */
export function interruptedEvidence(watchdogMs: number): Evidence {
  return {
    channel: { name: 'none', could_see: [], saw: [] },
    trigger: null,
    at_crash: null,
    survived: null,
    dump: null,
    watchdog: { present: true, fired: false, timeout_ms: watchdogMs },
    exit: 'lost',
    harness_fault: 'the agent was ended while the trial ran, and the emulated machine with it',
    crash_log: [],
    capture_log: [],
    duration_ms: 0,
  };
}
