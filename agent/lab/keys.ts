/** The keys of the lab, in the data directory: one for each emulated machine, and their owner's. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type KeyPair, keyIn, keyNamed } from '../link/keys.ts';
import type { LabMachineName } from './machines.ts';

export interface LabKeys {
  readonly owner: KeyPair;
  readonly machine: (name: LabMachineName) => Promise<KeyPair>;
  /** The machine's key with this public key: the present one, or one that was replaced. */
  readonly signer: (name: LabMachineName, publicKey: string) => Promise<KeyPair>;
}

/** The keys of the lab: the owner's and each machine's, in the data directory. */
export async function labKeys(data: string): Promise<LabKeys> {
  const pathOf = (name: LabMachineName) => join(data, 'keys', `lab-${name}.key`);
  return {
    owner: await keyIn(join(data, 'keys', 'owner.key'), randomBytes),
    machine: (name) => keyIn(pathOf(name), randomBytes),
    signer: (name, publicKey) => keyNamed(pathOf(name), publicKey),
  };
}
