/** Sends as many requests as are wanted, one after the other, and holds each answer against the document and the store. */
import { createHash } from 'node:crypto';
import type { OpenApi } from '../../../worker/openapi/types.ts';
import { contractOf } from '../contract.ts';
import { sentAtMs } from '../examples.ts';
import { origin, startInProcess } from '../in-process.ts';
import { keyPair, sampleMachine, sampleProfile } from '../samples.ts';
import { createBodies } from './bodies.ts';
import { type FullAnswer, judge } from './check.ts';
import { createHarvest } from './harvest.ts';
import { createPayloads } from './payloads.ts';
import { randomOf } from './random.ts';
import type { FuzzFinding, FuzzReport } from './report.ts';
import { type FuzzRequest, requestFor } from './requests.ts';
import { type Rows, watchRows } from './rows.ts';
import { type Signer, signerOf } from './signing.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly requestCount: number;
  readonly told?: (line: string) => void;
  /** The run ends where so much is wrong that more would tell nothing: 20 findings. */
  readonly findingsMax?: number;
  /** Stands between the fuzzer and the application: for tests that spoil answers to see them found. */
  readonly through?: (fetch: Fetch, databaseUrl: string) => Fetch;
}

export type Fetch = (request: Request) => Promise<Response>;

const hourMs = 3600_000;

/** Made once: each has a proof of work to find. */
const machines = [
  sampleMachine('of the examples', sampleProfile('ahci')),
  sampleMachine('fuzz lab', sampleProfile('am53c974')),
  sampleMachine('fuzz metal', sampleProfile('nvme', { population: 'metal', lab_machine: null })),
  // Takes in the first machine for another owner: refused where it is known.
  sampleMachine('of the examples', sampleProfile('ahci'), 'fuzz thief'),
];

/** An operation is asked the more often, the more there is to vary. */
function weightOf(operation: {
  readonly requestBody?: unknown;
  readonly parameters?: readonly unknown[];
}): number {
  if (operation.requestBody !== undefined) return 14;
  return operation.parameters === undefined ? 1 : 4;
}

function shown({ method, url, headers, body }: FuzzRequest): string {
  const bytes = body === null ? '' : typeof body === 'string' ? body : Buffer.from(body).toString('base64');
  return `${method} ${url.slice(0, 600)} ${JSON.stringify(headers).slice(0, 300)} ${bytes.slice(0, 3000)}`;
}

function asRequest({ method, url, headers, body }: FuzzRequest): Request {
  return new Request(url, { method, headers, ...(body === null ? {} : { body }) });
}

async function answerOf(response: Response): Promise<FullAnswer> {
  const { status, headers } = response;
  return { status, headers, contentType: headers.get('content-type'), text: await response.text() };
}

/** In what the tables differ from what an answer says was stored. */
async function faultOfRows(
  rows: Rows,
  { method }: FuzzRequest,
  { status }: FullAnswer,
): Promise<string | null> {
  const grown = await rows.grown();
  const changed = JSON.stringify(grown);
  if (Object.values(grown).some((by) => by < 0)) return `rows are gone: ${changed}`;
  const stored = Object.keys(grown).length > 0;
  if (status === 201) return stored ? null : '201, and nothing was stored';
  // A machine that is known may tell its next profile.
  const allowed = method === 'POST' && status === 200 && Object.keys(grown).join() === 'profiles';
  return stored && !allowed ? `${method} was answered ${status}, and rows were stored: ${changed}` : null;
}

/** Runs it. The same options give the same requests and answers. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, requestCount, findingsMax = 20 } = options;
  const { told = () => undefined, through = (fetch) => fetch } = options;
  const random = randomOf(seed);
  let nowMs = sentAtMs;
  let draws = 0;
  const survey = await startInProcess({
    now: () => nowMs,
    random: (byteCount) => {
      draws += 1;
      return new Uint8Array(
        createHash('sha256').update(`fuzz ${seed} ${draws}`).digest().subarray(0, byteCount),
      );
    },
  });
  const send = through(survey.fetch, survey.databaseUrl);
  const rows = await watchRows(survey.databaseUrl);
  const document = (await (await survey.fetch(new Request(`${origin}/openapi.json`))).json()) as OpenApi;
  const contract = contractOf(document);
  const harvest = createHarvest(document);
  const [first, ...others] = machines.map(({ key }) => signerOf(key));
  if (first === undefined) throw new Error('there is nobody to sign');
  const signers: [Signer, ...Signer[]] = [first, ...others, signerOf(keyPair('fuzz stranger'))];
  const enrollments = machines.map((machine) => ({ ...machine.enrol() }));
  const payloads = createPayloads(() => nowMs, random, contract, harvest, enrollments);
  const bodies = createBodies(random, harvest.known, payloads, signers);
  const choices = contract.operations.map((described) => [weightOf(described.operation), described] as const);

  const findings: FuzzFinding[] = [];
  const tally: Record<string, Record<number, number>> = {};
  const problems: Record<string, number> = {};
  const startedAt = performance.now();
  let at = 0;
  for (; at < requestCount && findings.length < findingsMax; at++) {
    if (at % 100 === 0) {
      await survey.publish();
      await rows.grown();
    }
    if (at % 500 === 499) nowMs += random.pick([1, 1, 30, 50, 24 * 30]) * hourMs;
    nowMs += 1000;
    const request = requestFor(random.weighted(choices), origin, random, harvest.known, bodies);
    const answer = await answerOf(await send(asRequest(request)));
    const { operationId, fault } = judge(contract, request, answer);
    const found = fault ?? (await faultOfRows(rows, request, answer));
    if (found !== null)
      findings.push({
        at,
        fault: found,
        request: shown(request),
        answer: `${answer.status} ${answer.text.slice(0, 600)}`,
      });
    tally[operationId] ??= {};
    const byStatus = tally[operationId] as Record<number, number>;
    byStatus[answer.status] = (byStatus[answer.status] ?? 0) + 1;
    if (found === null && answer.contentType?.includes('json') && answer.text !== '') {
      const value = JSON.parse(answer.text) as { type?: unknown };
      if (answer.status < 300 && operationId !== 'getOpenApi') harvest.learn(value);
      if (answer.status >= 400) problems[String(value.type)] = (problems[String(value.type)] ?? 0) + 1;
    }
    if (at % 5000 === 4999) told(`${at + 1} of ${requestCount} requests, ${findings.length} findings`);
  }
  const durationMs = performance.now() - startedAt;
  rows.close();
  await survey.stop();
  const operationIds = contract.operations.map(({ operation }) => operation.operationId);
  return { requestCount: at, durationMs, findings, tally, problems, operationIds };
}
