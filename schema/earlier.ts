/**
 * What was signed under an earlier field list, read by today's. Signed bytes are never changed; this is only how they
 * are understood. Nothing is made up: a field that was not asked for then gets the value that says so, and where the
 * list has no such value, the part that needs the field is left out of the reading.
 */

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A stored profile. The preemption model was not asked for at first. */
export function completeProfile(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value.kernel) || 'preemption' in value.kernel) return value;
  return { ...value, kernel: { ...value.kernel, preemption: 'unknown' } };
}

function completeEvidence(evidence: Readonly<Record<string, unknown>>): object {
  const { trigger, survived } = evidence;
  const knowsTask = isRecord(trigger) && 'task' in trigger;
  return {
    ...evidence,
    trigger: knowsTask ? trigger : null,
    at_crash: evidence.at_crash ?? null,
    survived: survived === true ? 'the system went on' : survived === false ? null : survived,
  };
}

/** The body of a stored report. At first, all trials had one set-up, and the module alone could trigger them. */
export function completeReport(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value.scenario) || !isRecord(value.evidence)) return value;
  if ('set_up' in value.scenario) return value;
  return {
    ...value,
    scenario: { ...value.scenario, set_up: 'panic' },
    triggered_by: 'crashpoint',
    evidence: completeEvidence(value.evidence),
  };
}
