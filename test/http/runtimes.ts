/** Starts the edge API on each of its runtimes, alike for the suite: an empty store, a clock that can be set. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { type Client, createClient } from '@libsql/client';
import { unstable_startWorker } from 'wrangler';

import { startServer } from '../../worker/node.ts';
import type { Quotas } from '../../worker/quotas.ts';
import { applyMigrations } from '../../worker/store/migrations.ts';
import { closeStore, openStore } from '../../worker/store/open.ts';
import { startHrana } from './hrana.ts';
import { keyPair } from './samples.ts';

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
  /** Without it, the owner of sample machines is the survey's own, so that their trials count. */
  readonly referenceOwners?: readonly string[];
  readonly operators?: readonly string[];
  readonly auditors?: readonly string[];
  readonly witnesses?: readonly string[];
  readonly controlShare?: number;
  readonly quotas?: Partial<Quotas>;
  readonly metricsToken?: string;
  /** On Node: whether X-Forwarded-For is believed. Workers believe CF-Connecting-IP always. */
  readonly trustProxy?: boolean;
}

/** The suites send far more than volunteers do. On Node they send from the machine itself, which is not limited. */
const unlimited: Partial<Quotas> = {
  requestsPerPrefix: { burst: 1e9, perSecond: 1 },
  admissionsPerKey: { burst: 1e9, perSecond: 1 },
  enrolmentsPerPrefixAndDay: 1e9,
};

const sampleOwners = [keyPair('owner').publicHex];
const origin = 'survey.test/log';

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

async function startNode(data: string, options: RuntimeOptions): Promise<Started> {
  let offsetMs = 0;
  const server = await startServer({
    port: 0,
    data,
    origin,
    referenceOwners: sampleOwners,
    // A ticket in fifty would be another than the tests expect.
    controlShare: 0,
    ...options,
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

async function startWorkerd(data: string, options: RuntimeOptions): Promise<Started> {
  const { referenceOwners = sampleOwners, operators = [], auditors = [], witnesses = [] } = options;
  const plain = (value: string) => ({ type: 'plain_text' as const, value });
  const path = join(data, 'survey.db');
  const hrana = await startHrana(path);
  const store = await openStore({ url: hrana.url });
  await applyMigrations(store);
  closeStore(store);
  const worker = await unstable_startWorker({
    config: fileURLToPath(new URL('../../wrangler.toml', import.meta.url)),
    entrypoint: fileURLToPath(new URL('edge-entry.ts', import.meta.url)),
    bindings: {
      DATABASE_URL: plain(hrana.url),
      REFERENCE_OWNERS: plain(referenceOwners.join(',')),
      OPERATORS: plain(operators.join(',')),
      AUDITORS: plain(auditors.join(',')),
      WITNESSES: plain(witnesses.join(',')),
      LOG_KEY: plain('07'.repeat(32)),
      LOG_ORIGIN: plain(origin),
      CONTROL_SHARE: plain(String(options.controlShare ?? 0)),
      TEST_QUOTAS: plain(JSON.stringify({ ...unlimited, ...options.quotas })),
      METRICS_TOKEN: plain(options.metricsToken ?? ''),
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
  await ask('/test/cron');
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
