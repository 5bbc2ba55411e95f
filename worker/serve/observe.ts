/** Tells of each request, once it is answered: to the log and to the counts. */
import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { Services } from '../services.ts';
import type { AppContext, AppEnv } from './frame.ts';

/** What stands for an address that has no route: what was asked for is the sender's and is told to nobody. */
export const noRoute = '(none)';

const knownMethods = new Set(['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'PATCH', 'DELETE']);

/** The pattern of the route that a request has met. */
export function routeOf(c: AppContext): string {
  const pattern = routePath(c, -1);
  return pattern === '/*' || pattern === '*' || pattern === '' ? noRoute : pattern;
}

/** The request's method, where it is one that anybody uses. */
export function methodOf(c: AppContext): string {
  return knownMethods.has(c.req.method) ? c.req.method : '(other)';
}

/** Rounded to a hundredth. */
const rounded = (ms: number) => Math.round(ms * 100) / 100;

/** The middleware. What is to be told of must run inside of it. */
export function observe({ log, counts, monotonicMs }: Services): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const startedAtMs = monotonicMs();
    await next();
    const durationMs = monotonicMs() - startedAtMs;
    const { status } = c.res;
    const length = c.res.headers.get('content-length');
    const request = { route: routeOf(c), method: methodOf(c), status };
    counts.request(request, durationMs);
    log({
      event: 'request',
      request_id: c.get('requestId'),
      ...request,
      problem: c.get('problem') ?? null,
      duration_ms: rounded(durationMs),
      bytes: length === null ? null : Number(length),
    });
  };
}
