/** The signed requests behind entries: which payload each kind of entry stands on, and who must have signed it. */
import type * as z from 'zod';
import { utf8 } from '../../schema/bytes.ts';
import type { Envelope, PayloadKind } from '../../schema/envelope.ts';
import type { EntryKind } from '../../schema/vocabulary.ts';
import {
  type ArmedBody,
  armedBody,
  type DecisionBody,
  decisionBody,
  type EnrolBody,
  enrolBody,
  type InviteBody,
  inviteBody,
  type ReportBody,
  type RevokeBody,
  type RotateBody,
  reportBody,
  revokeBody,
  rotateBody,
  type TicketsBody,
  ticketsBody,
  type WithdrawBody,
  withdrawBody,
} from '../../schema/wire.ts';
import { type Opened, openEnvelope } from '../admit/open.ts';
import { faultOfReceiver } from '../admit/receiver.ts';
import { noLimits } from '../rate/limiter.ts';
import { type Fault, refuseIf } from '../refusal.ts';

/** The body of the request behind each kind of entry. */
export interface BodyOf {
  readonly enrol: EnrolBody;
  readonly invite: InviteBody;
  readonly ticket: TicketsBody;
  readonly armed: ArmedBody;
  readonly report: ReportBody;
  readonly rotate: RotateBody;
  readonly revoke: RevokeBody;
  readonly withdraw: WithdrawBody;
  readonly decision: DecisionBody;
}

interface Signed<T> {
  readonly payload: PayloadKind;
  readonly schema: z.ZodType<T>;
  /** The key that a body says it is signed by. */
  readonly signer: (body: T) => string;
  /** What else was to be checked before it was admitted, whatever the log held. */
  readonly faultOf?: (body: T) => Promise<Fault | null>;
}

const signed: { readonly [K in EntryKind]: Signed<BodyOf[K]> } = {
  enrol: { payload: 'enrol', schema: enrolBody, signer: ({ machine }) => machine },
  invite: { payload: 'invite', schema: inviteBody, signer: ({ owner }) => owner },
  ticket: { payload: 'tickets', schema: ticketsBody, signer: ({ machine }) => machine },
  armed: { payload: 'armed', schema: armedBody, signer: ({ machine }) => machine },
  report: {
    payload: 'report',
    schema: reportBody,
    signer: ({ machine }) => machine,
    faultOf: faultOfReceiver,
  },
  rotate: { payload: 'rotate', schema: rotateBody, signer: ({ key }) => key },
  revoke: { payload: 'revoke', schema: revokeBody, signer: ({ owner }) => owner },
  withdraw: { payload: 'withdraw', schema: withdrawBody, signer: ({ signer }) => signer },
  decision: { payload: 'decision', schema: decisionBody, signer: ({ operator }) => operator },
};

/** Opens the request behind an entry of a kind, as strictly as the server did. Throws a Refusal that says what is wrong. */
export async function openSigned<K extends EntryKind>(
  kind: K,
  envelope: Envelope,
): Promise<Opened<BodyOf[K]>> {
  const { payload, schema, signer, faultOf } = signed[kind];
  const bytes = utf8(JSON.stringify(envelope));
  const opened = await openEnvelope({ limiter: noLimits }, bytes, payload, schema, signer);
  refuseIf((await faultOf?.(opened.body)) ?? null);
  return opened;
}
