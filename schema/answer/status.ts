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

/**
 * What has become of all tickets at this moment: `issued` is the sum of the others. What is `unused` is in no figure,
 * so its share says how much could have been chosen; what is `no_reply` counts as not captured.
 */
export const ticketCounts = z.strictObject({
  issued: count,
  open: count.describe('neither armed nor reported, before their deadline'),
  armed: count.describe('armed and not reported, before their deadline'),
  reported: count,
  no_reply: count.describe('armed, and silent past their deadline'),
  unused: count.describe('never armed and never reported, past their deadline'),
});
export type TicketCounts = z.infer<typeof ticketCounts>;

export const statusAnswer = z.strictObject({
  campaign: campaignProgress,
  imported: count.describe('reports restored from a data set'),
  tickets: ticketCounts.describe('all tickets whose contents were not withdrawn'),
  edition: z.int().min(1),
  edition_manifest: manifest,
  log_size: count,
  now: instant,
});
export type StatusAnswer = z.infer<typeof statusAnswer>;
