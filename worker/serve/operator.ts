/** Addresses that are for the operator only. */
import { sha256, utf8 } from '../../schema/bytes.ts';
import { Refusal } from '../refusal.ts';
import type { Services } from '../services.ts';
import type { AppContext } from './frame.ts';

/** Whether two secrets are equal. Their hashes are compared, all of them, so that the time says nothing of where they differ. */
export async function equalSecrets(a: string, b: string): Promise<boolean> {
  const [hashOfA, hashOfB] = await Promise.all([sha256(utf8(a)), sha256(utf8(b))]);
  return hashOfA.reduce((difference, byte, i) => difference | (byte ^ (hashOfB[i] ?? 0)), 0) === 0;
}

/**
 * Lets the operator pass: with the token, where one is set, and otherwise only from the server's own machine. Throws
 * the `not-authorized` refusal. What follows can be read by no page of another origin and is kept in no cache.
 */
export async function letOperatorPass({ operator }: Services, c: AppContext): Promise<void> {
  c.set('audience', 'operator');
  const { token, isHere } = operator;
  if (token === null ? isHere(c) : await hasToken(c, token)) return;
  const where = token === null ? 'this machine only' : 'whoever has the token';
  throw new Refusal('not-authorized', `This address answers to ${where}.`, { 'www-authenticate': 'Bearer' });
}

async function hasToken(c: AppContext, token: string): Promise<boolean> {
  const given = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '')?.[1];
  return given !== undefined && equalSecrets(given, token);
}
