/** The survey as a machine without a network reaches it: by a mailbox. What comes back is checked as if it had answered itself. */
import type * as z from 'zod';
import type { Envelope } from '../../schema/envelope.ts';
import { newestCommon, versionsOf } from '../../schema/payload-versions.ts';
import { armedAnswer, type Logged, machineAnswer, receipt, ticketsAnswer } from '../../schema/wire.ts';
import { faultOfAdmission, type LoggedKind } from './admitted.ts';
import { Unusable } from './api.ts';
import type { SurveyLog } from './log.ts';
import { type CarriedKind, Kept, type Mailbox } from './mailbox.ts';
import { openCheckpoint } from './pin.ts';
import type { Survey } from './survey-api.ts';

/** What a machine asks by a mailbox. */
export type CarriedSurvey = Pick<Survey, CarriedKind | 'version'>;

/**
 * The survey behind a mailbox. An answer is taken if the log's key signed it and it is for what was sent. That its
 * checkpoint is of one history with the others cannot be proven without a network: `status --check` does that.
 */
export function carriedSurvey(mailbox: Mailbox, log: SurveyLog): CarriedSurvey {
  function read<T>(kind: CarriedKind, shape: z.ZodType<T>, answer: unknown): T {
    const { data } = shape.safeParse(answer);
    if (data === undefined) throw new Unusable(`The answer to ${kind} in the mailbox is not as agreed.`);
    return data;
  }

  /** Of answers about no entry, the checkpoint is all that is signed. */
  function withCheckpoint<T extends { readonly checkpoint: string }>(kind: CarriedKind, shape: z.ZodType<T>) {
    return async (sent: Envelope): Promise<T> => {
      const answer = read(kind, shape, await mailbox.send(kind, sent));
      await openCheckpoint(answer.checkpoint, await log.ready());
      return answer;
    };
  }

  function logged<T extends Logged & { readonly checkpoint: string }>(
    kind: LoggedKind & CarriedKind,
    shape: z.ZodType<T>,
  ) {
    return async (sent: Envelope): Promise<T> => {
      const answer = read(kind, shape, await mailbox.send(kind, sent));
      const wrong = await faultOfAdmission(kind, sent, answer, await log.ready());
      if (wrong !== null) {
        await log.fail(
          'mismatch',
          `The answer to what was carried (${kind}) is not to be trusted. ${wrong}`,
          {
            'request.json': JSON.stringify(sent),
            'answer.json': JSON.stringify(answer),
          },
        );
      }
      return answer;
    };
  }

  return {
    enrol: withCheckpoint('enrol', machineAnswer),
    tickets: withCheckpoint('tickets', ticketsAnswer),
    armed: logged('armed', armedAnswer),
    report: logged('report', receipt),
    version: async (kind) => {
      const own = versionsOf(kind);
      try {
        const common = newestCommon(kind, (await mailbox.index()).payload_versions[kind] ?? []);
        if (common !== null) return common;
      } catch (error) {
        if (!(error instanceof Kept)) throw error;
      }
      const newest = own.at(-1);
      if (newest === undefined) throw new Error(`there is no version of ${kind}`);
      return newest;
    },
  };
}
