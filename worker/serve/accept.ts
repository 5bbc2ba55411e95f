/** Whether a browser asks: pages for people, JSON for everybody else, at the same address. */
import { accepts } from 'hono/accepts';
import { formatQuery } from '../../schema/parameters.ts';
import type { AppContext } from './frame.ts';
import { readQuery } from './query.ts';

/** True where the request prefers HTML to JSON. `format=json` in the query overrules the Accept header. Throws `invalid-query`. */
export function wantsPage(c: AppContext): boolean {
  if (readQuery(formatQuery, c.req.url).format === 'json') return false;
  const preferred = accepts(c, {
    header: 'Accept',
    supports: ['application/json', 'text/html'],
    default: 'application/json',
  });
  return preferred === 'text/html';
}
