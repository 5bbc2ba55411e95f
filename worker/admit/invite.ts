/** `POST /v1/invitations`: a trusted owner vouches for another one, within limits. */
import { fromHex } from '../../schema/bytes.ts';
import { type EntryAnswer, type InviteBody, inviteBody } from '../../schema/wire.ts';
import { aboutNobody, draftEntry, type SignedRequest } from '../log/draft.ts';
import { Refusal, refuseIf } from '../refusal.ts';
import type { Services } from '../services.ts';
import { insertInvitation, inviterOf } from '../store/invitations.ts';
import type { StoredEntry } from '../store/log.ts';
import { findOwner } from '../store/machines.ts';
import { labelsNow, trustIn } from '../store/trust.ts';
import type { Admission } from './admission.ts';
import { faultOfInviting } from './invitation-limits.ts';
import { admitOnce } from './once.ts';
import { openEnvelope } from './open.ts';
import { faultOfBeginning } from './signer.ts';
import { faultOfKey } from './verify.ts';

/** Admits an invitation. Throws a Refusal; then nothing was stored. */
export async function admitInvitation(
  services: Services,
  bytes: Uint8Array,
): Promise<Admission<EntryAnswer>> {
  const { body, request } = await openEnvelope(services, bytes, 'invite', inviteBody, ({ owner }) => owner);
  refuseIf(faultOfKey('invited', fromHex(body.invited)));
  return admitOnce(services, request, body.created_at, () => enter(services, body, request));
}

async function enter(
  services: Services,
  body: InviteBody,
  request: SignedRequest,
): Promise<StoredEntry | null> {
  const { store, now } = services;
  const owner = await rootOfOwner(services, body.owner);
  const invited = await rootOfOwner(services, body.invited);
  const given = await trustIn(store, owner);
  if (given === null) throw new Refusal('not-trusted', `Owner ${body.owner} is not trusted.`);
  const judged = { machine: '', owner, agent_version: null, scenario_set: null, log_index: null };
  const labels = await labelsNow(store, judged);
  if (labels.includes('revoked') || labels.includes('quarantined')) {
    throw new Refusal('not-trusted', `Owner ${body.owner} is ${labels.at(-1)}, and vouches for nobody.`);
  }
  if ((await trustIn(store, invited)) !== null) {
    throw new Refusal('already-trusted', `Owner ${body.invited} is trusted already.`);
  }
  const nowMs = now();
  const inviter = await inviterOf(store, given);
  refuseIf(faultOfInviting(body.owner, inviter, nowMs));

  const row = { owner, invited };
  const draft = await draftEntry(services, 'invite', row, request, aboutNobody, nowMs);
  const ordinal = inviter.invitedAtMs.length;
  return insertInvitation(store, given, invited, ordinal, draft, nowMs);
}

/** The first key of an owner's chain; an owner who was never seen is his own. */
async function rootOfOwner({ store }: Services, owner: string): Promise<string> {
  const row = await findOwner(store, owner);
  if (row === null) return owner;
  refuseIf(faultOfBeginning(`Owner ${owner}`, row));
  return row.root;
}
