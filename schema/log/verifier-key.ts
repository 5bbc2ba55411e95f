/** The keys of signed notes (C2SP signed-note): their names, their 4-byte ids, and their text form. */
import { concat, fromBase64, sameBytes, sha256, toBase64, toHex, utf8 } from '../bytes.ts';
import { keyFault } from '../ed25519.ts';
import { isLine } from './line.ts';

/** 1: an Ed25519 signature over the text. 4: an Ed25519 cosignature with a time (C2SP tlog-cosignature). */
export type SignatureType = 1 | 4;

export interface Verifier {
  readonly name: string;
  /** 4 bytes; with the name it says which key signed. */
  readonly keyId: Uint8Array;
  /** The Ed25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  readonly type: SignatureType;
}

/** Whether a text can be a key's name: not empty, on one line, without spaces of any script, without `+`. */
export function isKeyName(name: string): boolean {
  return isLine(name) && /^[^\p{White_Space}+]+$/u.test(name);
}

/** The id of a key: the first 4 bytes of SHA-256(name ‖ newline ‖ type ‖ public key). */
export async function keyId(
  name: string,
  type: SignatureType,
  publicKey: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const hash = await sha256(concat(utf8(`${name}\n`), new Uint8Array([type]), publicKey));
  return hash.slice(0, 4);
}

/** The text form of a key, `name+id+base64(type ‖ key)`. Throws a RangeError for an unfit name or key. */
export async function formatVerifierKey(
  name: string,
  publicKey: Uint8Array,
  type: SignatureType = 1,
): Promise<string> {
  if (!isKeyName(name)) throw new RangeError(`${JSON.stringify(name)} cannot name a key: ${nameRule}`);
  const fault = keyFault(publicKey);
  if (fault) throw new RangeError(`The public key of ${name} is unfit: ${fault}.`);
  const id = await keyId(name, type, publicKey);
  return `${name}+${toHex(id)}+${toBase64(concat(new Uint8Array([type]), publicKey))}`;
}

const nameRule = 'a name has no spaces, plus signs or control characters.';

/**
 * The key of a text `name+id+base64(type ‖ key)`. Throws an Error that says what is wrong: the form, a type other than
 * 1 and 4, a weak key, an id that is not that of this name and key.
 */
export async function parseVerifierKey(vkey: string): Promise<Verifier> {
  const match = /^([^+]*)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey);
  if (!match) throw new Error(`${JSON.stringify(vkey)} is not a verifier key: it has the form name+id+key.`);
  const [, name = '', id = '', encoded = ''] = match;
  if (!isKeyName(name)) throw new Error(`${JSON.stringify(name)} cannot name a key: ${nameRule}`);
  const bytes = bytesOf(encoded);
  if (!bytes) throw new Error(`The verifier key of ${name} does not end in base64.`);
  const [type, key] = [bytes[0], bytes.slice(1)];
  if (type !== 1 && type !== 4) {
    throw new Error(`The verifier key of ${name} is of type ${type}; only Ed25519 (1 and 4) is known here.`);
  }
  const fault = keyFault(key);
  if (fault) throw new Error(`The verifier key of ${name} is unfit: ${fault}.`);
  const expected = await keyId(name, type, key);
  if (toHex(expected) !== id) {
    throw new Error(
      `The verifier key of ${name} says id ${id}, but this name and key have ${toHex(expected)}.`,
    );
  }
  return { name, keyId: expected, key, type };
}

/** Canonical base64, or null. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return fromBase64(text);
  } catch {
    return null;
  }
}

/** Whether both are the same name and id. */
export function sameKey(a: Pick<Verifier, 'name' | 'keyId'>, b: Pick<Verifier, 'name' | 'keyId'>): boolean {
  return a.name === b.name && sameBytes(a.keyId, b.keyId);
}
