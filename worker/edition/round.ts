/**
 * One round of the scheduled job: what was counted on earlier days is forgotten, who is configured as the survey's own is so in the log, all entries come under a
 * checkpoint, and the edition that is due is published. Deadlines that have passed become visible by the same step.
 */
import { keepReference } from '../admit/reference.ts';
import { integrate } from '../log/sequencer.ts';
import { dayOf } from '../rate/daily.ts';
import type { Services } from '../services.ts';
import { forgetDaysBefore } from '../store/daily.ts';
import { publishIfDue } from './publish.ts';

/** Says how long to wait where something is to be published that is not due yet: null means that nothing is. */
export async function publishingRound(
  services: Services,
  everyMs: number,
): Promise<{ readonly waitMs: number | null }> {
  const { store, now, referenceOwners, log } = services;
  await forgetDaysBefore(store, dayOf(now()));
  const integration = await integrate(services);
  if (integration.state === 'halted') return { waitMs: null };
  let news = false;
  for (const owner of referenceOwners) news = (await keepReference(services, owner)) || news;
  if (news) await integrate(services);
  const { published, waitMs } = await publishIfDue(store, now(), everyMs);
  if (published !== null) {
    log({ event: 'edition-published', number: published.number, log_size: published.log_size });
  }
  return { waitMs: waitMs ?? (integration.state === 'busy' ? everyMs : null) };
}
