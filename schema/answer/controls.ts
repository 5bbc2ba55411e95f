/** Control trials: the survey's own rate of false captures. */
import * as z from 'zod';
import { mechanisms, namesOf, populations } from '../vocabulary.ts';

const rate = z.number().min(0).max(1);

export const controlsAnswer = z.strictObject({
  edition: z.int().min(1),
  controls: z.array(
    z.strictObject({
      population: z.enum(namesOf(populations)),
      mechanism: z.enum(namesOf(mechanisms)),
      agent_version: z.string(),
      trials: z
        .int()
        .min(1)
        .describe('with the mechanism disabled on purpose, without the inconclusive ones'),
      false_captures: z.int().min(0),
      estimate: rate,
      low: rate.describe('exact (Clopper-Pearson) 95 % interval'),
      high: rate,
    }),
  ),
  note: z.string(),
});
export type ControlsAnswer = z.infer<typeof controlsAnswer>;
