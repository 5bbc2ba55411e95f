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
 *   DUMPSURVEY_CAMPAIGN          a file that the local agent writes: {"planned": n, "nonces": […]}
 */
import { randomFillSync } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createAdaptorServer } from '@hono/node-server';
import * as z from 'zod';
import { nonce, publicKey } from '../schema/wire.ts';
import { defaultControlShare } from './admit/control.ts';
import { type TicketLimits, ticketLimits } from './admit/ticket-limits.ts';
import { createApp } from './app.ts';
import { createCache } from './edition/cache.ts';
import { keepPublishing } from './edition/keep-publishing.ts';
import { editionEveryMs } from './edition/publish.ts';
import { publishingRound } from './edition/round.ts';
import { highWaterIn } from './log/high-water-file.ts';
import { logIdentity } from './log/identity.ts';
import { seedIn } from './log/key-file.ts';
import { parseWitness } from './log/witnesses.ts';
import type { Campaign, Services } from './services.ts';
import { carryOver } from './store/carry-over.ts';
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
  /** Public keys in hexadecimal: whose decisions are obeyed. */
  readonly operators?: readonly string[];
  /** SHA-256 in hexadecimal of the tokens of named auditors. */
  readonly auditors?: readonly string[];
  /** `VKEY=URL` of each. */
  readonly witnesses?: readonly string[];
  /** The log's name; without one it is named after its key. */
  readonly origin?: string;
  readonly controlShare?: number;
  readonly ticketLimits?: TicketLimits;
  readonly campaignPath?: string;
  readonly now?: () => number;
  readonly random?: (byteCount: number) => Uint8Array<ArrayBuffer>;
  /** The least time between two editions, in milliseconds. */
  readonly editionEveryMs?: number;
  /** How often to look for deadlines that passed without any request, in milliseconds. */
  readonly lookEveryMs?: number;
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
  await mkdir(data, { recursive: true });
  const signer = await logIdentity(await seedIn(join(data, 'log.key'), random), options.origin);
  const witnesses = await Promise.all((options.witnesses ?? []).map(parseWitness));
  const store = await openStore({ url: pathToFileURL(resolve(join(data, 'survey.db'))).href });
  await applyMigrations(store);
  await carryOver(store, random);

  const cache = createCache();
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
    ticketLimits: options.ticketLimits ?? ticketLimits,
    controlShare: options.controlShare ?? defaultControlShare,
    note: (level, event, fields) => console.error(`${level}: ${event} ${JSON.stringify(fields)}`),
    campaign: () => readCampaign(campaignPath),
    get publicUrl() {
      return options.publicUrl ?? listening.url;
    },
    cache,
    admitted: () => publisher.soon(),
  };
  const publisher = keepPublishing(() => publishingRound(services, everyMs), options.lookEveryMs);
  await publishingRound(services, everyMs);
  const app = createApp(services);
  const server = createAdaptorServer({
    fetch: app.fetch,
    // A connection that is kept is not closed just when an agent uses it again after a trial.
    serverOptions: { requestTimeout: 30_000, headersTimeout: 15_000, keepAliveTimeout: 65_000 },
  });
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
        if ('closeIdleConnections' in server) server.closeIdleConnections();
      });
      await publisher.stop();
      closeStore(store);
    },
  };
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

function listOf(list: string | undefined): string[] {
  return (list ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function keysOf(name: string, list: string | undefined): string[] {
  const given = listOf(list);
  const wrong = given.find((key) => !publicKey.safeParse(key).success);
  if (wrong !== undefined) {
    throw new Error(`${name} has ${wrong}, which is not 64 hexadecimal digits.`);
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
    referenceOwners: keysOf('DUMPSURVEY_REFERENCE_OWNERS', env.DUMPSURVEY_REFERENCE_OWNERS),
    operators: keysOf('DUMPSURVEY_OPERATORS', env.DUMPSURVEY_OPERATORS),
    auditors: keysOf('DUMPSURVEY_AUDITORS', env.DUMPSURVEY_AUDITORS),
    witnesses: listOf(env.DUMPSURVEY_WITNESSES),
    ...(env.DUMPSURVEY_LOG_ORIGIN ? { origin: env.DUMPSURVEY_LOG_ORIGIN } : {}),
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
