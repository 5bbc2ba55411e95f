/** What was planted, as the journal keeps it: JSON, with addresses in hexadecimal. */
import * as z from 'zod';
import type { Listing } from '../../schema/canary.ts';
import type { LogPlan } from '../../schema/log-canary.ts';

const address = z
  .string()
  .regex(/^0x[0-9a-f]{1,16}$/)
  .transform((text) => BigInt(text));
const nonce = z.string().regex(/^[0-9a-f]{32}$/);

const planted = z.union([
  z.object({
    nonce,
    armed: address,
    fired: address,
    canaries: z.array(
      z.object({
        index: z.int(),
        kind: z.enum(['page', 'slab', 'vmalloc', 'module-data', 'percpu']),
        phys: address,
        byteCount: z.int().min(8),
      }),
    ),
  }),
  z.object({ nonce, triggeredBy: z.enum(['lkdtm', 'sysrq']) }),
]);

/** The text of what was planted. */
export function listingText(what: Listing | LogPlan): string {
  return JSON.stringify(what, (_, value) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value));
}

/** What a text says was planted. Throws an Error where it says nothing of the kind. */
export function listingIn(text: string): Listing | LogPlan {
  return planted.parse(JSON.parse(text));
}
