/** Who signs for the log: its origin, which is the name of its key, and the key. */
import { toHex } from '../../schema/bytes.ts';
import { signerOf } from '../../schema/ed25519.ts';
import type { NamedSigner } from '../../schema/log/checkpoint.ts';
import { formatVerifierKey } from '../../schema/log/note.ts';

export interface LogIdentity extends NamedSigner {
  /** The public key in hexadecimal. */
  readonly key: string;
  /** The key as others name it (C2SP signed-note): who pins this can check every checkpoint. */
  readonly verifierKey: string;
}

/**
 * The identity of a log from its origin and the 32-byte seed of its key. Without an origin it is named after the key,
 * so that no two logs share a name by accident. Throws a RangeError where the origin cannot be one.
 */
export async function logIdentity(seed: Uint8Array, origin?: string): Promise<LogIdentity> {
  const signer = await signerOf(seed);
  const key = toHex(signer.publicKey);
  const name = origin || `dumpsurvey.invalid/${key.slice(0, 16)}`;
  return { ...signer, name, key, verifierKey: await formatVerifierKey(name, signer.publicKey) };
}
