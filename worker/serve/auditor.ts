/** Named auditors: who shows one of their tokens sees what real machines have signed. */
import { sha256, toHex, utf8 } from '../../schema/bytes.ts';
import { Refusal } from '../refusal.ts';
import type { Services } from '../services.ts';
import { equalSecrets } from './operator.ts';

/**
 * Whether an Authorization header is `Bearer TOKEN` with a token whose SHA-256 is configured. Without a header it is
 * nobody. Throws the `unknown-token` refusal for a header that is wrong: it must not pass silently for less.
 */
export async function isAuditor({ auditors }: Services, header: string | undefined): Promise<boolean> {
  if (header === undefined) return false;
  const token = /^Bearer ([\x21-\x7e]{16,200})$/.exec(header)?.[1];
  const hash = token === undefined ? '' : toHex(await sha256(utf8(token)));
  let known = false;
  for (const auditor of auditors) known = (await equalSecrets(hash, auditor)) || known;
  if (known) return true;
  throw new Refusal('unknown-token', 'The Authorization header names no auditor of this survey.');
}
