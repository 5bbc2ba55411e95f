/**
 * Limits by day, counted in the store so that all processes and isolates count together. What is counted is a keyed
 * hash of a network prefix; the key is random, made for the day, and forgotten with it, so that afterwards nobody can
 * tell which network a count was of, and during it only who has the store.
 */
import { toHex, utf8 } from '../../schema/bytes.ts';
import type { Services } from '../services.ts';
import { countOnce, keyOfDay } from '../store/daily.ts';
import { tooMany } from './limiter.ts';

const dayMs = 24 * 3600_000;

/** The day of a time, in UTC, such as `2026-11-24`. */
export function dayOf(atMs: number): string {
  return new Date(atMs).toISOString().slice(0, 10);
}

/** How long the day of a time still lasts, in milliseconds. */
export function restOfDayMs(atMs: number): number {
  return dayMs - (atMs % dayMs);
}

/** HMAC-SHA-256 of a purpose and a prefix, in hexadecimal. */
export async function bucketOf(
  key: Uint8Array<ArrayBuffer>,
  purpose: string,
  prefix: string,
): Promise<string> {
  const hmac = { name: 'HMAC', hash: 'SHA-256' };
  const imported = await crypto.subtle.importKey('raw', key, hmac, false, ['sign']);
  return toHex(new Uint8Array(await crypto.subtle.sign('HMAC', imported, utf8(`${purpose}\n${prefix}`))));
}

/**
 * Counts the enrolment of a machine that is not known yet. Null stands for the machine itself, which is not counted.
 * Throws the `too-many-requests` refusal where the network has enrolled as many as it may today.
 */
export async function countEnrolment(
  { store, now, random, quotas, counts }: Pick<Services, 'store' | 'now' | 'random' | 'quotas' | 'counts'>,
  prefix: string | null,
): Promise<void> {
  if (prefix === null) return;
  const nowMs = now();
  const day = dayOf(nowMs);
  const bucket = await bucketOf(await keyOfDay(store, day, () => random(32)), 'enrolments', prefix);
  if ((await countOnce(store, day, bucket)) <= quotas.enrolmentsPerPrefixAndDay) return;
  counts.limited('enrolments-per-prefix');
  throw tooMany('This network has enrolled as many machines as it may in a day.', restOfDayMs(nowMs));
}
