/** Proofs of the log, for whoever has no tiles at hand. Hashes of a proof are base64, as in the notes of the log. */
import * as z from 'zod';
import { logIndex, sha256Hex } from '../wire.ts';

const proof = z.array(z.string().length(44)).max(63);

export const inclusionAnswer = z.strictObject({
  index: logIndex,
  size: logIndex,
  leaf_hash: sha256Hex,
  proof,
});
export type InclusionAnswer = z.infer<typeof inclusionAnswer>;

export const consistencyAnswer = z.strictObject({ from: logIndex, to: logIndex, proof });
export type ConsistencyAnswer = z.infer<typeof consistencyAnswer>;
