/** Keeps the trust in the survey's own owners: whoever is configured as one is so by an entry of the log. */
import type { Services } from '../services.ts';
import { insertDecision } from '../store/decisions.ts';
import { trustIn } from '../store/trust.ts';
import { ownDecision } from './own-decision.ts';

/** Decides that an owner is the survey's own, where it is configured so and no entry says it yet. True where it did. */
export async function keepReference(services: Services, owner: string): Promise<boolean> {
  const { store, referenceOwners, now } = services;
  if (!referenceOwners.has(owner)) return false;
  if ((await trustIn(store, owner))?.label === 'reference') return false;
  const nowMs = now();
  const { row, draft } = await ownDecision(
    services,
    {
      action: 'reference',
      subject: { kind: 'owner', value: owner },
      from_index: null,
      reason: "configured as the survey's own",
    },
    nowMs,
  );
  await insertDecision(store, row, draft, nowMs);
  return true;
}
