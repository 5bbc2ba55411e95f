/**
 * The edge API on Node, with a file as its store.
 *
 *     node worker/node.ts
 *
 *   PORT                         8787
 *   HOST                         127.0.0.1: only this machine; set it to listen elsewhere
 *   DUMPSURVEY_DATA              data: the directory that holds survey.db
 *   DUMPSURVEY_PUBLIC_URL        http://127.0.0.1:PORT: the address that feeds name
 *   DUMPSURVEY_REFERENCE_OWNERS  public keys in hexadecimal, separated by commas
 *   DUMPSURVEY_OPERATORS         public keys in hexadecimal, separated by commas: whose decisions are obeyed
 *   DUMPSURVEY_AUDITORS          SHA-256 in hexadecimal of the tokens of named auditors, separated by commas
 *   DUMPSURVEY_LOG_ORIGIN        the log's name, such as survey.example/log: it never changes. Unset, its key's name
 *   DUMPSURVEY_WITNESSES         VKEY=URL of each witness, separated by commas
 *   DUMPSURVEY_CONTROL_SHARE     0.02: which share of the tickets are of control trials, where a machine can run them
 *   DUMPSURVEY_CAMPAIGN          a file that the local agent writes: {"planned": n, "nonces": […]}
 *   TRUST_PROXY                  1: a proxy in front adds to X-Forwarded-For whom it asks for
 *   METRICS_TOKEN                what opens /metrics; unset, only this machine can read them
 *   LOG                          text: what matters, in words; json: a line for each request and event; off
 */
import { randomFillSync } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { getRequestListener, RequestError } from '@hono/node-server';
import { problem } from '../schema/problem.ts';
import { defaultControlShare } from './admit/control.ts';
import { createApp } from './app.ts';
import { createCache } from './edition/cache.ts';
import { keepPublishing } from './edition/keep-publishing.ts';
import { editionEveryMs } from './edition/publish.ts';
import { publishingRound } from './edition/round.ts';
import { highWaterIn } from './log/high-water-file.ts';
import { logIdentity } from './log/identity.ts';
import { seedIn } from './log/key-file.ts';
import { parseWitness } from './log/witnesses.ts';
import { createCounts } from './metrics/counts.ts';
import { answerBytes, problemOfBytes } from './node/bytes.ts';
import { readCampaign } from './node/campaign.ts';
import { clientOf, isHere } from './node/client.ts';
import { listen } from './node/listen.ts';
import { type LogMode, settingsOf } from './node/settings.ts';
import { drain, onSignals, watchProgress } from './node/shutdown.ts';
import { type Quotas, quotas as usualQuotas } from './quotas.ts';
import { createLimiter } from './rate/limiter.ts';
import { rootOf } from './root-cause.ts';
import { problemAnswer } from './serve/answer.ts';
import { strictHeaders } from './serve/headers.ts';
import type { Services } from './services.ts';
import { carryOver } from './store/carry-over.ts';
import { applyMigrations } from './store/migrations.ts';
import { closeStore, openStore } from './store/open.ts';
import type { Log } from './telemetry/events.ts';
import { jsonLog, noLog, textLog } from './telemetry/sinks.ts';

export interface ServerOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly host?: string;
  /** The directory that holds survey.db; made where it is missing. */
  readonly data: string;
  readonly publicUrl?: string;
  readonly referenceOwners?: readonly string[];
  /** Public keys in hexadecimal: whose decisions are obeyed. */
  readonly operators?: readonly string[];
  /** SHA-256 in hexadecimal of the tokens of named auditors. */
  readonly auditors?: readonly string[];
  /** `VKEY=URL` of each. */
  readonly witnesses?: readonly string[];
  /** The log's name; without one it is named after its key. */
  readonly origin?: string;
  readonly controlShare?: number;
  readonly campaignPath?: string;
  readonly now?: () => number;
  readonly random?: (byteCount: number) => Uint8Array<ArrayBuffer>;
  /** The least time between two editions, in milliseconds. */
  readonly editionEveryMs?: number;
  /** How often to look for deadlines that passed without any request, in milliseconds. */
  readonly lookEveryMs?: number;
  /** The figures of worker/quotas.ts that are others here. */
  readonly quotas?: Partial<Quotas>;
  /** Whether a proxy in front says in X-Forwarded-For whom it asks for. */
  readonly trustProxy?: boolean;
  /** What opens /metrics; without it, only this machine can read them. */
  readonly metricsToken?: string;
  /** Where events go; without it, what went wrong goes to standard error. */
  readonly log?: Log;
}

export interface RunningServer {
  readonly url: string;
  /** Takes no more requests, lets those in progress end for a time, then closes the store. */
  readonly close: () => Promise<void>;
}

function randomBytes(byteCount: number): Uint8Array<ArrayBuffer> {
  return randomFillSync(new Uint8Array(byteCount));
}

const troubleOnly: Log = textLog((line, level) => {
  if (level !== 'info') console.error(line);
});

/** Starts the server, with its store migrated and its first edition published. Throws an Error that says what to do. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { port, host = '127.0.0.1', data, campaignPath, log = troubleOnly } = options;
  const { now = Date.now, random = randomBytes, editionEveryMs: everyMs = editionEveryMs } = options;
  const quotas = { ...usualQuotas, ...options.quotas };
  const counts = createCounts('Counted by this process from zero.');
  await mkdir(data, { recursive: true, mode: 0o700 });
  const signer = await logIdentity(await seedIn(join(data, 'log.key'), random), options.origin);
  const witnesses = await Promise.all((options.witnesses ?? []).map(parseWitness));
  const store = await openStore({
    url: pathToFileURL(resolve(join(data, 'survey.db'))).href,
    onBusy: counts.storeBusy,
  });
  await applyMigrations(store);
  await carryOver(store, random);

  let draining = false;
  const listening = { url: options.publicUrl ?? '' };
  const services: Services = {
    store,
    now,
    random,
    referenceOwners: new Set(options.referenceOwners ?? []),
    operators: new Set(options.operators ?? []),
    auditors: new Set(options.auditors ?? []),
    signer,
    highWater: highWaterIn(join(data, 'log.mark')),
    witnesses,
    controlShare: options.controlShare ?? defaultControlShare,
    campaign: () => readCampaign(campaignPath),
    get publicUrl() {
      return options.publicUrl ?? listening.url;
    },
    quotas,
    limiter: createLimiter(quotas, counts, () => performance.now()),
    clientOf: (c) => clientOf(c, options.trustProxy ?? false),
    log,
    counts,
    monotonicMs: () => performance.now(),
    startedAtMs: Date.now() - performance.now(),
    runtime: 'node',
    operator: { token: options.metricsToken ?? null, isHere },
    isDraining: () => draining,
    cache: createCache(),
    admitted: () => publisher.soon(),
  };
  const publisher = keepPublishing(
    () => publishingRound(services, everyMs),
    options.lookEveryMs,
    (error) => log({ event: 'publishing-failed', cause: rootOf(error) }),
  );
  await publishingRound(services, everyMs);
  const app = createApp(services);
  /** The answer to what fails outside of the application: a Host or an address that is none, or a mistake of ours. */
  const answerOutside = (error: unknown) => {
    if (error instanceof RequestError) {
      counts.bytesRefused('not-http');
      log({ event: 'bytes-refused', problem: 'not-http' });
      return problemOfBytes(null);
    }
    counts.unexpectedError();
    log({ event: 'handing-over-failed', cause: rootOf(error) });
    return problemAnswer(problem('internal-error', 'The request could not be answered.'), strictHeaders);
  };
  const server = createServer(
    {
      maxHeaderSize: quotas.headersMaxBytes,
      headersTimeout: quotas.headersWithinMs,
      // The application gives up on a slow body first, and says so; this is for what never reaches it.
      requestTimeout: quotas.headersWithinMs + quotas.bodyWithinMs,
      connectionsCheckingInterval: Math.min(1000, quotas.headersWithinMs),
      // A connection that is kept is not closed just when an agent uses it again after a trial.
      keepAliveTimeout: 65_000,
    },
    getRequestListener(app.fetch, { errorHandler: answerOutside }),
  );
  const progress = watchProgress(server);
  answerBytes(server, (slug) => {
    counts.bytesRefused(slug);
    log({ event: 'bytes-refused', problem: slug });
  });
  try {
    listening.url = await listen(server, port, host);
  } catch (error) {
    closeStore(store);
    throw error;
  }
  publisher.soon();
  return {
    url: listening.url,
    close: async () => {
      draining = true;
      log({ event: 'draining', in_progress: progress.inProgress() });
      const cutOff = await drain(server, progress, quotas.drainWithinMs);
      await publisher.stop();
      closeStore(store);
      log({ event: 'stopped', cut_off: cutOff });
    },
  };
}

function logOf(mode: LogMode): Log {
  if (mode === 'off') return noLog;
  if (mode === 'json') return jsonLog((line) => console.log(line), Date.now);
  return textLog((line, level) => (level === 'info' ? console.log(line) : console.error(line)));
}

async function main(): Promise<void> {
  const settings = settingsOf(process.env);
  const log = logOf(settings.log);
  const server = await startServer({ ...settings.server, log });
  log({ event: 'listening', url: server.url });
  onSignals(process, {
    stop: () => {
      server.close().then(() => process.exit(0), fail);
    },
    leave: () => process.exit(130),
    monotonicMs: () => performance.now(),
  });
}

function fail(error: unknown): void {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}

if (import.meta.main) main().catch(fail);
