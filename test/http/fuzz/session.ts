/** One empty survey, whom the fuzzer can speak for in it, and one request after another with what is wrong of each. */
import { createHash } from 'node:crypto';
import { ownResponses } from '../../../worker/openapi/response.ts';
import type { OpenApi, OperationObject } from '../../../worker/openapi/types.ts';
import { contractOf } from '../contract.ts';
import { operator, sentAtMs } from '../examples.ts';
import { origin, startInProcess } from '../in-process.ts';
import { type KeyPair, keyPair, sampleMachine, sampleProfile } from '../samples.ts';
import { createBodies } from './bodies.ts';
import { type FullAnswer, judge } from './check.ts';
import { createHarvest } from './harvest.ts';
import { createPayloads } from './payloads.ts';
import type { Random } from './random.ts';
import { type FuzzRequest, requestFor } from './requests.ts';
import { type Rows, watchRows } from './rows.ts';
import { signerOf } from './signing.ts';

export type Fetch = (request: Request) => Promise<Response>;
/** What stands between the fuzzer and the application. */
export type Through = (fetch: Fetch, databaseUrl: string) => Fetch;

/** One request with its answer, the operation that it asked for, and what is wrong, or null. */
export interface Exchange {
  readonly request: FuzzRequest;
  readonly answer: FullAnswer;
  readonly operationId: string;
  readonly fault: string | null;
}

export interface Session {
  readonly operationIds: readonly string[];
  /** The problems that each operation names, by its id. */
  readonly named: Readonly<Record<string, readonly string[]>>;
  readonly exchange: () => Promise<Exchange>;
  /** Lets time pass, and publishes what is due. */
  readonly wait: (ms: number) => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Made once: each has a proof of work to find. */
const machines = [
  sampleMachine('of the examples', sampleProfile('ahci')),
  sampleMachine('fuzz lab', sampleProfile('am53c974')),
  sampleMachine('fuzz metal', sampleProfile('nvme', { population: 'metal', lab_machine: null })),
  sampleMachine('fuzz spare', sampleProfile('virtio_blk'), 'fuzz owner'),
  sampleMachine('fuzz other spare', sampleProfile('virtio_blk'), 'fuzz owner'),
  // Takes in the first machine for another owner: refused where it is known.
  sampleMachine('of the examples', sampleProfile('ahci'), 'fuzz thief'),
];

/** Whoever can sign, and keys that nobody has used. */
const keys: readonly KeyPair[] = [
  ...machines.flatMap(({ key, owner }) => [key, owner]),
  operator,
  ...['next key of the examples', 'invited by the examples', 'fuzz next', 'fuzz stranger'].map(keyPair),
];

/** The types of the problems that an operation describes itself. */
function problemsOf(operation: OperationObject): string[] {
  return ownResponses(operation).flatMap(([, { content }]) => {
    const schema = content['application/problem+json']?.schema as {
      properties?: { type: { enum: string[] } };
    };
    return schema?.properties?.type.enum ?? [];
  });
}

/** An operation is asked the more often, the more there is to vary; what becomes of keys ends much, and is rare. */
function weightOf({ requestBody, parameters, tags }: OperationObject): number {
  if (requestBody !== undefined) return tags.includes('keys') ? 3 : 14;
  return parameters === undefined ? 1 : 4;
}

function asRequest({ method, url, headers, body }: FuzzRequest): Request {
  return new Request(url, { method, headers, ...(body === null ? {} : { body }) });
}

async function answerOf(response: Response): Promise<FullAnswer> {
  const { status, headers } = response;
  return { status, headers, contentType: headers.get('content-type'), text: await response.text() };
}

/** A machine that is known may tell its next profile. */
const nextProfile = /^(profiles|log_entries|envelopes)$/;

/** In what the tables differ from what an answer says was stored. */
async function faultOfRows(rows: Rows, operationId: string, { method }: FuzzRequest, { status }: FullAnswer) {
  const grown = await rows.grown();
  const changed = JSON.stringify(grown);
  const isWithdrawal = operationId === 'withdrawData' && status === 201;
  if (!isWithdrawal && Object.values(grown).some((by) => by < 0)) return `rows are gone: ${changed}`;
  const tables = Object.keys(grown);
  if (status === 201) return tables.length > 0 ? null : '201, and nothing was stored';
  const allowed = method === 'POST' && status === 200 && tables.every((name) => nextProfile.test(name));
  return tables.length > 0 && !allowed
    ? `${method} was answered ${status}, and rows were stored: ${changed}`
    : null;
}

/** Starts a survey. Everything in it follows from `random` and `name`. */
export async function startSession(random: Random, name: string, through: Through): Promise<Session> {
  let nowMs = sentAtMs;
  let draws = 0;
  let cause = '';
  const survey = await startInProcess({
    now: () => nowMs,
    random: (byteCount) => {
      draws += 1;
      return new Uint8Array(createHash('sha256').update(`${name} ${draws}`).digest().subarray(0, byteCount));
    },
    referenceOwners: new Set(machines.slice(0, 1).map(({ owner }) => owner.publicHex)),
    operators: new Set([operator.publicHex]),
    log: (told) => {
      if ('cause' in told) cause = told.cause;
    },
  });
  const send = through(survey.fetch, survey.databaseUrl);
  const rows = await watchRows(survey.databaseUrl);
  const document = (await (await survey.fetch(new Request(`${origin}/openapi.json`))).json()) as OpenApi;
  const contract = contractOf(document);
  const ring = new Map(keys.map((pair) => [pair.publicHex, signerOf(pair)]));
  const harvest = createHarvest(document, [...ring.keys()]);
  const enrollments = machines.map((machine) => ({ ...machine.enrol() }));
  const payloads = createPayloads(() => nowMs, random, contract, harvest, ring, enrollments);
  const bodies = createBodies(random, harvest.known, payloads, ring);
  const choices = contract.operations.map((described) => [weightOf(described.operation), described] as const);

  return {
    named: Object.fromEntries(
      contract.operations.map(({ operation }) => [operation.operationId, problemsOf(operation)]),
    ),
    operationIds: contract.operations.map(({ operation }) => operation.operationId),
    exchange: async () => {
      const request = requestFor(random.weighted(choices), origin, random, harvest.known, bodies);
      cause = '';
      const answer = await answerOf(await send(asRequest(request)));
      const judged = judge(contract, request, answer);
      const { operationId } = judged;
      const fault = judged.fault ?? (await faultOfRows(rows, operationId, request, answer));
      if (fault === null && answer.status < 300 && operationId !== 'getOpenApi' && answer.text !== '') {
        if (/[/+]json(;|$)/.test(answer.contentType ?? '')) harvest.learn(JSON.parse(answer.text));
      }
      return { request, answer, operationId, fault: fault && `${fault}${cause === '' ? '' : `: ${cause}`}` };
    },
    wait: async (ms) => {
      nowMs += ms;
      await survey.publish();
      await rows.grown();
    },
    stop: async () => {
      rows.close();
      await survey.stop();
    },
  };
}
