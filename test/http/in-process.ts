/** The application in this process, on a file store of its own: no sockets, no timers, the caller's clock and randomness. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultControlShare } from '../../worker/admit/control.ts';
import { createApp } from '../../worker/app.ts';
import { createCache } from '../../worker/edition/cache.ts';
import { publishingRound } from '../../worker/edition/round.ts';
import { noHighWater } from '../../worker/log/high-water.ts';
import { logIdentity } from '../../worker/log/identity.ts';
import { createCounts } from '../../worker/metrics/counts.ts';
import { quotas } from '../../worker/quotas.ts';
import { noLimits } from '../../worker/rate/limiter.ts';
import type { Services } from '../../worker/services.ts';
import { applyMigrations } from '../../worker/store/migrations.ts';
import { closeStore, openStore } from '../../worker/store/open.ts';

export interface InProcess {
  readonly fetch: (request: Request) => Promise<Response>;
  /** Publishes an edition, where there is anything to publish. */
  readonly publish: () => Promise<void>;
  readonly services: Services;
  /** The store's file, for a look past the API. */
  readonly databaseUrl: string;
  readonly stop: () => Promise<void>;
}

/** The origin of every address here; nothing listens there. */
export const origin = 'http://survey.example';

/** Starts it with an empty store. */
export async function startInProcess(
  given: Pick<Services, 'now' | 'random'> & Partial<Services>,
): Promise<InProcess> {
  const data = await mkdtemp(join(tmpdir(), 'dumpsurvey-in-process-'));
  const databaseUrl = pathToFileURL(join(data, 'survey.db')).href;
  const store = await openStore({ url: databaseUrl });
  await applyMigrations(store);
  const counts = createCounts('Counted in this process.');
  const services: Services = {
    store,
    referenceOwners: new Set(),
    operators: new Set(),
    auditors: new Set(),
    signer: await logIdentity(new Uint8Array(32).fill(7), 'survey.example/log'),
    highWater: noHighWater,
    witnesses: [],
    controlShare: defaultControlShare,
    quotas,
    limiter: noLimits,
    clientOf: () => ({ prefix: null }),
    log: () => undefined,
    counts,
    monotonicMs: () => 0,
    startedAtMs: given.now(),
    runtime: 'node',
    operator: { token: null, isHere: () => true },
    isDraining: () => false,
    campaign: () => Promise.resolve(null),
    publicUrl: origin,
    cache: createCache(),
    admitted: () => undefined,
    ...given,
  };
  const publish = async () => {
    await publishingRound(services, 0);
  };
  await publish();
  const app = createApp(services);
  return {
    fetch: async (request) => app.fetch(request),
    publish,
    services,
    databaseUrl,
    stop: async () => {
      closeStore(store);
      await rm(data, { recursive: true, force: true });
    },
  };
}
