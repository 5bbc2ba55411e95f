/** How the survey stands at this moment. */
import * as z from 'zod';
import { instant } from '../wire.ts';
import { manifest } from './edition.ts';

const count = z.int().min(0);

/** How far a campaign of the lab has come. `done` = `captured` + `failed` + `inconclusive`. */
export const campaignProgress = z.strictObject({
  planned: count,
  done: count,
  captured: count,
  failed: count.describe('every counted trial without a verified dump'),
  inconclusive: count,
});
export type CampaignProgress = z.infer<typeof campaignProgress>;

export const statusAnswer = z.strictObject({
  campaign: campaignProgress,
  imported: count.describe('reports restored from a data set'),
  edition: z.int().min(1),
  edition_manifest: manifest,
  log_size: count,
  now: instant,
});
export type StatusAnswer = z.infer<typeof statusAnswer>;
