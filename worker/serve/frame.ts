/** What every answer has: a request id, headers that keep browsers strict, and the one place where errors become answers. */
import type { Context, MiddlewareHandler } from 'hono';
import { toHex } from '../../schema/bytes.ts';
import { type ProblemSlug, problem } from '../../schema/problem.ts';
import { Refusal } from '../refusal.ts';
import { rootOf } from '../root-cause.ts';
import type { Client, Services } from '../services.ts';
import { problemAnswer } from './answer.ts';
import { type Audience, headersOf, preflightHeaders } from './headers.ts';
import { methodOf, routeOf } from './observe.ts';

/** Variables that handlers may read from the context. */
export interface Variables {
  requestId: string;
  /** Who sent the request. */
  client: Client;
  /** What was wrong with the request, where it was refused. */
  problem?: ProblemSlug;
  /** Whom the answer is for, where it is not for everybody. */
  audience?: Audience;
}
export interface AppEnv {
  Variables: Variables;
}
export type AppContext = Context<AppEnv>;

/** Puts a request id and the security headers on every answer, whoever made it. */
export function dressAnswers(services: Services): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const requestId = toHex(services.random(8));
    c.set('requestId', requestId);
    await next();
    const { headers } = c.res;
    headers.set('x-request-id', requestId);
    const audience = c.get('audience') ?? null;
    const kind = {
      method: c.req.method,
      audience,
      isHttps: (services.publicUrl || c.req.url).startsWith('https:'),
    };
    for (const [name, value] of Object.entries(headersOf(kind))) headers.set(name, value);
    if (audience !== null) headers.set('cache-control', 'no-store');
    else if (!headers.has('cache-control')) headers.set('cache-control', 'no-cache');
  };
}

/** Refuses a network that asks too often, before anything is done for it. */
export function limitRate({ limiter, clientOf }: Services): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const client = clientOf(c);
    c.set('client', client);
    if (client.prefix !== null) limiter.request(client.prefix);
    await next();
  };
}

/** Refuses an address that is longer than any that has an answer. */
export function checkTarget({ quotas }: Services): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const { url } = c.req;
    const charCount = url.length - url.indexOf('/', 'https://'.length);
    if (charCount > quotas.targetMaxChars) {
      throw new Refusal(
        'uri-too-long',
        `Path and query have ${charCount} characters; ${quotas.targetMaxChars} are allowed.`,
      );
    }
    await next();
  };
}

/** The answer to an error. Only a Refusal tells its story; anything else is logged under the request id and not shown. */
export function answerError({ log, counts }: Services): (error: unknown, c: AppContext) => Response {
  return (error, c) => {
    if (error instanceof Refusal) {
      c.set('problem', error.slug);
      return problemAnswer(error.problem, error.headers);
    }
    const request_id = c.get('requestId');
    const cause = rootOf(error);
    log({ event: 'request-failed', request_id, route: routeOf(c), method: methodOf(c), cause });
    counts.unexpectedError();
    return problemOf(c, 'internal-error', `Request ${request_id} could not be answered.`);
  };
}

function problemOf(
  c: AppContext,
  slug: ProblemSlug,
  detail: string,
  headers: Record<string, string> = {},
): Response {
  c.set('problem', slug);
  return problemAnswer(problem(slug, detail), headers);
}

/** The answer where no route is. */
export function answerNotFound(c: AppContext): Response {
  return problemOf(c, 'not-found', `There is nothing at ${c.req.path.slice(0, 200)}.`);
}

/** The answer to a method that an address does not take; OPTIONS learns what it does take. */
export function answerOtherMethod(allowed: readonly string[]): (c: AppContext) => Response {
  const allow = [...allowed, 'OPTIONS'].join(', ');
  return (c) => {
    if (c.req.method !== 'OPTIONS') {
      const detail = `${c.req.path.slice(0, 200)} takes ${allow}, and not ${c.req.method.slice(0, 40)}.`;
      return problemOf(c, 'method-not-allowed', detail, { allow });
    }
    return new Response(null, { status: 204, headers: preflightHeaders(allowed) });
  };
}
