/** `POST /v1/machines`: enrols a machine, or tells the survey the next profile of an enrolled one. */
import { fromHex, sha256, toHex, utf8 } from '../../schema/bytes.ts';
import { verifies } from '../../schema/ed25519.ts';
import { leadingZeroBits, ownerStatement, powBits, workInput } from '../../schema/envelope.ts';
import { profileMaxBytes, profile as profileSchema } from '../../schema/profile.ts';
import type { Label } from '../../schema/vocabulary.ts';
import { type EnrolBody, enrolBody, type MachineAnswer } from '../../schema/wire.ts';
import { Refusal, refuseIf } from '../refusal.ts';
import type { Services } from '../services.ts';
import { findMachine, insertMachine, insertProfile, type MachineRow } from '../store/machines.ts';
import type { Admission } from './admission.ts';
import { parseFields } from './fields.ts';
import { openEnvelope } from './open.ts';
import { faultOfKey, faultOfSignature } from './verify.ts';

/** Admits an enrolment. Throws a Refusal; then nothing was stored. */
export async function admitEnrolment(
  services: Services,
  bytes: Uint8Array,
): Promise<Admission<MachineAnswer>> {
  const { store, now, referenceOwners } = services;
  const { body } = await openEnvelope(bytes, 'enrol', enrolBody);
  await checkWork(body);
  await checkOwner(body);
  const profile = await readProfile(body.profile);

  const row: MachineRow = {
    machine: body.machine,
    owner: body.owner,
    reference: referenceOwners.has(body.owner),
    enrolled_at_ms: now(),
  };
  const known = await findMachine(store, body.machine);
  if (known === null && (await insertMachine(store, row, profile))) {
    return { fresh: true, answer: machineAnswer(row, profile.sha256) };
  }
  const earlier = known ?? (await findMachine(store, body.machine));
  if (earlier?.owner !== body.owner) {
    throw new Refusal(
      'owner-mismatch',
      `Machine ${body.machine} was enrolled by another owner than ${body.owner}.`,
    );
  }
  await insertProfile(store, row, profile, now());
  return { fresh: false, answer: machineAnswer(row, profile.sha256) };
}

/** The labels that a machine's reports carry because of who it is. */
export function machineLabels(machine: Pick<MachineRow, 'reference'>): Label[] {
  return machine.reference ? ['enrolled', 'reference'] : ['enrolled'];
}

function machineAnswer(row: MachineRow, profile_sha256: string): MachineAnswer {
  return { machine: row.machine, owner: row.owner, profile_sha256, labels: machineLabels(row) };
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

async function readProfile(text: string): Promise<{ sha256: string; text: string }> {
  const bytes = utf8(text);
  if (bytes.length > profileMaxBytes) {
    throw new Refusal('invalid-payload', `profile: ${bytes.length} bytes; ${profileMaxBytes} are allowed.`);
  }
  parseFields('profile', profileSchema, text);
  return { sha256: toHex(await sha256(bytes)), text };
}
