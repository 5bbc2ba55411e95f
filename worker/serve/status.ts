/** `GET /v1/status`: how the survey and the local campaign stand at this moment. */
import type { StatusAnswer } from '../../schema/answer/status.ts';
import { manifestOf, edition as newestEdition } from '../edition/publish.ts';
import type { Services } from '../services.ts';
import { logSize } from '../store/log.ts';
import { labProgress } from '../store/progress.ts';
import { countTickets } from '../store/tickets.ts';
import { instant } from '../time.ts';
import type { Campaign } from '../view/data.ts';

/** The campaign of the local agent. Without one, nothing is planned, and every report of the lab counts as done. */
export async function campaignStatus(services: Services): Promise<Campaign> {
  const campaign = await services.campaign();
  const progress = await labProgress(services.store, campaign?.nonces ?? null);
  const planned = campaign?.planned ?? 0;
  return { running: progress.done < planned, planned, ...progress };
}

/** The answer of `GET /v1/status`. `imported` counts reports restored from a data set: this version imports none. */
export async function status(services: Services): Promise<StatusAnswer> {
  const nowMs = services.now();
  const row = await newestEdition(services.store);
  const { running: _, ...campaign } = await campaignStatus(services);
  return {
    campaign,
    imported: 0,
    tickets: await countTickets(services.store, nowMs),
    edition: row.number,
    edition_manifest: manifestOf(row),
    log_size: await logSize(services.store),
    now: instant(nowMs),
  };
}
