/** Whether two checkpoints that the log signed are of one history. */
import { sameBytes, toBase64 } from '../../schema/bytes.ts';
import type { Checkpoint } from '../../schema/log/checkpoint.ts';
import { verifyConsistency } from '../../schema/log/tree.ts';
import { type Reads, Refused, Unusable } from './api.ts';
import type { LogFaultKind } from './log-fault.ts';

/** A checkpoint whose signature was verified, with the note that it came in. */
export interface Seen extends Checkpoint {
  readonly note: string;
}

/** Why two checkpoints are not known to be of one history. */
export interface Discord {
  readonly kind: LogFaultKind;
  readonly what: string;
  /** The proof as it was given, or what was said in its place. */
  readonly proof: string;
}

/** What the log says of two sizes: the hashes of a proof, or that it has none. Unreachable passes through. */
async function proofBetween(consistency: Reads['consistency'], from: number, to: number) {
  try {
    const hashes = await consistency(from, to);
    return { hashes, text: hashes.map(toBase64).join('\n'), isRefused: false };
  } catch (error) {
    if (error instanceof Refused || error instanceof Unusable) {
      return { hashes: null, text: error.message, isRefused: error instanceof Refused };
    }
    throw error;
  }
}

/**
 * Null where both are of one history. An older checkpoint than the one that is held is nothing bad, if the log proves
 * that it went on from there: answers overtake each other. Throws Unreachable where the log gives no answer.
 */
export async function discordOf(
  held: Seen,
  shown: Seen,
  consistency: Reads['consistency'],
): Promise<Discord | null> {
  const { origin } = shown;
  if (held.size === shown.size) {
    if (sameBytes(held.root, shown.root)) return null;
    return {
      kind: 'forked',
      what: `The log ${origin} signed two different trees of ${shown.size} entries.`,
      proof: '',
    };
  }
  const [from, to] = held.size < shown.size ? [held, shown] : [shown, held];
  const { hashes, text, isRefused } = await proofBetween(consistency, from.size, to.size);
  const claim = { fromSize: from.size, fromRoot: from.root, toSize: to.size, toRoot: to.root };
  if (hashes !== null && (await verifyConsistency({ ...claim, proof: hashes }))) return null;
  if (to === held && isRefused) {
    return {
      kind: 'shrunk',
      what: `The log ${origin} shows ${shown.size} entries, and has signed ${held.size}.`,
      proof: text,
    };
  }
  return {
    kind: 'unproven',
    what: `The log ${origin} does not prove that its ${to.size} entries begin with the ${from.size} that it has signed, too.`,
    proof: text,
  };
}
