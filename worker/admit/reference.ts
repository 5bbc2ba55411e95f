/** Keeps the trust in the survey's own owners: whoever is configured as one is so by an entry of the log. */
import type { Services } from '../services.ts';
import { insertDecision } from '../store/decisions.ts';
import { logSize } from '../store/log.ts';
import { findOwner } from '../store/machines.ts';
import { trustIn } from '../store/trust.ts';
import { ownDecision } from './own-decision.ts';

/** Whether one of the keys of an owner's chain, which begins with `root`, is configured as the survey's own. */
export async function isReference({ store, referenceOwners }: Services, root: string): Promise<boolean> {
  for (const key of referenceOwners)
    if (key === root || (await findOwner(store, key))?.root === root) return true;
  return false;
}

/**
 * Decides that an owner is the survey's own, where one of its keys is configured so and no entry says it yet. True
 * where it did. Who has withdrawn his data is nobody's any more.
 */
export async function keepReference(services: Services, key: string): Promise<boolean> {
  const { store, referenceOwners, now } = services;
  if (!referenceOwners.has(key)) return false;
  const size = await logSize(store);
  const known = await findOwner(store, key);
  if (known !== null && known.withdrawn_index !== null) return false;
  const owner = known?.root ?? key;
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
  return (await insertDecision(store, row, draft, nowMs, size)) !== null;
}
