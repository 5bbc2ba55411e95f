/**
 * The edge API on Workers, with a libSQL server over HTTP as its store. A store is opened for each request: under
 * Workers one request may not use what another has opened. Only the cache of answers is shared, and holds values.
 */
import { fromHex } from '../schema/bytes.ts';
import { problem } from '../schema/problem.ts';
import { defaultControlShare } from './admit/control.ts';
import { createApp } from './app.ts';
import { createCache } from './edition/cache.ts';
import { editionEveryMs } from './edition/publish.ts';
import { publishingRound } from './edition/round.ts';
import { noHighWater } from './log/high-water.ts';
import { type LogIdentity, logIdentity } from './log/identity.ts';
import { parseWitness } from './log/witnesses.ts';
import { createCounts } from './metrics/counts.ts';
import { type Quotas, quotas as usualQuotas } from './quotas.ts';
import { createLimiter } from './rate/limiter.ts';
import { prefixOf } from './rate/prefix.ts';
import { rootOf } from './root-cause.ts';
import { problemAnswer } from './serve/answer.ts';
import { strictHeaders } from './serve/headers.ts';
import type { Services } from './services.ts';
import { currentEdition } from './store/editions.ts';
import { closeStore, openStore, type Store } from './store/open.ts';
import { jsonLog } from './telemetry/sinks.ts';

/** Settings of a deployment; see wrangler.toml. */
export interface EdgeEnv {
  readonly DATABASE_URL?: string;
  readonly DATABASE_AUTH_TOKEN?: string;
  /** Public keys in hexadecimal, separated by commas. */
  readonly REFERENCE_OWNERS?: string;
  /** Public keys in hexadecimal, separated by commas: whose decisions are obeyed. */
  readonly OPERATORS?: string;
  /** SHA-256 in hexadecimal of the tokens of named auditors, separated by commas. */
  readonly AUDITORS?: string;
  /** The seed of the log's key, 64 hexadecimal digits: a secret. */
  readonly LOG_KEY?: string;
  /** The log's name, such as `survey.example/log`: it never changes. */
  readonly LOG_ORIGIN?: string;
  /** `VKEY=URL` of each witness, separated by commas. */
  readonly WITNESSES?: string;
  /** The share of tickets that are controls, 0 to 1. */
  readonly CONTROL_SHARE?: string;
  /** The address that feeds name; without it their links are relative. Never what a request calls it. */
  readonly PUBLIC_URL?: string;
  /** What opens /metrics; without it, nobody can read them. */
  readonly METRICS_TOKEN?: string;
}

/** What Workers give beside the request. */
export interface EdgeContext {
  readonly waitUntil: (work: Promise<unknown>) => void;
}

export interface EdgeHandler {
  readonly fetch: (request: Request, env: EdgeEnv, context: EdgeContext) => Promise<Response>;
  /** Publishes the edition that is due, also when nobody asks: deadlines pass by themselves. */
  readonly scheduled: (controller: unknown, env: EdgeEnv) => Promise<void>;
}

function storeOf({ DATABASE_URL, DATABASE_AUTH_TOKEN }: EdgeEnv, onBusy: () => void): Promise<Store> {
  if (!DATABASE_URL) throw new Error('DATABASE_URL is not set: see wrangler.toml');
  return openStore({
    url: DATABASE_URL,
    onBusy,
    ...(DATABASE_AUTH_TOKEN ? { authToken: DATABASE_AUTH_TOKEN } : {}),
  });
}

function randomBytes(byteCount: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(byteCount));
}

function listOf(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

async function identityOf({ LOG_KEY, LOG_ORIGIN }: EdgeEnv): Promise<LogIdentity> {
  if (!LOG_KEY || !/^[0-9a-f]{64}$/.test(LOG_KEY))
    throw new Error('LOG_KEY is not set to 64 hexadecimal digits: see wrangler.toml');
  return logIdentity(fromHex(LOG_KEY), LOG_ORIGIN);
}

/** The handlers of a Worker. The clock, the pace of editions and the figures are given by tests only. */
export function createEdge(
  now: () => number = Date.now,
  everyMs: number = editionEveryMs,
  quotas: Quotas = usualQuotas,
): EdgeHandler {
  const cache = createCache();
  let begun = false;
  const log = jsonLog((line) => console.log(line), now);
  // A Worker's clock stands still at 0 until its first request.
  let startedAtMs = 0;
  const counts = createCounts('Counted by one isolate of several, each from zero.');

  const limiter = createLimiter(quotas, counts, () => performance.now());

  async function servicesOf(env: EdgeEnv, later: (work: Promise<unknown>) => void) {
    const signer = await identityOf(env);
    const witnesses = await Promise.all(listOf(env.WITNESSES).map(parseWitness));
    const store = await storeOf(env, counts.storeBusy);
    const services: Services = {
      store,
      now,
      random: randomBytes,
      referenceOwners: new Set(listOf(env.REFERENCE_OWNERS)),
      operators: new Set(listOf(env.OPERATORS)),
      auditors: new Set(listOf(env.AUDITORS)),
      signer,
      highWater: noHighWater,
      witnesses,
      controlShare: env.CONTROL_SHARE === undefined ? defaultControlShare : Number(env.CONTROL_SHARE),
      campaign: () => Promise.resolve(null),
      publicUrl: env.PUBLIC_URL ?? '',
      quotas,
      limiter,
      clientOf: (c) => ({ prefix: prefixOf(c.req.header('cf-connecting-ip') ?? null) }),
      log,
      counts,
      monotonicMs: () => performance.now(),
      startedAtMs,
      runtime: 'workers',
      operator: { token: env.METRICS_TOKEN || null, isHere: () => false },
      isDraining: () => false,
      cache,
      admitted: () => {
        const work = publish(env).catch((error: unknown) =>
          log({ event: 'publishing-failed', cause: rootOf(error) }),
        );
        later(work);
      },
    };
    // A deployment that was never asked has no checkpoint and no edition yet.
    if (!begun && (await currentEdition(store)) === null) await publishingRound(services, everyMs);
    begun = true;
    return services;
  }

  async function publish(env: EdgeEnv): Promise<void> {
    const services = await servicesOf(env, () => undefined);
    try {
      await publishingRound(services, everyMs);
    } finally {
      closeStore(services.store);
    }
  }

  return {
    fetch: async (request, env, context) => {
      startedAtMs ||= now();
      let services: Services;
      try {
        services = await servicesOf(env, (work) => context.waitUntil(work));
      } catch (error) {
        log({ event: 'store-failed', cause: rootOf(error) });
        return problemAnswer(
          problem('internal-error', 'The store or the settings of this deployment cannot be used.'),
          strictHeaders,
        );
      }
      return createApp(services).fetch(request);
    },
    scheduled: (_controller, env) => publish(env),
  };
}
