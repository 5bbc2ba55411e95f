/**
 * `GET /openapi.json`: the API described as OpenAPI 3.1, from the table of operations, the schemas that check what
 * travels, and the recorded examples. It depends on nothing but the code.
 */
import { payloadType } from '../../schema/envelope.ts';
import { type ProblemSlug, problems, problemType } from '../../schema/problem.ts';
import { namesOf } from '../../schema/vocabulary.ts';
import { bodyMaxBytes } from '../../schema/wire.ts';
import recorded from './examples.json' with { type: 'json' };
import { everywhere, generalAnswers } from './general.ts';
import type { Operation } from './operation.ts';
import { tags } from './operation.ts';
import { operationList } from './operations.ts';
import { componentSchemas, parametersOf } from './schemas.ts';
import type {
  JsonSchema,
  MediaType,
  OpenApi,
  OperationObject,
  Parameter,
  Reference,
  ResponseObject,
} from './types.ts';

/** What a request of the examples was, and what it was answered: by status, then by media type. */
interface Recorded {
  readonly body?: unknown;
  readonly answers: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const description = `How likely Linux is to capture a kernel crash dump: by driver, by chipset, by type of crash.

Whatever takes GET takes HEAD, and answers it alike without a body. Whatever there is answers OPTIONS with 204 and
the methods in \`Allow\`. Any other method is answered 405, any other address 404, each with a problem document.
An address that takes a query takes each name once, and refuses names that it does not have.

Every error is a problem document (RFC 9457); its \`type\` is the address of a page and never changes. Requests are
idempotent: after 503 or a broken connection, send the same bytes again.`;

const requestIdHeader = { 'X-Request-Id': { $ref: '#/components/headers/X-Request-Id' } };

function problemSchema(status: number, slugs: readonly ProblemSlug[]): JsonSchema {
  return {
    $ref: '#/components/schemas/Problem',
    type: 'object',
    properties: { type: { enum: slugs.map(problemType) }, status: { const: status } },
  };
}

/** The answer of one status with any of these problems. */
function problemResponse(status: number, slugs: readonly ProblemSlug[]): ResponseObject {
  const headers = {
    ...requestIdHeader,
    ...(status === 503 || status === 429
      ? { 'Retry-After': { $ref: '#/components/headers/Retry-After' } }
      : {}),
    ...(status === 405 ? { Allow: { $ref: '#/components/headers/Allow' } } : {}),
  };
  return {
    description: slugs
      .map((slug) => `[${slug}](${problemType(slug)}): ${problems[slug].title}.`)
      .join('\n\n'),
    headers,
    content: { 'application/problem+json': { schema: problemSchema(status, slugs) } },
  };
}

function byStatus(slugs: readonly ProblemSlug[]): ReadonlyMap<number, readonly ProblemSlug[]> {
  return Map.groupBy(slugs, (slug) => problems[slug].status);
}

/** The problems of an operation by status, with those that any operation may answer. */
export function problemsByStatus(operation: Operation): ReadonlyMap<number, readonly ProblemSlug[]> {
  const general: readonly ProblemSlug[] = everywhere.map((name) => generalAnswers[name]);
  return byStatus(
    namesOf(problems).filter((slug) => operation.problems.includes(slug) || general.includes(slug)),
  );
}

/** The refusals of an operation: its own in full, those of all operations by reference. */
function refusalsOf(operation: Operation): (readonly [string, ResponseObject | Reference])[] {
  return [...problemsByStatus(operation)].map(([status, slugs]) => {
    const general = everywhere.find((name) => slugs.length === 1 && generalAnswers[name] === slugs[0]);
    const answer = general ? { $ref: `#/components/responses/${general}` } : problemResponse(status, slugs);
    return [String(status), answer] as const;
  });
}

/** The answers of no operation in particular. */
function generalResponses(): Record<string, ResponseObject> {
  const responses = namesOf(generalAnswers).map((name) => {
    const slug = generalAnswers[name];
    return [name, problemResponse(problems[slug].status, [slug])] as const;
  });
  return Object.fromEntries(responses);
}

function withExamples(parameters: readonly Parameter[], { examples = [] }: Operation): Parameter[] {
  const values = examples[0] ?? {};
  return parameters.map((parameter) =>
    parameter.name in values ? { ...parameter, example: values[parameter.name] } : parameter,
  );
}

function requestBodyOf(operation: Operation, payload: JsonSchema, example: unknown) {
  if (!operation.takes) return {};
  const type = payloadType(operation.takes.kind);
  const schema: JsonSchema = {
    $ref: '#/components/schemas/Envelope',
    type: 'object',
    properties: {
      payload: {
        type: 'string',
        contentEncoding: 'base64',
        contentMediaType: 'application/json',
        contentSchema: payload,
      },
      payloadType: { const: type },
    },
  };
  const content = { 'application/json': { schema, ...(example === undefined ? {} : { example }) } };
  const words = `A DSSE envelope whose payload is signed by the machine that it names, at most ${bodyMaxBytes} bytes.`;
  return { requestBody: { required: true, description: words, content } };
}

function operationObject(
  id: string,
  operation: Operation,
  refTo: ReturnType<typeof componentSchemas>['refTo'],
): OperationObject {
  const example: Recorded = (recorded as Readonly<Record<string, Recorded>>)[id] ?? { answers: {} };
  const answers = Object.entries(operation.answers).map(([status, { description, content }]) => {
    const types = Object.entries(content).map(([mediaType, schema]): [string, MediaType] => {
      const answer = example.answers[status]?.[mediaType];
      return [mediaType, { schema: refTo(schema), ...(answer === undefined ? {} : { example: answer }) }];
    });
    return [status, { description, headers: requestIdHeader, content: Object.fromEntries(types) }] as const;
  });
  const parameters = withExamples(
    [...parametersOf('path', operation.path), ...parametersOf('query', operation.query)],
    operation,
  );
  return {
    operationId: id,
    tags: [operation.tag],
    summary: operation.summary,
    ...(operation.description === undefined ? {} : { description: operation.description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(operation.takes ? requestBodyOf(operation, refTo(operation.takes.payload), example.body) : {}),
    responses: Object.fromEntries([...answers, ...refusalsOf(operation)]),
  };
}

/** An address of worker/app.ts as OpenAPI writes it: `/v1/reports/{id}`. */
export function templateOf(address: string): string {
  return address.replace(/:(\w+)(?:\{[^}]*\})?/g, '{$1}');
}

function makeDocument(): OpenApi {
  const { schemas, refTo } = componentSchemas();
  const byAddress = Map.groupBy(operationList, ([, { address }]) => templateOf(address));
  const paths = [...byAddress].map(([address, rows]) => [
    address,
    Object.fromEntries(
      rows.map(([id, operation]) => [operation.method, operationObject(id, operation, refTo)]),
    ),
  ]);
  const text = { type: 'string' } as const;
  return {
    openapi: '3.1.1',
    info: {
      title: 'Dump Survey',
      version: '1.0',
      description,
      license: { name: 'Apache License 2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'This server' }],
    tags: namesOf(tags).map((name) => ({ name, description: tags[name] })),
    paths: Object.fromEntries(paths),
    components: {
      schemas,
      responses: generalResponses(),
      headers: {
        'X-Request-Id': { description: 'Names this answer in the log of the operator.', schema: text },
        'Retry-After': { description: 'Seconds until it is worth trying again.', schema: text },
        Allow: { description: 'The methods that the address takes.', schema: text },
      },
    },
  };
}

let made: OpenApi | undefined;

/** The document, made when it is first asked for. */
export function openApi(): OpenApi {
  made ??= makeDocument();
  return made;
}
