/** A witness as a program: its key, its name, its files, one process at a time, and its port. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createAdaptorServer } from '@hono/node-server';
import { toHex } from '../../schema/bytes.ts';
import { signerOf } from '../../schema/ed25519.ts';
import { isKeyName, type Verifier } from '../../schema/log/note.ts';
import { Advice } from '../advice.ts';
import { createDurably } from '../durable.ts';
import { keyIn } from '../link/keys.ts';
import { takeLock } from '../lock.ts';
import { createWitnessApp } from './app.ts';
import { readIfThere, storeIn } from './store.ts';
import { openWitness } from './witness.ts';

export interface WitnessServerOptions {
  readonly logs: readonly Verifier[];
  /** The directory of key, name and state; made where it is missing. */
  readonly state: string;
  /** The witness' name, kept at the first start. Null takes the kept one, or one made of the key. */
  readonly name: string | null;
  /** 0 takes any free port. */
  readonly port: number;
  readonly host: string;
  readonly nowSeconds: () => number;
  readonly onError: (error: unknown) => void;
}

export interface RunningWitness {
  readonly url: string;
  readonly vkey: string;
  /** Lets requests in progress end, then gives the directory free. */
  readonly close: () => Promise<void>;
}

/** How long requests in progress may take at the end. A client that stopped in the middle of its body never ends. */
const closeAfterMs = 3000;

/** The name of the witness in a directory. Throws Advice for another name than was kept there. */
async function nameIn(state: string, wanted: string | null, publicKey: Uint8Array): Promise<string> {
  const path = join(state, 'name');
  const name = wanted ?? `dumpsurvey-witness/${toHex(publicKey.subarray(0, 8))}`;
  if (!isKeyName(name)) {
    throw new Advice(`${JSON.stringify(name)} cannot name a witness. Give it a name like a URL:`, [
      'dumpsurvey witness --name witness.example/w1 …',
    ]);
  }
  const kept = (await readIfThere(path))?.trimEnd() ?? null;
  if (kept === null) {
    await createDurably(path, `${name}\n`, 0o644);
    return name;
  }
  if (wanted !== null && wanted !== kept) {
    throw new Advice(
      `The witness in ${state} is called ${kept}, and cosignatures of that name are out. Start it without --name, or start another witness in another directory:`,
      [`dumpsurvey witness --name ${wanted} --state DIR …`],
    );
  }
  return kept;
}

/** Starts a witness. Throws Advice or an Error that says what to do. */
export async function startWitness(options: WitnessServerOptions): Promise<RunningWitness> {
  const { logs, state, port, host, nowSeconds, onError } = options;
  await mkdir(state, { recursive: true, mode: 0o700 });
  const release = await takeLock(join(state, 'lock'), 'This witness');
  try {
    const pair = await keyIn(join(state, 'witness.key'), (count) => new Uint8Array(randomBytes(count)));
    const signer = await signerOf(pair.secretKey.subarray(0, 32));
    const name = await nameIn(state, options.name, signer.publicKey);
    const store = await storeIn(join(state, 'logs'));
    const witness = await openWitness({ logs, signer: { ...signer, name }, store, nowSeconds });
    const server = createAdaptorServer({
      fetch: createWitnessApp(witness, onError).fetch,
      serverOptions: { requestTimeout: 30_000, headersTimeout: 15_000, keepAliveTimeout: 65_000 },
    });
    await new Promise<void>((done, fail) => {
      server.once('error', (error: NodeJS.ErrnoException) => {
        const message = `This witness cannot listen at port ${port} of ${host} (${error.code ?? error.message}). Give it another:`;
        fail(new Advice(message, ['dumpsurvey witness --port PORT --host HOST …']));
      });
      server.listen(port, host, done);
    });
    const address = server.address() as AddressInfo;
    const shownHost = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return {
      url: `http://${shownHost}:${address.port}`,
      vkey: witness.vkey,
      close: async () => {
        const cut = setTimeout(() => {
          if ('closeAllConnections' in server) server.closeAllConnections();
        }, closeAfterMs);
        await new Promise<void>((done) => {
          server.close(() => done());
          if ('closeIdleConnections' in server) server.closeIdleConnections();
        });
        clearTimeout(cut);
        await release();
      },
    };
  } catch (error) {
    await release();
    throw error;
  }
}
