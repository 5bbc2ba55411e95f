/** A transparency log for tests, with as many histories as a dishonest one can sign. Made up: nothing was measured. */
import { utf8 } from '../../schema/bytes.ts';
import { signerOf } from '../../schema/ed25519.ts';
import { type NamedSigner, signCheckpoint } from '../../schema/log/checkpoint.ts';
import { formatVerifierKey, parseVerifierKey, type Verifier } from '../../schema/log/note.ts';
import { consistencyProof, type HashAt, leafHash, rootAt, rootOf } from '../../schema/log/tree.ts';
import { formatAddCheckpoint } from '../../schema/log/witness.ts';

/** One history of a log: the entries that it shows to somebody. */
export interface History {
  readonly root: (size: number) => Promise<Uint8Array>;
  /** The signed checkpoint of a size. */
  readonly checkpoint: (size: number) => Promise<string>;
  readonly proof: (from: number, to: number) => Promise<Uint8Array[]>;
  /** What the log sends to a witness that last cosigned size `from`. */
  readonly request: (from: number, to: number) => Promise<string>;
}

export interface SampleLog {
  readonly signer: NamedSigner;
  readonly vkey: string;
  readonly verifier: Verifier;
  /** The history whose entries are its own from `forkAt` on, and before that those of every other. */
  readonly history: (name: string, forkAt?: number) => Promise<History>;
}

/** Most entries of a history. */
export const largestSize = 200;

/** A log under this origin, whose key is made of one byte. */
export async function sampleLog(origin = 'dumps.example/log', seed = 1): Promise<SampleLog> {
  const signer = { ...(await signerOf(new Uint8Array(32).fill(seed))), name: origin };
  const vkey = await formatVerifierKey(origin, signer.publicKey);

  async function history(name: string, forkAt = largestSize): Promise<History> {
    const entries = Array.from({ length: largestSize }, (_, i) =>
      i < forkAt ? `entry ${i}` : `${name} ${i}`,
    );
    const leaves = await Promise.all(entries.map((entry) => leafHash(utf8(entry))));
    const hashAt: HashAt = (level, index) =>
      rootOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
    const root = (size: number) => rootAt(size, hashAt);
    const checkpoint = async (size: number) =>
      signCheckpoint({ origin, size, root: await root(size) }, signer);
    const proof = (from: number, to: number) => consistencyProof(from, to, hashAt);
    return {
      root,
      checkpoint,
      proof,
      request: async (from, to) =>
        formatAddCheckpoint({
          oldSize: from,
          proof: from <= to ? await proof(from, to) : [],
          note: await checkpoint(to),
        }),
    };
  }

  return { signer, vkey, verifier: await parseVerifierKey(vkey), history };
}
