/** What the headers of a request say of its body, before a byte of it is read. */
import type { Fault } from '../refusal.ts';

/**
 * Why a body of this kind is not read, or null. A compressed body is refused, because a few bytes of it can unpack
 * to gigabytes. JSON alone is taken, or a body that does not say what it is: what a page of another origin can make
 * a browser send without asking first (forms, plain text) is not.
 */
export function faultOfContent(headers: Headers): Fault | null {
  const encoding = (headers.get('content-encoding') ?? '').trim();
  if (!/^(?:identity)?$/i.test(encoding)) {
    return {
      slug: 'unsupported-encoding',
      detail: `Content-Encoding is ${encoding.slice(0, 60)}; bodies are taken as they are.`,
    };
  }
  const type = headers.get('content-type');
  if (type === null || /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type.trim())) return null;
  return {
    slug: 'unsupported-media-type',
    detail: `Content-Type is ${type.slice(0, 60)}; this address takes application/json.`,
  };
}
