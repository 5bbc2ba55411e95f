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

/** What became of a control trial, in words: nothing was there that could capture. */
export function describeControl(o: Outcome): string {
  if (o.result === 'captured')
    return 'control: FALSE CAPTURE, a dump was found that nothing can have written';
  if (o.result === 'inconclusive') return 'control: inconclusive';
  return 'control: nothing was captured, as it must be';
}

/** One line of a campaign's progress. */
export function describeTrial(
  { item, report, control, durationMs }: TrialDone,
  done: number,
  planned: number,
): string {
  const count = `${String(done).padStart(3)}/${planned}`;
  const seconds = `${(durationMs / 1000).toFixed(0)} s`.padStart(5);
  const what = `${item.machine.padEnd(16)} ${item.scenario.replace(/\/none$/, '').padEnd(30)}`;
  const became = control ? describeControl(report.outcome) : describeOutcome(report.outcome);
  return `${count} ${seconds}  ${what} ${became}`;
}
