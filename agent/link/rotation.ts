/**
 * Replaces the key in a file, with the survey's consent, step by step:
 *
 *  1. FILE.next          the next key, durable before anything is signed with it
 *  2. FILE.rotation      the signed request: whoever is killed sends the same bytes again, and is answered as before
 *  3.                    the survey has taken it in: from here on the next key is the machine's (or the owner's)
 *  4. FILE.before-…      the old key, under the first 8 digits of its public key: it may end what it began
 *  5. FILE               becomes the next key, in one step
 *  6.                    the request is removed
 *
 * Killed between any two, the next run goes on where the files show that this one ended. No key is ever deleted.
 */
import { readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import nacl from 'tweetnacl';
import * as z from 'zod';
import { fromBase64, toHex } from '../../schema/bytes.ts';
import { type Envelope, envelope, rotationStatement } from '../../schema/envelope.ts';
import type { KeyRole } from '../../schema/vocabulary.ts';
import { type RotateBody, rotateBody } from '../../schema/wire.ts';
import { Advice } from '../advice.ts';
import { createDurably, syncDirectory } from '../durable.ts';
import { Refused } from './api.ts';
import { existingKey, formerPath, type KeyPair, keyIn } from './keys.ts';
import { signBody } from './sign.ts';

/** What was done; said after it is durable. */
export type RotationStep = 'next key made' | 'request written' | 'accepted' | 'old key kept' | 'key replaced';

export interface RotationOptions {
  /** The file with the key. */
  readonly path: string;
  readonly role: KeyRole;
  /** The survey's address: a request that was begun for one survey is not sent to another. */
  readonly url: string;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly nowMs: number;
  readonly onStep?: (step: RotationStep) => void;
}

export interface Rotation {
  /** Public keys. */
  readonly key: string;
  readonly next: string;
  readonly request: Envelope;
}

const requestFile = z.object({ url: z.string(), request: envelope });

const nextPath = (path: string) => `${path}.next`;
const requestPath = (path: string) => `${path}.rotation`;

/** The request that an earlier run left, or null. */
async function begun(path: string): Promise<(Rotation & { readonly url: string }) | null> {
  const text = await readFile(requestPath(path), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) return null;
  try {
    const { url, request } = requestFile.parse(JSON.parse(text));
    const payload = new TextDecoder().decode(fromBase64(request.payload));
    const { key, next } = rotateBody.parse(JSON.parse(payload));
    return { url, key, next, request };
  } catch {
    throw new Advice(
      `${requestPath(path)} does not hold a request to rotate a key. Restore it from a backup.`,
    );
  }
}

function requestOf({ role, nowMs }: RotationOptions, old: KeyPair, next: KeyPair): Envelope {
  const statement = rotationStatement(old.publicKey, next.publicKey);
  const body: RotateBody = {
    version: '1.0',
    role,
    key: old.name,
    next: next.name,
    next_signature: toHex(nacl.sign.detached(statement, next.secretKey)),
    created_at: new Date(nowMs).toISOString(),
  };
  return signBody('rotate', body, old);
}

/** The rotation to carry out: the one that was begun, else a new one, whose key and request are durable then. */
export async function prepareRotation(options: RotationOptions): Promise<Rotation> {
  const { path, url, randomBytes, onStep } = options;
  const earlier = await begun(path);
  if (earlier !== null) {
    if (earlier.url === url) return earlier;
    throw new Advice(
      `A rotation of ${path} was begun for ${earlier.url}, and may have been accepted there. End it first:`,
      [`dumpsurvey rotate --url ${earlier.url}`],
    );
  }
  const old = await existingKey(path);
  if (old === null) throw new Advice(`There is no key in ${path} that could be replaced.`);
  const next = await keyIn(nextPath(path), randomBytes);
  onStep?.('next key made');
  const request = requestOf(options, old, next);
  const written = await createDurably(requestPath(path), JSON.stringify({ url, request }), 0o600);
  onStep?.('request written');
  // Another process was faster: its request is the one.
  return written ? { key: old.name, next: next.name, request } : prepareRotation(options);
}

/** Carries a rotation out, or what is left of it. `send` resolves where the survey has taken the request in. */
export async function rotateKey(
  options: RotationOptions,
  send: (request: Envelope) => Promise<void>,
): Promise<Rotation> {
  const { path, onStep } = options;
  const rotation = await prepareRotation(options);
  const { key, next, request } = rotation;
  const present = await existingKey(path);
  if (present?.name !== next) {
    const waiting = await existingKey(nextPath(path));
    if (present?.name !== key || waiting?.name !== next) {
      throw new Advice(
        `${path} and ${nextPath(path)} do not hold the keys of the rotation that was begun. Restore them from a backup.`,
      );
    }
    try {
      await send(request);
    } catch (error) {
      // Only the survey itself refuses for good; whoever sits in between knows nothing of it.
      if (error instanceof Refused && error.type.startsWith('/problems/')) await setAside(path, next);
      throw error;
    }
    onStep?.('accepted');
    await createDurably(formerPath(path, key), `${toHex(present.secretKey.slice(0, 32))}\n`, 0o600);
    onStep?.('old key kept');
    await rename(nextPath(path), path);
    await syncDirectory(dirname(path));
    onStep?.('key replaced');
  }
  await rm(requestPath(path));
  await syncDirectory(dirname(path));
  return rotation;
}

/** Puts a rotation away that was refused: a later one begins anew. */
async function setAside(path: string, next: string): Promise<void> {
  await rm(requestPath(path));
  await rename(nextPath(path), `${path}.refused-${next.slice(0, 8)}`);
  await syncDirectory(dirname(path));
}
