/**
 * Runs what comes next, and again, until there is nothing to do, or nothing for a while. Every round looks at the whole
 * situation anew: an agent that was killed anywhere goes on here.
 */
import { scenarioId } from '../../schema/scenario.ts';
import type { ReportBody } from '../../schema/wire.ts';
import { Advice } from '../advice.ts';
import { Refused, Unreachable, Unusable } from '../link/api.ts';
import { LogFault } from '../link/log-fault.ts';
import type { Outbox, Sent } from '../link/outbox.ts';
import type { MetalItem } from './campaign.ts';
import { type FinishContext, finishTrial } from './finish.ts';
import { isUnfinished, type Next, next, type Situation } from './next.ts';
import { beginTrial, sayNote, type TrialContext } from './trial.ts';

export interface RunContext extends Omit<TrialContext, 'campaign'>, FinishContext {
  readonly survey: TrialContext['survey'];
  readonly outbox: Outbox;
  readonly situation: () => Promise<Situation>;
  /** Keeps that a scenario could not be made ready; null: that it could. */
  readonly onTrouble: (scenario: string, why: string | null) => Promise<void>;
  readonly onReport: (ordinal: number, report: ReportBody, control: boolean) => void;
  readonly onSent: (sent: readonly Sent[]) => void;
  readonly onNext: (n: Next) => void;
  readonly sleep: (ms: number) => Promise<void>;
}

/** How a run ended: what it would do next, and the error that ended it, if one did. */
export interface RunEnd {
  readonly next: Next;
  readonly trouble: string | null;
}

/** What the survey did not want, or did not answer, is no fault of the machine: it is tried again later. */
function isOfSurvey(error: unknown): boolean {
  return [Unreachable, Refused, Unusable].some((kind) => error instanceof kind);
}

const inWords = (error: unknown) => (error instanceof Error ? error.message : String(error));

/**
 * Sends what waits: notes of trials that were armed without a network, then reports. Gives why it did not get through,
 * or null. Throws a LogFault.
 */
export async function sendWaiting(
  context: Pick<RunContext, 'journal' | 'survey' | 'keys' | 'outbox' | 'onSent'>,
): Promise<string | null> {
  try {
    for (const ordinal of context.journal.trials().keys())
      await sayNote(ordinal, context).catch((error: unknown) => {
        // A ticket that has expired, or a key that was replaced: the report is judged on its own.
        if (!(error instanceof Refused)) throw error;
      });
    context.onSent(await context.outbox.flush(context.survey.report));
    return null;
  } catch (error) {
    if (error instanceof LogFault) throw error;
    return inWords(error);
  }
}

/**
 * Finishes what was armed in this boot and did not crash, before the agent is ended. What an earlier boot left is looked
 * at by the next start: a dump takes longer than a system that is shut down waits.
 */
export async function finishBegun(context: RunContext): Promise<void> {
  const bootId = context.machine.bootId();
  for (const [ordinal, state] of context.journal.trials())
    if (isUnfinished(state) && state.arming?.metal?.boot_id === bootId) await finishOne(ordinal, context);
}

async function finishOne(
  ordinal: number,
  context: RunContext,
  known?: Parameters<typeof finishTrial>[2],
): Promise<void> {
  const control = context.journal.trials().get(ordinal)?.ticket?.control ?? false;
  context.onReport(ordinal, await finishTrial(ordinal, context, known), control);
}

/** Runs one trial. If it comes back, the system went on, or was never armed; gives whether the run is to end. */
async function runTrial(item: MetalItem, context: RunContext, situation: Situation): Promise<boolean> {
  const { campaign } = situation;
  if (campaign === null) return true;
  const wentOn = await beginTrial(item, { ...context, campaign });
  await finishOne(item.ordinal, context, wentOn.evidence);
  await sendWaiting(context);
  if (wentOn.rebootDue) await context.machine.reboot();
  return wentOn.rebootDue;
}

/**
 * Runs until there is nothing to do for longer than `maxWaitMs`. Where a trial is run as it should be, it does not come
 * back. Throws a LogFault: a log that cannot be trusted ends everything.
 */
export async function runMetal(context: RunContext, maxWaitMs: number): Promise<RunEnd> {
  let trouble = await sendWaiting(context);
  for (;;) {
    const situation = await context.situation();
    const n = next(situation);
    context.onNext(n);
    switch (n.do) {
      case 'finish':
        await finishOne(n.ordinal, context);
        trouble = await sendWaiting(context);
        break;
      case 'trial': {
        const id = scenarioId(n.scenario);
        try {
          await context.machine.undoLeftovers();
          if (await runTrial(n, context, situation)) return { next: n, trouble };
          await context.onTrouble(id, null);
        } catch (error) {
          if (error instanceof LogFault || error instanceof Advice) throw error;
          if (isOfSurvey(error)) return { next: n, trouble: inWords(error) };
          // One that was armed is finished next; one that was not is tried again, some times.
          trouble = inWords(error);
          context.onStep(`not run: ${trouble}`);
          const armed = context.journal.trials().get(n.ordinal)?.arming !== undefined;
          if (!armed) await context.onTrouble(id, trouble);
        }
        break;
      }
      case 'prove-watchdog':
        try {
          await context.machine.undoLeftovers();
          await context.machine.proveWatchdog();
        } catch (error) {
          return { next: n, trouble: inWords(error) };
        }
        break;
      case 'wait': {
        const waitMs = n.untilMs - context.machine.now();
        await context.machine.undoLeftovers();
        if (waitMs > maxWaitMs) return { next: n, trouble };
        await context.sleep(Math.max(0, waitMs));
        break;
      }
      case 'stop':
      case 'done':
        await context.machine.undoLeftovers();
        return { next: n, trouble };
    }
  }
}
