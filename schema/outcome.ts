/** The outcome of a trial: what `classify` makes of the evidence. */
import * as z from 'zod';
import { causes, namesOf, recoveries, results, stages, verdictReasons, verdicts } from './vocabulary.ts';

const stage = z.enum(namesOf(stages));

export const outcome = z.strictObject({
  result: z.enum(namesOf(results)),
  /** An interval: the last stage proven to have been reached, the first proven not to have been. */
  reached: z.strictObject({ proven: stage.nullable(), excluded: stage.nullable() }),
  verdict: z.enum(namesOf(verdicts)).nullable(),
  verdict_reason: z.enum(namesOf(verdictReasons)).nullable(),
  recovery: z.enum(namesOf(recoveries)),
  /** Null where the dump was captured. */
  cause: z.enum(namesOf(causes)).nullable(),
  /** Stage, crash point and normalised top frames, or null where nothing failed. */
  signature: z.string().max(400).nullable(),
});
export type Outcome = z.infer<typeof outcome>;
