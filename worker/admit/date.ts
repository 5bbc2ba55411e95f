/** When a request that changes keys or trust was signed: a refused or a held-up one must not take effect at some later time. */
import { limits } from '../../schema/wire.ts';
import type { Fault } from '../refusal.ts';
import { instant } from '../time.ts';

/**
 * Why a request of this date is not admitted now, or null. The very same request, admitted before, is answered again
 * at any time: this asks only what is about to change something.
 */
export function faultOfDate(createdAt: string, nowMs: number): Fault | null {
  const ageMs = nowMs - Date.parse(createdAt);
  if (ageMs <= limits.signedWithinMs && ageMs >= -limits.futureMaxMs) return null;
  return {
    slug: 'untimely-request',
    detail: `created_at is ${createdAt}; the server has ${instant(nowMs)}.`,
  };
}
