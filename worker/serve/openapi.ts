/** `GET /openapi.json`: the closed field lists of what travels, derived from the very schemas that check it. */
import * as z from 'zod';
import { envelope, type PayloadKind, payloadType } from '../../schema/envelope.ts';
import { type ProblemSlug, problems } from '../../schema/problem.ts';
import { profile } from '../../schema/profile.ts';
import { statisticsQuery } from '../../schema/statistics.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import {
  armedAnswer,
  armedBody,
  decisionBody,
  enrolBody,
  entryAnswer,
  inviteBody,
  machineAnswer,
  receipt,
  reportBody,
  revokeBody,
  rotateBody,
  ticketsAnswer,
  ticketsBody,
  withdrawBody,
} from '../../schema/wire.ts';

const schemaOf = (schema: z.ZodType) => z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
const named = (name: string) => ({ $ref: `#/components/schemas/${name}` });
const json = (name: string) => ({ 'application/json': { schema: named(name) } });

const problemAnswers = {
  default: {
    description: 'A problem document',
    content: { 'application/problem+json': { schema: named('problem') } },
  },
};

function admits(kind: PayloadKind, body: string, answer: string, summary: string) {
  return {
    post: {
      summary,
      description: `Takes a DSSE envelope of payload type ${payloadType(kind)} whose payload is \`${body}\`. The same request again is answered 200.`,
      requestBody: { required: true, content: json('envelope') },
      responses: {
        201: { description: 'Admitted', content: json(answer) },
        200: { description: 'Known before', content: json(answer) },
        ...problemAnswers,
      },
    },
  };
}

function answers(summary: string, parameters: readonly object[] = []) {
  return {
    get: { summary, parameters, responses: { 200: { description: 'The answer' }, ...problemAnswers } },
  };
}

const inPath = (name: string) => ({ name, in: 'path', required: true, schema: { type: 'string' } });
const inQuery = (name: string) => ({ name, in: 'query', schema: { type: 'integer' } });

function statisticsParameters(): object[] {
  const { properties = {}, required = [] } = schemaOf(statisticsQuery);
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema,
  }));
}

/** The document. It depends on nothing but the code. */
export function openApi() {
  const slugs: readonly ProblemSlug[] = namesOf(problems);
  const text = { type: 'string' };
  return {
    openapi: '3.1.0',
    info: {
      title: 'Dump Survey',
      version: '1.0',
      description: 'How likely Linux is to capture a kernel crash dump.',
    },
    paths: {
      '/v1/machines': admits('enrol', 'enrol', 'machine', 'Enrols a machine, or tells its next profile'),
      '/v1/tickets': admits('tickets', 'tickets', 'ticketsAnswer', 'Asks for permission for trials'),
      '/v1/armed': admits('armed', 'armed', 'armedAnswer', 'Says that a machine is about to crash'),
      '/v1/reports': {
        ...admits('report', 'report', 'receipt', 'Reports on a trial'),
        ...answers('Reports of the lab, newest first', [inQuery('before')]),
      },
      '/v1/rotations': admits('rotate', 'rotate', 'entryAnswer', 'Replaces a key by another one'),
      '/v1/revocations': admits('revoke', 'revoke', 'entryAnswer', 'Takes the trust in a key back'),
      '/v1/withdrawals': admits('withdraw', 'withdraw', 'entryAnswer', 'Deletes what a key has sent'),
      '/v1/invitations': admits('invite', 'invite', 'entryAnswer', 'Vouches for another owner'),
      '/v1/decisions': admits('decision', 'decision', 'entryAnswer', "An operator's decision"),
      '/v1': answers('Addresses, versions of payloads, key of the log, scenario sets'),
      '/v1/status': answers('How the survey stands'),
      '/v1/statistics': answers('Cells of the current edition, as JSON or CSV', statisticsParameters()),
      '/v1/editions': answers('Editions, newest first', [inQuery('before')]),
      '/v1/editions/{number}': answers('One edition, which never changes', [inPath('number')]),
      '/v1/reports/{id}': answers('One report with its envelope and labels', [inPath('id')]),
      '/v1/drivers/{driver}': answers('One driver as dump target', [inPath('driver')]),
      '/v1/drivers/{driver}/failures.atom': answers('Its failures as a feed', [inPath('driver')]),
    },
    components: {
      schemas: {
        envelope: schemaOf(envelope),
        enrol: schemaOf(enrolBody),
        profile: schemaOf(profile),
        tickets: schemaOf(ticketsBody),
        armed: schemaOf(armedBody),
        report: schemaOf(reportBody),
        rotate: schemaOf(rotateBody),
        revoke: schemaOf(revokeBody),
        withdraw: schemaOf(withdrawBody),
        invite: schemaOf(inviteBody),
        decision: schemaOf(decisionBody),
        entryAnswer: schemaOf(entryAnswer),
        machine: schemaOf(machineAnswer),
        ticketsAnswer: schemaOf(ticketsAnswer),
        armedAnswer: schemaOf(armedAnswer),
        receipt: schemaOf(receipt),
        problem: {
          type: 'object',
          properties: {
            type: { enum: slugs.map((slug) => `/problems/${slug}`) },
            title: text,
            status: { type: 'integer' },
            detail: text,
            action: text,
          },
        },
      },
    },
  };
}
