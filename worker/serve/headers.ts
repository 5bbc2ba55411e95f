/**
 * The headers that keep browsers strict, and those that let pages of other origins read. Pure: what an answer gets
 * follows from what kind of answer it is.
 */
import { pagePolicy } from '../view/paths.ts';

/** Whom some answers are for alone: they are kept in no cache, and no page of another origin can read them. */
export type Audience = 'operator' | 'auditor';

/** What these headers ask of an answer. */
export interface AnswerKind {
  readonly method: string;
  /** Whom it is for, where it is not for everybody. */
  readonly audience: Audience | null;
  /** Whether the survey's public address is https. */
  readonly isHttps: boolean;
}

/** Nothing here needs any of them, so no page that is let in by mistake gets them. */
const permissions = [
  'camera',
  'display-capture',
  'geolocation',
  'microphone',
  'payment',
  'usb',
  'browsing-topics',
];

/** On every answer, also on those that no application made. */
export const strictHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': pagePolicy,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'permissions-policy': permissions.map((name) => `${name}=()`).join(', '),
  'cross-origin-opener-policy': 'same-origin',
};

/** A year, for this host only: what else its domain serves is not ours to say. */
const https = { 'strict-transport-security': 'max-age=31536000' };

/** What is public may be read by the pages of any origin; what is sent here, only by this origin's. */
const readByAll = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Retry-After, X-Request-Id',
  'cross-origin-resource-policy': 'cross-origin',
};
const readHere = { 'cross-origin-resource-policy': 'same-origin' };

/** The headers of an answer. */
export function headersOf({ method, audience, isHttps }: AnswerKind): Readonly<Record<string, string>> {
  const isPublicRead = audience === null && (method === 'GET' || method === 'HEAD');
  return { ...strictHeaders, ...(isHttps ? https : {}), ...(isPublicRead ? readByAll : readHere) };
}

/** The answer to OPTIONS: what an address takes. Pages of other origins may ask to read, and never to send. */
export function preflightHeaders(allowed: readonly string[]): Readonly<Record<string, string>> {
  const allow = [...allowed, 'OPTIONS'].join(', ');
  if (!allowed.includes('GET')) return { allow };
  return {
    allow,
    'access-control-allow-origin': '*',
    'access-control-allow-methods': 'GET, HEAD',
    'access-control-max-age': '86400',
  };
}
