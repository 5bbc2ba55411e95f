/** The key files that commands sign with. */
import { join } from 'node:path';
import { Advice } from '../advice.ts';
import { type OptionValues, text } from '../command.ts';
import { existingKey, type KeyPair } from '../link/keys.ts';
import { dataDir } from '../paths.ts';

/** The file with the machine's key. */
export function machineKeyPath(values: OptionValues): string {
  return text(values, 'key') ?? join(dataDir(), 'keys', 'machine.key');
}

/** The file with the owner's key. */
export function ownerKeyPath(values: OptionValues): string {
  return text(values, 'owner-key') ?? join(dataDir(), 'keys', 'owner.key');
}

/** The key in a file. Throws Advice where there is none: only enrolment makes keys. */
export async function keyAt(path: string): Promise<KeyPair> {
  const key = await existingKey(path);
  if (key !== null) return key;
  throw new Advice(
    `There is no key in ${path}: nothing was enrolled from there. Name its file (--key or --owner-key), or its data directory (DUMPSURVEY_DATA).`,
  );
}
