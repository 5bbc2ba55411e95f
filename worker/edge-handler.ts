/**
 * The edge API on Workers, with a libSQL server over HTTP as its store. A store is opened for each request: under
 * Workers one request may not use what another has opened. Only the cache of answers is shared, and holds values.
 */
import { problem } from '../schema/problem.ts';
import { createApp } from './app.ts';
import { createCache } from './edition/cache.ts';
import { editionEveryMs, publishIfDue } from './edition/publish.ts';
import { createCounts } from './metrics/counts.ts';
import { quotas } from './quotas.ts';
import { rootOf } from './root-cause.ts';
import { problemAnswer } from './serve/answer.ts';
import { closeStore, openStore, type Store } from './store/open.ts';
import { jsonLog } from './telemetry/sinks.ts';

/** Settings of a deployment; see wrangler.toml. */
export interface EdgeEnv {
  readonly DATABASE_URL?: string;
  readonly DATABASE_AUTH_TOKEN?: string;
  /** Public keys in hexadecimal, separated by commas. */
  readonly REFERENCE_OWNERS?: string;
  /** The address that feeds name; without it, the origin of the request. */
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

/** The handlers of a Worker. The clock and the pace of editions are given by tests only. */
export function createEdge(now: () => number = Date.now, everyMs: number = editionEveryMs): EdgeHandler {
  const cache = createCache();
  const log = jsonLog((line) => console.log(line), now);
  // A Worker's clock stands still at 0 until its first request.
  let startedAtMs = 0;
  const counts = createCounts('Counted by one isolate of several, each from zero.');

  async function publish(env: EdgeEnv): Promise<void> {
    const store = await storeOf(env, counts.storeBusy);
    try {
      const { published } = await publishIfDue(store, now(), everyMs);
      if (published !== null) {
        log({ event: 'edition-published', number: published.number, log_size: published.log_size });
      }
    } finally {
      closeStore(store);
    }
  }

  return {
    fetch: async (request, env, context) => {
      startedAtMs ||= now();
      let store: Store;
      try {
        store = await storeOf(env, counts.storeBusy);
      } catch (error) {
        log({ event: 'store-failed', cause: rootOf(error) });
        return problemAnswer(problem('internal-error', 'The store of this deployment could not be opened.'));
      }
      const app = createApp({
        store,
        now,
        random: randomBytes,
        referenceOwners: new Set((env.REFERENCE_OWNERS ?? '').split(',').map((key) => key.trim())),
        campaign: () => Promise.resolve(null),
        publicUrl: env.PUBLIC_URL ?? new URL(request.url).origin,
        quotas,
        log,
        counts,
        monotonicMs: () => performance.now(),
        startedAtMs,
        runtime: 'workers',
        operator: { token: env.METRICS_TOKEN || null, isHere: () => false },
        isDraining: () => false,
        cache,
        admitted: () => {
          const later = publish(env).catch((error: unknown) =>
            log({ event: 'publishing-failed', cause: rootOf(error) }),
          );
          context.waitUntil(later);
        },
      });
      return app.fetch(request);
    },
    scheduled: (_controller, env) => publish(env),
  };
}
