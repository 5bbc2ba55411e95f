/** What was decided about keys and data: entries of the log that label, vouch, revoke or withdraw. */
import * as z from 'zod';
import { rows } from '../log/row.ts';
import { instant, logIndex } from '../wire.ts';

const decided = { log_index: logIndex, admitted_at: instant };

/** One entry. Its row is what the log shows to everybody. */
export const decidedEntry = z.discriminatedUnion('kind', [
  z.strictObject({
    ...decided,
    kind: z.literal('decision'),
    by: z.enum(['operator', 'rule']),
    row: rows.decision,
  }),
  z.strictObject({ ...decided, kind: z.literal('invite'), row: rows.invite }),
  z.strictObject({ ...decided, kind: z.literal('revoke'), row: rows.revoke }),
  z.strictObject({ ...decided, kind: z.literal('withdraw'), row: rows.withdraw }),
]);
export type DecidedEntry = z.infer<typeof decidedEntry>;

/** How many entries one page of the list has. */
export const decisionsPerPage = 50;

export const decisionsAnswer = z.strictObject({
  decisions: z.array(decidedEntry).max(decisionsPerPage),
  next: z.string().nullable().describe('the address of the next page, or null on the last one'),
});
export type DecisionsAnswer = z.infer<typeof decisionsAnswer>;
