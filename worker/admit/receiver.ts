/** A dump that another machine received counts by that machine's word alone: the word must be whole, and of this trial. */
import { receiverFault } from '../../schema/finding.ts';
import type { ReportBody } from '../../schema/wire.ts';
import type { Fault } from '../refusal.ts';

/** What is wrong with the receiver's word in a report, or null. */
export async function faultOfReceiver(body: ReportBody): Promise<Fault | null> {
  const fault = await receiverFault(body);
  return fault === null
    ? null
    : { slug: 'invalid-payload', detail: `report: evidence.after_reboot.receiver: ${fault}.` };
}
