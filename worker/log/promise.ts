/** What an admission is answered with: the entry, what opens its commitments, and the log's signed promise. */
import { toBase64, toHex, utf8 } from '../../schema/bytes.ts';
import { type Envelope, payloadType, preAuthEncoding } from '../../schema/envelope.ts';
import { logEntry } from '../../schema/log/entry.ts';
import { type Logged, limits, type PromiseBody } from '../../schema/wire.ts';
import type { Services } from '../services.ts';
import { currentNote } from '../store/checkpoints.ts';
import type { StoredEntry } from '../store/log.ts';
import { instant } from '../time.ts';
import type { LogIdentity } from './identity.ts';

/**
 * The log's promise to have the entry in its tree in time. It depends on the entry alone and Ed25519 has no
 * randomness, so asking again brings the same bytes.
 */
async function promiseOf(signer: LogIdentity, entry: StoredEntry, admittedAt: string): Promise<Envelope> {
  const body: PromiseBody = {
    version: '1.0',
    origin: signer.name,
    log_index: entry.log_index,
    leaf_hash: entry.leaf_hash,
    merge_by: instant(Date.parse(admittedAt) + limits.mergeWithinMs),
  };
  const payload = utf8(JSON.stringify(body));
  const type = payloadType('promise');
  const sig = toBase64(await signer.sign(preAuthEncoding(type, payload)));
  return {
    payload: toBase64(payload),
    payloadType: type,
    signatures: [{ keyid: toHex(signer.publicKey), sig }],
  };
}

/** What every admission is answered with about its entry. */
async function logged(signer: LogIdentity, entry: StoredEntry): Promise<Logged> {
  const { admitted_at } = logEntry.parse(JSON.parse(entry.entry));
  return {
    log_index: entry.log_index,
    admitted_at,
    entry: entry.entry,
    row: entry.row,
    row_salt: entry.row_salt,
    envelope_salt: entry.envelope_salt,
    promise: await promiseOf(signer, entry, admitted_at),
  };
}

/** The answer about an entry, with the newest checkpoint beside it. */
export async function entryAnswerOf(
  { signer, store }: Services,
  entry: StoredEntry,
): Promise<Logged & { readonly checkpoint: string }> {
  return { ...(await logged(signer, entry)), checkpoint: await currentNote(store) };
}
