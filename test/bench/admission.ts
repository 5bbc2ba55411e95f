/**
 * How many reports a second the API admits on Node, end to end: signed, verified, classified and on disk. Held
 * against the same server doing nothing, and against the store doing nothing else.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import nacl from 'tweetnacl';
import { fromBase64, fromHex } from '../../schema/bytes.ts';
import { verifies } from '../../schema/ed25519.ts';
import { type Envelope, payloadType, preAuthEncoding } from '../../schema/envelope.ts';
import { enrol, takeTickets } from '../http/client.ts';
import { sampleMachine, seal, simpleScenario } from '../http/samples.ts';
import { inTurns, timeOf } from './measure.ts';
import { postAll } from './post-all.ts';
import { insertAgain, rowsOfReports } from './same-rows.ts';
import type { Context, Findings } from './section.ts';
import { startServerAt } from './servers.ts';

const reportsPerRound = 2048;
const ticketsPerRequest = 64;
const verifications = { webCrypto: 2000, tweetnacl: 150 };

/** Reports on tickets that the API has issued, signed, none of them sent. */
export async function signedReports(url: string, name: string, count: number): Promise<Envelope[]> {
  const machine = sampleMachine(name);
  await enrol(url, machine);
  const reports: Envelope[] = [];
  while (reports.length < count) {
    const scenarios = Array<string>(Math.min(ticketsPerRequest, count - reports.length)).fill(simpleScenario);
    const tickets = await takeTickets(url, machine, `${name} ${reports.length}`, scenarios);
    const made = tickets.map((ticket) => machine.report(ticket, 'captured', Date.now()));
    reports.push(...made.map((body) => seal('report', body, machine.key)));
  }
  return reports;
}

/** What a verifier is given: key, signature, message. */
function signedParts(envelope: Envelope) {
  const { keyid, sig } = envelope.signatures[0] ?? { keyid: '', sig: '' };
  const message = preAuthEncoding(payloadType('report'), fromBase64(envelope.payload));
  return { key: fromHex(keyid), signature: fromBase64(sig), message };
}

/** Verifications a second. Throws where one fails. */
async function verificationRate(
  envelopes: readonly Envelope[],
  verify: (parts: ReturnType<typeof signedParts>) => boolean | Promise<boolean>,
): Promise<number> {
  const parts = envelopes.map(signedParts);
  const ms = await timeOf(async () => {
    for (const part of parts) if (!(await verify(part))) throw new Error('a signature was not verified');
  });
  return parts.length / (ms / 1000);
}

/** The section. */
export async function admission({ rounds, say }: Context): Promise<Findings> {
  const data = await mkdtemp(join(tmpdir(), 'dumpsurvey-bench-'));
  const server = await startServerAt('test/bench/unlimited-server.ts', { DUMPSURVEY_DATA: data });
  const bare = await startServerAt('test/bench/bare-server.ts', {});
  try {
    const waiting: Envelope[][] = [];
    for (let round = 0; round <= rounds; round++) {
      say(`taking tickets and signing ${reportsPerRound} reports (${round + 1} of ${rounds + 1})`);
      waiting.push(await signedReports(server.url, `bench ${round}`, reportsPerRound));
    }
    const signed = waiting[0] ?? [];
    const bodies = signed.map((envelope) => JSON.stringify(envelope));
    const next = () => (waiting.shift() ?? []).map((envelope) => JSON.stringify(envelope));
    const told = (what: string, rate: number) => {
      say(`${what}: ${rate.toFixed(0)}/s`);
      return rate;
    };
    const post = async () => told('admitted', await postAll(`${server.url}/v1/reports`, next()));
    const postBare = async () => told('bare server', await postAll(`${bare.url}/v1/reports`, bodies));
    // The first time compiles.
    await post();
    await postBare();
    const insert = async (together: number) =>
      told(
        `store, ${together} a batch`,
        await insertAgain(await rowsOfReports(data, reportsPerRound), together, data),
      );
    const medians = await inTurns(rounds, {
      admitted: post,
      bare: postBare,
      single: () => insert(1),
      hundred: () => insert(100),
      webCrypto: () =>
        verificationRate(signed.slice(0, verifications.webCrypto), ({ key, signature, message }) =>
          verifies(key, signature, message),
        ),
      tweetnacl: () =>
        verificationRate(signed.slice(0, verifications.tweetnacl), ({ key, signature, message }) =>
          nacl.sign.detached.verify(message, signature, key),
        ),
    });
    const row = (what: string, measured: number, against: string, peer: number) =>
      ({ what: `admission: ${what}`, unit: '/s', measured, against, peer, bound: null }) as const;
    return {
      rows: [
        row('reports over HTTP, on disk', medians.admitted, 'hono reading a body only', medians.bare),
        row('reports over HTTP, on disk', medians.admitted, 'their rows, a batch for each', medians.single),
        row('reports over HTTP, on disk', medians.admitted, 'their rows, 100 a batch', medians.hundred),
        row('signatures, WebCrypto', medians.webCrypto, 'tweetnacl', medians.tweetnacl),
      ],
    };
  } finally {
    await Promise.all([server.stop(), bare.stop()]);
    await rm(data, { recursive: true, force: true });
  }
}
