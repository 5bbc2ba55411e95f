/** Drafts of log entries: everything of an entry but its index, which the store gives it in the batch that appends it. */
import { toHex, utf8 } from '../../schema/bytes.ts';
import type { PayloadKind } from '../../schema/envelope.ts';
import { entryText, envelopeCommitment, rowCommitment } from '../../schema/log/entry.ts';
import type { RowOf } from '../../schema/log/row.ts';
import { leafHash } from '../../schema/log/tree.ts';
import type { Population } from '../../schema/vocabulary.ts';
import { instant } from '../time.ts';

/** A signed request as it is kept. `hash` is the SHA-256 of its `hashInput`. */
export interface SignedRequest {
  readonly kind: PayloadKind;
  /** The public key of the signer, in hexadecimal. */
  readonly key: string;
  readonly payload: Uint8Array;
  readonly signature: Uint8Array;
  readonly hash: string;
}

/** What an entry is about. A withdrawal of the machine or the owner takes its contents away: first keys of their chains. */
export interface About {
  /** Null where the entry is not about a machine or a trial: then everybody may see its envelope. */
  readonly population: Population | null;
  readonly machine: string | null;
  readonly owner: string | null;
}

export interface Draft extends About {
  readonly kind: keyof RowOf;
  readonly entry: string;
  readonly leaf_hash: string;
  readonly request: SignedRequest | null;
  readonly envelope_salt: string | null;
  readonly row: string;
  readonly row_salt: string;
}

/** What an entry is about that is about nobody's data. */
export const aboutNobody: About = { population: null, machine: null, owner: null };

/** What gives drafts their salts and their time. */
interface DraftServices {
  readonly random: (byteCount: number) => Uint8Array<ArrayBuffer>;
}

/** The draft of an entry, with fresh salts. `request` is null where nobody signed one. */
export async function draftEntry<K extends keyof RowOf>(
  { random }: DraftServices,
  kind: K,
  row: RowOf[K],
  request: SignedRequest | null,
  { population, machine, owner }: About,
  nowMs: number,
): Promise<Draft> {
  const text = JSON.stringify(row);
  const rowSalt = random(16);
  const envelopeSalt = request && random(16);
  const entry = entryText({
    version: '1',
    kind,
    admitted_at: instant(nowMs),
    envelope:
      request && envelopeSalt && (await envelopeCommitment(envelopeSalt, request.hash, request.signature)),
    row: await rowCommitment(rowSalt, text),
  });
  return {
    kind,
    entry,
    leaf_hash: toHex(await leafHash(utf8(entry))),
    request,
    envelope_salt: envelopeSalt && toHex(envelopeSalt),
    row: text,
    row_salt: toHex(rowSalt),
    population,
    machine,
    owner,
  };
}
