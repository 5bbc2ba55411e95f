/** `POST /v1/revocations`: an owner takes the trust in a key of his back, from a log index on. */
import { type EntryAnswer, type RevokeBody, revokeBody } from '../../schema/wire.ts';
import { aboutNobody, draftEntry } from '../log/draft.ts';
import { Refusal, refuseIf } from '../refusal.ts';
import type { Services } from '../services.ts';
import { insertRevocation } from '../store/holds.ts';
import { logSize } from '../store/log.ts';
import { findMachine, findOwner } from '../store/machines.ts';
import type { Admission } from './admission.ts';
import { admitOnce } from './once.ts';
import { openEnvelope } from './open.ts';
import { faultOfBeginning } from './signer.ts';

/**
 * Admits a revocation: it covers the whole chain of the key. A rotated key may still be revoked, by the owner's
 * current key. Throws a Refusal; then nothing was stored.
 */
export async function admitRevocation(
  services: Services,
  bytes: Uint8Array,
): Promise<Admission<EntryAnswer>> {
  const { store, now } = services;
  const { body, request } = await openEnvelope(services, bytes, 'revoke', revokeBody, ({ owner }) => owner);
  return admitOnce(services, request, body.created_at, async () => {
    const size = await logSize(store);
    const subject = await rootOfOwn(services, body);
    if (body.from_index > size) {
      throw new Refusal(
        'unacceptable-revocation',
        `from_index is ${body.from_index}; the log has ${size} entries.`,
      );
    }
    const { role, key, from_index } = body;
    const nowMs = now();
    // What is revoked stays known although the owner withdraws his data.
    const draft = await draftEntry(
      services,
      'revoke',
      { role, key, from_index },
      request,
      aboutNobody,
      nowMs,
    );
    const revoked = { kind: role, value: subject };
    return insertRevocation(store, revoked, from_index, draft);
  });
}

/** The first key of the chain that is to be revoked. Throws a Refusal where it is not the signer's. */
async function rootOfOwn({ store }: Services, { owner, role, key }: RevokeBody): Promise<string> {
  const signer = await findOwner(store, owner);
  if (signer === null) throw new Refusal('unknown-owner', `No machine of owner ${owner} is enrolled.`);
  refuseIf(faultOfBeginning(`Owner ${owner}`, signer));
  if (role === 'owner') {
    if ((await findOwner(store, key))?.root === signer.root) return signer.root;
    throw new Refusal('unacceptable-revocation', `Owner ${owner} cannot revoke another owner, ${key}.`);
  }
  const machine = await findMachine(store, key);
  if (machine?.owner === signer.root) return machine.root;
  throw new Refusal('unacceptable-revocation', `${key} is no machine of owner ${owner}.`);
}
