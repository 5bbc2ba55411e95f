/** One driver as dump target, and the failures that pages and feeds show. */
import * as z from 'zod';
import { outcome } from '../outcome.ts';
import { keyedCell } from '../statistics.ts';
import { mechanisms, namesOf, populations, stages } from '../vocabulary.ts';
import { instant, reportId, scenarioFields } from '../wire.ts';
import { manifest } from './edition.ts';

const count = z.int().min(0);
const mechanism = z.enum(namesOf(mechanisms));

/**
 * Where the trials of one mechanism ended: each counted trial once, at the last stage that it is proven to have
 * reached. Whoever shows it adds up along the mechanism's order of stages.
 */
export const funnelCounts = z.strictObject({
  mechanism,
  ended: z.array(
    z.strictObject({
      stage: z.enum(namesOf(stages)).nullable().describe('where it is null, not even the arming is proven'),
      trials: count,
    }),
  ),
  captured: count.describe('trials with a verified dump'),
});
export type FunnelCounts = z.infer<typeof funnelCounts>;

/** One report of a trial that was not captured. */
export const failureEntry = z.strictObject({
  report_id: reportId,
  admitted_at: instant,
  population: z.enum(namesOf(populations)),
  driver: z.string().describe('of the dump target'),
  chipset: z.string(),
  kernel_release: z.string(),
  lab_machine: z.string().nullable().describe('row of the machine catalogue; null for a real machine'),
  scenario: scenarioFields,
  mechanism,
  outcome: outcome.describe('as the server derives it'),
  evidence: z.array(z.string()).max(12).describe('the lines that say most about the failure'),
});
export type FailureEntry = z.infer<typeof failureEntry>;

/** How many failures a driver's page and a feed name at most. */
export const failuresShown = 100;

/** Statistics are of population `lab`, filtered by driver, role `dump_target` and the headline's set-up. */
export const driverAnswer = z.strictObject({
  driver: z.string(),
  edition: manifest,
  total: keyedCell.nullable().describe('it is null where the driver has no trials as dump target'),
  by_crash_type: z.array(keyedCell),
  by_crash_point: z.array(keyedCell),
  by_chipset: z.array(keyedCell),
  funnel: funnelCounts,
  failures: z.array(failureEntry).max(failuresShown).describe('newest first'),
  note: z.string(),
});
export type DriverAnswer = z.infer<typeof driverAnswer>;
