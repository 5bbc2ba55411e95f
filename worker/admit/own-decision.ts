/** Decisions that follow by rule: the survey signs them with the log's key, so that they can be audited as any other. */
import { fromHex, sha256, toHex, utf8 } from '../../schema/bytes.ts';
import { hashInput, payloadType, preAuthEncoding } from '../../schema/envelope.ts';
import type { DecisionRow } from '../../schema/log/row.ts';
import type { DecisionBody } from '../../schema/wire.ts';
import { aboutNobody, type Draft, draftEntry, type SignedRequest } from '../log/draft.ts';
import type { Services } from '../services.ts';
import { instant } from '../time.ts';

/** The public row of a decision. */
export function decisionRowOf({ action, subject, from_index, reason }: DecisionBody): DecisionRow {
  return { action, subject, from_index, reason };
}

/** The draft of a decision of the survey's own. */
export async function ownDecision(
  services: Services,
  decided: DecisionRow,
  nowMs: number,
): Promise<{ readonly row: DecisionRow; readonly draft: Draft }> {
  const { signer } = services;
  const body: DecisionBody = { version: '1.0', operator: signer.key, ...decided, created_at: instant(nowMs) };
  const payload = utf8(JSON.stringify(body));
  const request: SignedRequest = {
    kind: 'decision',
    key: signer.key,
    payload,
    signature: await signer.sign(preAuthEncoding(payloadType('decision'), payload)),
    hash: toHex(await sha256(hashInput('decision', fromHex(signer.key), payload))),
  };
  const row = decisionRowOf(body);
  const draft = await draftEntry(services, 'decision', row, request, aboutNobody, nowMs);
  return { row, draft };
}
