/** Starts the edge API on each of its runtimes, alike for the suite: an empty store, a clock that can be set. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Client, createClient } from '@libsql/client';
import { unstable_startWorker } from 'wrangler';
import { startServer } from '../../worker/node.ts';
import { applyMigrations } from '../../worker/store/migrations.ts';
import { closeStore, openStore } from '../../worker/store/open.ts';
import { startHrana } from './hrana.ts';

export const runtimeNames = ['node', 'workerd'] as const;
export type RuntimeName = (typeof runtimeNames)[number];

export interface Runtime {
  readonly url: string;
  /** Sets the server's clock this much ahead of the real one. */
  readonly setClock: (offsetMs: number) => Promise<void>;
  /** Publishes what is due, as the runtime's own clock would. */
  readonly tick: () => Promise<void>;
  /** The store's file, for a look past the API. */
  readonly database: Client;
  readonly stop: () => Promise<void>;
}

export interface RuntimeOptions {
  readonly referenceOwners?: readonly string[];
  readonly metricsToken?: string;
}

/** Starts a runtime. */
export async function startRuntime(name: RuntimeName, options: RuntimeOptions = {}): Promise<Runtime> {
  const data = await mkdtemp(join(tmpdir(), 'dumpsurvey-http-'));
  const start = name === 'node' ? startNode : startWorkerd;
  const runtime = await start(data, options);
  const database = createClient({ url: pathToFileURL(join(data, 'survey.db')).href, concurrency: 1 });
  return {
    ...runtime,
    database,
    stop: async () => {
      database.close();
      await runtime.stop();
      await rm(data, { recursive: true, force: true });
    },
  };
}

type Started = Omit<Runtime, 'database'>;

async function startNode(
  data: string,
  { referenceOwners = [], metricsToken }: RuntimeOptions,
): Promise<Started> {
  let offsetMs = 0;
  const server = await startServer({
    port: 0,
    data,
    referenceOwners,
    ...(metricsToken ? { metricsToken } : {}),
    now: () => Date.now() + offsetMs,
    editionEveryMs: 20,
    lookEveryMs: 50,
  });
  return {
    url: server.url,
    setClock: async (ms) => {
      offsetMs = ms;
    },
    tick: () => new Promise((done) => setTimeout(done, 60)),
    stop: server.close,
  };
}

async function startWorkerd(
  data: string,
  { referenceOwners = [], metricsToken = '' }: RuntimeOptions,
): Promise<Started> {
  const path = join(data, 'survey.db');
  const hrana = await startHrana(path);
  const store = await openStore({ url: hrana.url });
  await applyMigrations(store);
  closeStore(store);
  const worker = await unstable_startWorker({
    config: fileURLToPath(new URL('../../wrangler.toml', import.meta.url)),
    entrypoint: fileURLToPath(new URL('edge-entry.ts', import.meta.url)),
    bindings: {
      DATABASE_URL: { type: 'plain_text', value: hrana.url },
      REFERENCE_OWNERS: { type: 'plain_text', value: referenceOwners.join(',') },
      METRICS_TOKEN: { type: 'plain_text', value: metricsToken },
    },
    dev: {
      server: { hostname: '127.0.0.1', port: 0 },
      inspector: false,
      watch: false,
      persist: false,
      logLevel: 'error',
    },
  });
  const url = (await worker.url).origin;
  const ask = async (path: string, body = '') => {
    const response = await fetch(url + path, { method: 'POST', body });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  };
  return {
    url,
    setClock: (ms) => ask('/test/clock', String(ms)),
    tick: () => ask('/test/cron'),
    stop: async () => {
      await worker.dispose();
      await hrana.close();
    },
  };
}
