/** Which versions of each payload there are. The schemas of the payloads say it, and nothing else does. */
import * as z from 'zod';
import type { PayloadKind } from './envelope.ts';
import {
  armedBody,
  decisionBody,
  enrolBody,
  inviteBody,
  reportBody,
  revokeBody,
  rotateBody,
  ticketsBody,
  withdrawBody,
} from './wire.ts';

/** The schema of each kind of payload: one closed field list, or one for each version. */
export const payloadBodies = {
  enrol: enrolBody,
  tickets: ticketsBody,
  armed: armedBody,
  report: reportBody,
  rotate: rotateBody,
  revoke: revokeBody,
  withdraw: withdrawBody,
  invite: inviteBody,
  decision: decisionBody,
} as const satisfies Record<PayloadKind, z.ZodType>;

/** The versions of a kind of payload, as a type. */
export type VersionOf<K extends PayloadKind> = z.infer<(typeof payloadBodies)[K]>['version'];

type OneVersion = z.ZodObject<{ readonly version: z.ZodLiteral<string> }>;

/** The versions of a kind of payload that this code knows, oldest first. */
export function versionsOf<K extends PayloadKind>(kind: K): readonly VersionOf<K>[] {
  const body: z.ZodType = payloadBodies[kind];
  const all = body instanceof z.ZodDiscriminatedUnion ? body.options : [body];
  return (all as readonly OneVersion[]).map(({ shape }) => shape.version.value as VersionOf<K>);
}

/** The newest version of a kind that this code knows and the other side offers, or null where they share none. */
export function newestCommon<K extends PayloadKind>(
  kind: K,
  offered: readonly string[],
): VersionOf<K> | null {
  return versionsOf(kind).findLast((version) => offered.includes(version)) ?? null;
}
