/** Outcomes in one line, for a terminal. */
import type { Outcome } from '../../schema/outcome.ts';
import type { TrialDone } from '../lab/campaign.ts';

/** What became of a trial, in words. */
export function describeOutcome(o: Outcome): string {
  if (o.result === 'captured') return 'captured, verified';
  if (o.result === 'inconclusive') return 'inconclusive';
  const stage = o.reached.proven ?? 'nothing';
  const dump = o.verdict && o.verdict_reason !== 'empty' ? `, dump ${o.verdict} (${o.verdict_reason})` : '';
  const recovery = o.recovery === 'watchdog' ? ', ended by the watchdog' : '';
  return `NOT captured: reached ${stage}${dump}${recovery}; ${o.cause}: ${o.signature ?? 'no signature'}`;
}

/** One line of a campaign's progress. */
export function describeTrial(
  { item, report, durationMs }: TrialDone,
  done: number,
  planned: number,
): string {
  const count = `${String(done).padStart(3)}/${planned}`;
  const seconds = `${(durationMs / 1000).toFixed(0)} s`.padStart(5);
  const what = `${item.machine.padEnd(16)} ${item.scenario.replace(/\/none$/, '').padEnd(30)}`;
  return `${count} ${seconds}  ${what} ${describeOutcome(report.outcome)}`;
}
