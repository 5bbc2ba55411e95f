/** `POST /v1/machines`: enrols a machine, or tells the survey the next profile of an enrolled one. */
import { fromHex, sha256, toHex, utf8 } from '../../schema/bytes.ts';
import { verifies } from '../../schema/ed25519.ts';
import { leadingZeroBits, ownerStatement, powBits, workInput } from '../../schema/envelope.ts';
import { type Profile, profileMaxBytes, profile as profileSchema } from '../../schema/profile.ts';
import { type EnrolBody, enrolBody, type MachineAnswer } from '../../schema/wire.ts';
import { draftEntry } from '../log/draft.ts';
import { countEnrolment } from '../rate/daily.ts';
import { Refusal, refuseIf } from '../refusal.ts';
import type { Client, Services } from '../services.ts';
import { currentNote } from '../store/checkpoints.ts';
import { findMachine, findOwner, findProfile, insertEnrolment, type MachineRow } from '../store/machines.ts';
import { labelsNow } from '../store/trust.ts';
import type { Admission } from './admission.ts';
import { parseFields } from './fields.ts';
import { openEnvelope } from './open.ts';
import { keepReference } from './reference.ts';
import { faultOfBeginning } from './signer.ts';
import { faultOfKey, faultOfSignature } from './verify.ts';

/** Admits an enrolment. Throws a Refusal; then nothing was stored. */
export async function admitEnrolment(
  services: Services,
  bytes: Uint8Array,
  { prefix }: Client,
): Promise<Admission<MachineAnswer>> {
  const { store, now } = services;
  const { body, request } = await openEnvelope(services, bytes, 'enrol', enrolBody, ({ machine }) => machine);
  await checkWork(body);
  await checkOwner(body);
  const { profile, sha256: profileSha256 } = await readProfile(body.profile);

  const [known, owner] = [await findMachine(store, body.machine), await findOwner(store, body.owner)];
  if (owner !== null) refuseIf(faultOfBeginning(`Owner ${body.owner}`, owner));
  const ownerRoot = owner?.root ?? body.owner;
  if (known !== null) refuseIf(faultOfEarlier(known, ownerRoot));
  await keepReference(services, ownerRoot);
  if (known !== null && (await findProfile(store, body.machine, profileSha256)) !== null) {
    return { fresh: false, answer: await machineAnswer(services, known, body.owner, profileSha256) };
  }

  if (known === null) await countEnrolment(services, prefix);
  const nowMs = now();
  const machine = known ?? {
    machine: body.machine,
    owner: ownerRoot,
    root: body.machine,
    successor: null,
    withdrawn_index: null,
    enrolled_at_ms: nowMs,
  };
  const newOwner = {
    owner: body.owner,
    root: body.owner,
    successor: null,
    withdrawn_index: null,
    seen_at_ms: nowMs,
  };
  const row = { machine: machine.root, owner: ownerRoot, population: profile.population };
  const draft = await draftEntry(services, 'enrol', row, request, row, nowMs);
  const told = { machine: body.machine, sha256: profileSha256, text: body.profile, admitted_at_ms: nowMs };
  const first = known === null ? { machine, owner: newOwner } : null;
  const fresh = await insertEnrolment(store, first, told, draft);
  const stored = fresh ? machine : await findMachine(store, body.machine);
  if (stored === null) throw new Error(`machine ${body.machine} was neither enrolled nor there before`);
  refuseIf(faultOfEarlier(stored, ownerRoot));
  return {
    fresh: fresh && known === null,
    answer: await machineAnswer(services, stored, body.owner, profileSha256),
  };
}

function faultOfEarlier(known: MachineRow, ownerRoot: string) {
  const fault = faultOfBeginning(`Machine ${known.machine}`, known);
  if (fault !== null) return fault;
  if (known.owner === ownerRoot) return null;
  return {
    slug: 'owner-mismatch' as const,
    detail: `Machine ${known.machine} was enrolled by another owner than ${ownerRoot}.`,
  };
}

async function machineAnswer(
  { store }: Services,
  { machine, root, owner }: MachineRow,
  ownerKey: string,
  profile_sha256: string,
): Promise<MachineAnswer> {
  const judged = { machine: root, owner, agent_version: null, scenario_set: null, log_index: null };
  const profile = await findProfile(store, machine, profile_sha256);
  return {
    machine,
    owner: ownerKey,
    profile_sha256,
    labels: await labelsNow(store, judged),
    log_index: profile?.log_index ?? null,
    checkpoint: await currentNote(store),
  };
}

async function checkWork({ machine, work }: EnrolBody): Promise<void> {
  const bits = leadingZeroBits(await sha256(workInput(fromHex(machine), work.counter)));
  if (bits >= powBits) return;
  throw new Refusal(
    'insufficient-work',
    `work.counter ${work.counter} gives ${bits} zero bits; ${powBits} are needed.`,
  );
}

async function checkOwner({ machine, owner, owner_signature }: EnrolBody): Promise<void> {
  const key = fromHex(owner);
  const signature = fromHex(owner_signature);
  refuseIf(faultOfKey('owner', key));
  refuseIf(faultOfSignature('owner_signature', signature));
  if (await verifies(key, signature, ownerStatement(fromHex(machine)))) return;
  throw new Refusal(
    'wrong-owner-signature',
    `owner_signature is not owner ${owner}'s over machine ${machine}.`,
  );
}

async function readProfile(text: string): Promise<{ profile: Profile; sha256: string }> {
  const bytes = utf8(text);
  if (bytes.length > profileMaxBytes) {
    throw new Refusal('invalid-payload', `profile: ${bytes.length} bytes; ${profileMaxBytes} are allowed.`);
  }
  const profile = parseFields('profile', profileSchema, text);
  return { profile, sha256: toHex(await sha256(bytes)) };
}
