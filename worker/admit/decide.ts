/** `POST /v1/decisions`: the operator labels something. What is labeled, by whom and why is in the log for everybody. */
import {
  type DecisionAction,
  type DecisionSubject,
  decisionActions,
  decisionSubjects,
  namesOf,
} from '../../schema/vocabulary.ts';
import { type DecisionBody, decisionBody, type EntryAnswer, publicKey } from '../../schema/wire.ts';
import { aboutNobody, draftEntry } from '../log/draft.ts';
import { type Fault, Refusal, refuseIf } from '../refusal.ts';
import type { Services } from '../services.ts';
import { insertDecision, isQuarantined, isTreeTrusted } from '../store/decisions.ts';
import { logSize } from '../store/log.ts';
import { findMachine, findOwner } from '../store/machines.ts';
import { trustIn } from '../store/trust.ts';
import type { Admission } from './admission.ts';
import { admitOnce } from './once.ts';
import { openEnvelope } from './open.ts';
import { decisionRowOf } from './own-decision.ts';
import { isReference } from './reference.ts';

/** What each action can be about. */
export const subjectsOf: Readonly<Record<DecisionAction, readonly DecisionSubject[]>> = {
  reference: ['owner'],
  vouch: ['owner'],
  distrust: ['owner'],
  quarantine: namesOf(decisionSubjects),
  release: namesOf(decisionSubjects),
  revoke: ['owner', 'machine'],
};

/** Admits a decision. Throws a Refusal; then nothing was stored. */
export async function admitDecision(services: Services, bytes: Uint8Array): Promise<Admission<EntryAnswer>> {
  const { store, operators, now } = services;
  const { body, request } = await openEnvelope(
    services,
    bytes,
    'decision',
    decisionBody,
    ({ operator }) => operator,
  );
  if (!operators.has(body.operator)) {
    throw new Refusal('not-an-operator', `Key ${body.operator} is no operator of this survey.`);
  }
  return admitOnce(services, request, body.created_at, async () => {
    const size = await logSize(store);
    refuseIf(faultOfForm(body, size));
    const subject = await firstOf(services, body.subject);
    const row = { ...decisionRowOf(body), subject };
    refuseIf(faultOfSetting(services, row) ?? (await faultOfNothing(services, row)));
    const nowMs = now();
    const draft = await draftEntry(services, 'decision', row, request, aboutNobody, nowMs);
    return insertDecision(store, row, draft, nowMs, size);
  });
}

/** Whether action, subject and index belong together. */
export function faultOfForm(
  body: Pick<DecisionBody, 'action' | 'subject' | 'from_index'>,
  size: number,
): Fault | null {
  const { action, subject, from_index } = body;
  const wrong = (detail: string): Fault => ({ slug: 'unacceptable-decision', detail });
  if (!subjectsOf[action].includes(subject.kind)) {
    return wrong(`${action} is of ${subjectsOf[action].join(' or ')}, not of ${subject.kind}.`);
  }
  if ((action === 'revoke') !== (from_index !== null)) {
    return wrong(`from_index belongs to revoke, and to nothing else: ${decisionActions[action]}.`);
  }
  if (from_index !== null && from_index > size) {
    return wrong(`from_index is ${from_index}; the log has ${size} entries.`);
  }
  const isKey = subject.kind === 'owner' || subject.kind === 'machine';
  if (isKey && !publicKey.safeParse(subject.value).success) {
    return wrong(`${subject.value.slice(0, 80)} is no public key of 64 hexadecimal digits.`);
  }
  return null;
}

/** The subject by the first key of its chain: holds and trust are of chains. */
async function firstOf(
  { store }: Services,
  subject: DecisionBody['subject'],
): Promise<DecisionBody['subject']> {
  const { kind, value } = subject;
  if (kind === 'owner') return { kind, value: (await findOwner(store, value))?.root ?? value };
  if (kind !== 'machine') return subject;
  const machine = await findMachine(store, value);
  if (machine === null) throw new Refusal('unknown-machine', `No machine with key ${value} is enrolled.`);
  return { kind, value: machine.root };
}

/** Whether a setting says otherwise, and would undo the decision when the owner is next heard of. */
function faultOfSetting(
  { referenceOwners }: Services,
  { action, subject }: Pick<DecisionBody, 'action' | 'subject'>,
): Fault | null {
  if ((action !== 'distrust' && action !== 'vouch') || !referenceOwners.has(subject.value)) return null;
  return {
    slug: 'unacceptable-decision',
    detail: `Owner ${subject.value} is configured as the survey's own: take it out of the reference owners first.`,
  };
}

/** A decision that changes nothing is a mistake. */
async function faultOfNothing(
  services: Services,
  row: Pick<DecisionBody, 'action' | 'subject'>,
): Promise<Fault | null> {
  const { store } = services;
  const { action, subject } = row;
  const wrong = (detail: string): Fault => ({ slug: 'unacceptable-decision', detail });
  if (action === 'quarantine' || action === 'release') {
    const isHeld = await isQuarantined(store, row);
    if (isHeld === (action === 'release')) return null;
    return wrong(
      `${subject.kind} ${subject.value} is ${isHeld ? 'quarantined already' : 'not quarantined'}.`,
    );
  }
  if (action === 'revoke') return null;
  const owner = `Owner ${subject.value}`;
  const given = await trustIn(store, subject.value);
  if (action === 'reference')
    return given?.label === 'reference' ? wrong(`${owner} is the survey's own already.`) : null;
  // The survey itself would trust it again at once.
  if (await isReference(services, subject.value))
    return wrong(`${owner} is configured as the survey's own. Take it out of the configuration first.`);
  if (action === 'distrust')
    return (await isTreeTrusted(store, subject.value)) ? null : wrong(`${owner} is not trusted.`);
  // Whom somebody has invited the operator may take out of the inviter's hands.
  const isVouched = given?.label === 'vouched' && given.invited_by === null;
  return isVouched ? wrong(`${owner} is vouched for by an operator already.`) : null;
}
