/** What a failure is charged to. */
import type { Evidence } from '../evidence.ts';
import type { Cause, Mechanism } from '../vocabulary.ts';
import { hasReached, type Reached } from './reached.ts';
import { type Symptom, symptomOf, topFrames } from './symptom.ts';

/** Symptoms in the capture kernel that name their cause. Faults are charged by their frames. */
const causeOfSymptom: Partial<Record<Symptom, Cause>> = {
  'out-of-memory': 'resource',
  'no-space': 'resource',
  'module-missing': 'capture-environment',
  'irq-nobody-cared': 'device',
  'command-timeout': 'device',
  'io-error': 'device',
  'target-missing': 'device',
  'makedumpfile-failed': 'capture-environment',
};

/**
 * The cause of a failed trial. Before `detected`, nothing that was set up noticed the crash. Between `detected`
 * and the capture kernel's first line only the core kernel runs. In the capture kernel, a named symptom or a
 * module's frame on top of the trace says whose fault it was; without either it stays unknown.
 */
export function causeOf(e: Evidence, reached: Reached, mechanism: Mechanism): Cause {
  if (!hasReached(reached.proven, 'fired', mechanism)) return 'unknown';
  if (!hasReached(reached.proven, 'detected', mechanism)) {
    return reached.excluded === 'detected' ? 'detection' : 'unknown';
  }
  if (!hasReached(reached.proven, 'handed_over', mechanism)) {
    return reached.excluded === 'handed_over' ? 'core-kernel' : 'unknown';
  }
  const symptom = symptomOf(e.capture_log);
  const named = symptom && causeOfSymptom[symptom];
  if (named) return named;
  const top = topFrames(e.capture_log)[0];
  if (top === undefined) return 'unknown';
  return top.endsWith(']') ? 'device' : 'core-kernel';
}
