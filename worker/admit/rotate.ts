/** `POST /v1/rotations`: a key is replaced by another one, signed by both. */
import { fromHex } from '../../schema/bytes.ts';
import { verifies } from '../../schema/ed25519.ts';
import { rotationStatement } from '../../schema/envelope.ts';
import { type EntryAnswer, type RotateBody, rotateBody } from '../../schema/wire.ts';
import { type About, draftEntry, type SignedRequest } from '../log/draft.ts';
import { Refusal, refuseIf } from '../refusal.ts';
import type { Services } from '../services.ts';
import { rotateMachine, rotateOwner } from '../store/keys.ts';
import type { StoredEntry } from '../store/log.ts';
import { findMachine, findOwner } from '../store/machines.ts';
import { labelsNow } from '../store/trust.ts';
import type { Admission } from './admission.ts';
import { admitOnce } from './once.ts';
import { openEnvelope } from './open.ts';
import { faultOfBeginning } from './signer.ts';
import { faultOfKey, faultOfSignature } from './verify.ts';

/** Admits a rotation. Throws a Refusal; then nothing was stored. */
export async function admitRotation(services: Services, bytes: Uint8Array): Promise<Admission<EntryAnswer>> {
  const { body, request } = await openEnvelope(services, bytes, 'rotate', rotateBody, ({ key }) => key);
  return admitOnce(services, request, body.created_at, () => enter(services, body, request));
}

async function enter(
  services: Services,
  body: RotateBody,
  request: SignedRequest,
): Promise<StoredEntry | null> {
  const { store, now } = services;
  const nowMs = now();
  const { role, key, next } = body;
  const row = { role, key, next };
  const draft = (about: About) => draftEntry(services, 'rotate', row, request, about, nowMs);
  if (role === 'owner') {
    const old = await findOwner(store, key);
    if (old === null) throw new Refusal('unknown-owner', `No machine of owner ${key} is enrolled.`);
    refuseIf(faultOfBeginning(`Owner ${key}`, old));
    await checkNext(services, body);
    await checkStanding(services, '', old.root);
    const about = { population: null, machine: null, owner: old.root };
    return rotateOwner(store, old, next, await draft(about), nowMs);
  }
  const old = await findMachine(store, key);
  if (old === null) throw new Refusal('unknown-machine', `No machine with key ${key} is enrolled.`);
  refuseIf(faultOfBeginning(`Machine ${key}`, old));
  await checkNext(services, body);
  await checkStanding(services, old.root, old.owner);
  const about = { population: null, machine: old.root, owner: old.owner };
  return rotateMachine(store, old, next, await draft(about), nowMs);
}

/** Whoever stole a key that was revoked must not carry it on under another one. */
async function checkStanding({ store }: Services, machine: string, owner: string): Promise<void> {
  const judged = { machine, owner, agent_version: null, scenario_set: null, log_index: null };
  if ((await labelsNow(store, judged)).includes('revoked'))
    throw new Refusal('revoked-key', 'A key that was revoked has no successor.');
}

async function checkNext({ store }: Services, { key, next, next_signature }: RotateBody): Promise<void> {
  const nextKey = fromHex(next);
  const signature = fromHex(next_signature);
  refuseIf(faultOfKey('next', nextKey));
  refuseIf(faultOfSignature('next_signature', signature));
  if (!(await verifies(nextKey, signature, rotationStatement(fromHex(key), nextKey)))) {
    throw new Refusal('wrong-signature', `next_signature is not key ${next}'s over this rotation.`);
  }
  const isUsed = (await findMachine(store, next)) !== null || (await findOwner(store, next)) !== null;
  if (isUsed || next === key) throw new Refusal('unacceptable-rotation', `Key ${next} was used here before.`);
}
