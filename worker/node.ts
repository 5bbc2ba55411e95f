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
 *   DUMPSURVEY_CAMPAIGN          a file that the local agent writes: {"planned": n, "nonces": […]}
 */
import { randomFillSync } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { getRequestListener, RequestError } from '@hono/node-server';
import * as z from 'zod';
import { problem } from '../schema/problem.ts';
import { nonce, publicKey } from '../schema/wire.ts';
import { createApp } from './app.ts';
import { createCache } from './edition/cache.ts';
import { keepPublishing } from './edition/keep-publishing.ts';
import { editionEveryMs, publishIfDue } from './edition/publish.ts';
import { answerBytes, problemOfBytes } from './node/bytes.ts';
import { type Quotas, quotas as usualQuotas } from './quotas.ts';
import { rootOf } from './root-cause.ts';
import { problemAnswer } from './serve/answer.ts';
import type { Campaign } from './services.ts';
import { applyMigrations } from './store/migrations.ts';
import { closeStore, openStore } from './store/open.ts';

export interface ServerOptions {
  /** 0 takes any free port. */
  readonly port: number;
  readonly host?: string;
  /** The directory that holds survey.db; made where it is missing. */
  readonly data: string;
  readonly publicUrl?: string;
  readonly referenceOwners?: readonly string[];
  readonly campaignPath?: string;
  readonly now?: () => number;
  readonly random?: (byteCount: number) => Uint8Array<ArrayBuffer>;
  /** The least time between two editions, in milliseconds. */
  readonly editionEveryMs?: number;
  /** How often to look for deadlines that passed without any request, in milliseconds. */
  readonly lookEveryMs?: number;
  /** The figures of worker/quotas.ts that are others here. */
  readonly quotas?: Partial<Quotas>;
}

export interface RunningServer {
  readonly url: string;
  /** Lets requests in progress end, then closes the store. */
  readonly close: () => Promise<void>;
}

const campaignFile = z.object({ planned: z.int().min(0), nonces: z.array(nonce).optional() });

function randomBytes(byteCount: number): Uint8Array<ArrayBuffer> {
  return randomFillSync(new Uint8Array(byteCount));
}

/** Reads the agent's campaign; null where there is none, or while it is being written. */
async function readCampaign(path: string | undefined): Promise<Campaign | null> {
  if (path === undefined) return null;
  try {
    const { planned, nonces } = campaignFile.parse(JSON.parse(await readFile(path, 'utf8')));
    return { planned, nonces: nonces ?? null };
  } catch {
    return null;
  }
}

/** Starts the server, with its store migrated and its first edition published. Throws an Error that says what to do. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { port, host = '127.0.0.1', data, campaignPath } = options;
  const { now = Date.now, random = randomBytes, editionEveryMs: everyMs = editionEveryMs } = options;
  const quotas = { ...usualQuotas, ...options.quotas };
  await mkdir(data, { recursive: true });
  const store = await openStore({ url: pathToFileURL(resolve(join(data, 'survey.db'))).href });
  await applyMigrations(store);

  const publisher = keepPublishing(() => publishIfDue(store, now(), everyMs), options.lookEveryMs);
  const cache = createCache();
  const listening = { url: options.publicUrl ?? '' };
  const app = createApp({
    store,
    now,
    random,
    referenceOwners: new Set(options.referenceOwners ?? []),
    campaign: () => readCampaign(campaignPath),
    get publicUrl() {
      return options.publicUrl ?? listening.url;
    },
    quotas,
    cache,
    admitted: publisher.soon,
  });
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
  answerBytes(server, () => undefined);
  try {
    await new Promise<void>((done, fail) => {
      server.once('error', fail);
      server.listen(port, host, done);
    });
  } catch (error) {
    closeStore(store);
    throw inWords(error, port, host);
  }
  const address = server.address() as AddressInfo;
  const shownHost = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  listening.url = `http://${shownHost}:${address.port}`;
  publisher.soon();
  return {
    url: listening.url,
    close: async () => {
      await new Promise<void>((done) => {
        server.close(() => done());
        server.closeIdleConnections();
      });
      await publisher.stop();
      closeStore(store);
    },
  };
}

/** The answer to what failed outside of the application: a Host or an address that is none, or a mistake of ours. */
function answerOutside(error: unknown): Response {
  if (error instanceof RequestError) return problemOfBytes(null);
  console.error(`a request could not be handed to the application: ${rootOf(error)}`);
  return problemAnswer(problem('internal-error', 'The request could not be answered.'));
}

function inWords(error: unknown, port: number, host: string): Error {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  if (code === 'EADDRINUSE') {
    return new Error(
      `Port ${port} of ${host} is taken by another program. Stop that, or set PORT to a free one.`,
    );
  }
  if (code === 'EACCES')
    return new Error(`Port ${port} needs rights that this user has not. Set PORT above 1023.`);
  if (code === 'EADDRNOTAVAIL')
    return new Error(`This machine has no address ${host}. Set HOST to one of its own.`);
  return error instanceof Error ? error : new Error(String(error));
}

function keysOf(list: string | undefined): string[] {
  const keys = (list ?? '').split(',').map((key) => key.trim());
  const given = keys.filter((key) => key !== '');
  const wrong = given.find((key) => !publicKey.safeParse(key).success);
  if (wrong !== undefined) {
    throw new Error(
      `DUMPSURVEY_REFERENCE_OWNERS has ${wrong}, which is not a public key of 64 hexadecimal digits.`,
    );
  }
  return given;
}

async function main(): Promise<void> {
  const env = process.env;
  const port = Number(env.PORT ?? 8787);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(`PORT is ${env.PORT}; it takes a port number.`);
  const server = await startServer({
    port,
    ...(env.HOST ? { host: env.HOST } : {}),
    data: env.DUMPSURVEY_DATA ?? 'data',
    ...(env.DUMPSURVEY_PUBLIC_URL ? { publicUrl: env.DUMPSURVEY_PUBLIC_URL } : {}),
    referenceOwners: keysOf(env.DUMPSURVEY_REFERENCE_OWNERS),
    ...(env.DUMPSURVEY_CAMPAIGN ? { campaignPath: env.DUMPSURVEY_CAMPAIGN } : {}),
  });
  console.log(`Dump Survey listens at ${server.url}`);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      server.close().then(() => process.exit(0));
    });
  }
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
