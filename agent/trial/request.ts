/** The name of a request for a ticket: the same again brings the same ticket. */
import { createHash } from 'node:crypto';
import type { TrialState } from './journal.ts';

/**
 * Names the request for a ticket. Stable over restarts while the ticket can still be armed, so that asking again brings
 * the same ticket; another one after a control.
 */
export function requestId(
  campaignId: string,
  { ordinal }: { readonly ordinal: number },
  state: Pick<TrialState, 'ticket' | 'controls'> | undefined,
  profileSha256: string,
  nowMs: number,
): string {
  const before = state?.ticket;
  const expired = before !== undefined && Date.parse(before.arm_by) < nowMs ? before.nonce : '';
  const again = state?.controls ? `/${state.controls}` : '';
  return createHash('sha256')
    .update(`${campaignId}/${ordinal}/${profileSha256}/${expired}${again}`)
    .digest('hex')
    .slice(0, 32);
}
