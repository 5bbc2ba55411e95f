/** `POST /v1/withdrawals`: deletes what a machine, or an owner with all machines, has ever sent; entries stay as hashes. */
import { type EntryAnswer, type WithdrawBody, withdrawBody } from '../../schema/wire.ts';
import { aboutNobody, draftEntry, type SignedRequest } from '../log/draft.ts';
import { Refusal, refuseIf } from '../refusal.ts';
import type { Services } from '../services.ts';
import type { StoredEntry } from '../store/log.ts';
import { findMachine, findOwner } from '../store/machines.ts';
import { labelsNow } from '../store/trust.ts';
import { contentsOf, rangesOf, type Withdrawn, withdraw } from '../store/withdrawals.ts';
import type { Admission } from './admission.ts';
import { admitOnce } from './once.ts';
import { openEnvelope } from './open.ts';
import { faultOfBeginning } from './signer.ts';

/** Admits a withdrawal. Throws a Refusal; then nothing was stored, and nothing deleted. */
export async function admitWithdrawal(
  services: Services,
  bytes: Uint8Array,
): Promise<Admission<EntryAnswer>> {
  const { body, request } = await openEnvelope(
    services,
    bytes,
    'withdraw',
    withdrawBody,
    ({ signer }) => signer,
  );
  return admitOnce(services, request, body.created_at, () => enter(services, body, request));
}

async function enter(
  services: Services,
  body: WithdrawBody,
  request: SignedRequest,
): Promise<StoredEntry | null> {
  const { store, now } = services;
  const withdrawn = await ownData(services, body);
  const indices = await contentsOf(store, withdrawn);
  const row = { role: body.role, key: body.key, entries: rangesOf(indices) };
  // The tombstone is about nobody's data: it must outlive what it withdraws.
  const draft = await draftEntry(services, 'withdraw', row, request, aboutNobody, now());
  return withdraw(store, withdrawn, indices, draft);
}

/** Whose data goes. Throws a Refusal where the signer has no right to it, or where it is gone already. */
async function ownData({ store }: Services, { signer, role, key }: WithdrawBody): Promise<Withdrawn> {
  const owner = await findOwner(store, signer);
  if (role === 'owner') {
    const wanted = await findOwner(store, key);
    if (wanted === null) throw new Refusal('unknown-owner', `No machine of owner ${key} is enrolled.`);
    if (owner === null || owner.root !== wanted.root) {
      throw new Refusal('unacceptable-withdrawal', `Key ${signer} is not owner ${key}.`);
    }
    refuseIf(faultOfBeginning(`Owner ${signer}`, owner));
    return { role, root: wanted.root };
  }
  const wanted = await findMachine(store, key);
  if (wanted === null) throw new Refusal('unknown-machine', `No machine with key ${key} is enrolled.`);
  const machine = await findMachine(store, signer);
  if (machine?.root === wanted.root) {
    refuseIf(faultOfBeginning(`Machine ${signer}`, machine));
    // Whoever stole the key must not take away what was reported before. An owner's own right nobody takes.
    const judged = {
      machine: wanted.root,
      owner: '',
      agent_version: null,
      scenario_set: null,
      log_index: null,
    };
    if ((await labelsNow(store, judged)).includes('revoked')) {
      throw new Refusal('revoked-key', `Machine ${signer} was revoked; its owner may withdraw its data.`);
    }
    return { role, root: wanted.root };
  }
  if (owner === null || owner.root !== wanted.owner) {
    throw new Refusal('unacceptable-withdrawal', `Key ${signer} is neither machine ${key} nor its owner.`);
  }
  refuseIf(
    faultOfBeginning(`Owner ${signer}`, owner) ??
      faultOfBeginning(`Machine ${key}`, { ...wanted, successor: null }),
  );
  return { role, root: wanted.root };
}
