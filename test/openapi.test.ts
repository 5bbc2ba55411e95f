/** The API's description: whole, valid, in step with the routes, and its examples are what the code gives. */
import { readFile } from 'node:fs/promises';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it, test } from 'vitest';
import { fromBase64 } from '../schema/bytes.ts';
import type { Envelope } from '../schema/envelope.ts';
import { type ProblemSlug, problems } from '../schema/problem.ts';
import { namesOf } from '../schema/vocabulary.ts';
import { createApp } from '../worker/app.ts';
import { openApi, problemsByStatus, templateOf } from '../worker/openapi/document.ts';
import { isGeneral } from '../worker/openapi/general.ts';
import type { Operation } from '../worker/openapi/operation.ts';
import { operationList, operations } from '../worker/openapi/operations.ts';
import { ownResponses, responseAt } from '../worker/openapi/response.ts';
import type { JsonSchema } from '../worker/openapi/types.ts';
import type { Services } from '../worker/services.ts';
import { contractOf } from './http/contract.ts';
import { examplesFile, examplesText } from './http/examples.ts';

const document = openApi();
const contract = contractOf(document);

test('every route has a row in the table of operations, and every row a route', () => {
  const { routes } = createApp({ signer: {} } as Services);
  const routed = routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path}`);
  const described = Object.values(operations).map(
    ({ method, address }) => `${method.toUpperCase()} ${address}`,
  );
  expect(routed.length).toBeGreaterThan(20);
  expect(described.toSorted()).toEqual(routed.toSorted());
});

test('the document is valid OpenAPI 3.1', async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(JSON.parse(JSON.stringify(document)));
  expect(errors).toBeUndefined();
  expect(valid).toBe(true);
  expect(validator.version).toBe('3.1');
});

test('a validator that accepts everything would not be one', async () => {
  const broken = { ...structuredClone(document), paths: { 'v1 without a slash': { get: { responses: 7 } } } };
  expect((await new Validator().validate(broken)).valid).toBe(false);
});

describe.each(contract.operations.map((described) => [described.operation.operationId, described] as const))(
  '%s',
  (id, { address, method, operation }) => {
    it('has answers whose schemas compile', () => {
      for (const status of Object.keys(operation.responses)) {
        const described = responseAt(document, address, method, status);
        expect([status, described]).toEqual([status, expect.anything()]);
        for (const mediaType of Object.keys(described?.response.content ?? {})) {
          const at = [...(described?.at ?? []), 'content', mediaType, 'schema'];
          expect(() => contract.faultAt(at, null)).not.toThrow();
        }
      }
    });

    it('has examples of what it takes and gives, and they are as described', () => {
      const checked: string[] = [];
      const check = (at: readonly string[], { example }: { readonly example?: unknown }) => {
        if (example === undefined) return;
        expect(contract.faultAt([...at, 'schema'], example)).toBeNull();
        checked.push(at.at(-1) ?? '');
      };
      for (const [place, parameter] of (operation.parameters ?? []).entries())
        check(['paths', address, method, 'parameters', String(place)], parameter);
      const own = ownResponses(operation);
      for (const [status, { content }] of own) {
        for (const [mediaType, media] of Object.entries(content))
          check(['paths', address, method, 'responses', status, 'content', mediaType], media);
      }
      const answersJson = own.some(
        ([status, { content }]) => status === '200' && 'application/json' in content,
      );
      if (answersJson && id !== 'getOpenApi' && id !== 'getReportPage')
        expect(checked).toContain('application/json');
    });

    it('describes the payload that it takes, down to its fields', () => {
      const body = operation.requestBody?.content['application/json'];
      expect(body !== undefined).toBe(method === 'post');
      if (body === undefined) return;
      const at = ['paths', address, method, 'requestBody', 'content', 'application/json', 'schema'];
      expect(contract.faultAt(at, body.example)).toBeNull();
      const payload = JSON.parse(
        new TextDecoder().decode(fromBase64((body.example as Envelope).payload)),
      ) as object;
      const schemaAt = [...at, 'properties', 'payload', 'contentSchema'];
      expect(contract.faultAt(schemaAt, payload)).toBeNull();
      expect(contract.faultAt(schemaAt, { ...payload, hostname: 'x' })).toMatch(/additional properties/);
    });
  },
);

test('the examples are what the application answers, byte for byte: npm run examples writes them', async () => {
  expect(await examplesText()).toBe(await readFile(examplesFile, 'utf8'));
});

/** Every schema inside a schema, with the way to it. */
function* schemasIn(value: unknown, at: string): Generator<readonly [string, JsonSchema]> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield [at, value as JsonSchema];
  for (const [name, inner] of Object.entries(value)) yield* schemasIn(inner, `${at}.${name}`);
}

test('the field lists are closed: an object has listed fields only, or is a record', () => {
  const { GetOpenApiAnswer: _, ...schemas } = document.components.schemas;
  const objects = [...schemasIn(schemas, '')].filter(
    ([, { type, properties }]) => type === 'object' && properties,
  );
  expect(objects.length).toBeGreaterThan(30);
  for (const [at, { additionalProperties }] of objects)
    expect([at, additionalProperties]).toEqual([at, false]);
});

test('no schema is repeated under a second name', () => {
  const texts = Object.values(document.components.schemas).map((schema) => JSON.stringify(schema));
  expect(new Set(texts).size).toBe(texts.length);
});

describe('problems', () => {
  /**
   * Types of problems, once published, are for good: programs decide by them. A row is added for a new one; none is
   * ever changed or taken away.
   */
  const published: Readonly<Record<string, number>> = {
    'not-json': 400,
    'too-large': 413,
    'too-slow': 408,
    'unsupported-encoding': 415,
    'unsupported-media-type': 415,
    'not-an-envelope': 400,
    'wrong-payload-type': 415,
    'invalid-payload': 422,
    'unacceptable-key': 422,
    'malleable-signature': 422,
    'wrong-signature': 401,
    'unknown-machine': 404,
    'unknown-owner': 404,
    'key-mismatch': 403,
    'insufficient-work': 422,
    'wrong-owner-signature': 422,
    'owner-mismatch': 409,
    'rotated-key': 403,
    'revoked-key': 403,
    'withdrawn-key': 410,
    'unacceptable-rotation': 409,
    'unacceptable-revocation': 422,
    'unacceptable-withdrawal': 422,
    'not-trusted': 403,
    'invitations-used-up': 403,
    'already-trusted': 409,
    'not-an-operator': 403,
    'unacceptable-decision': 422,
    'too-many-tickets': 409,
    'log-halted': 503,
    'unknown-token': 401,
    'unknown-profile': 422,
    'unknown-scenario': 422,
    'unknown-ticket': 404,
    'foreign-ticket': 403,
    'ticket-mismatch': 422,
    'arm-too-late': 409,
    'different-report': 409,
    'report-too-late': 410,
    'report-from-future': 422,
    'untimely-request': 422,
    'invalid-query': 400,
    'withdrawn-contents': 410,
    'not-found': 404,
    'too-many-requests': 429,
    'not-authorized': 401,
    'uri-too-long': 414,
    'headers-too-large': 431,
    'not-http': 400,
    'method-not-allowed': 405,
    'store-busy': 503,
    'internal-error': 500,
  };

  it('have types and statuses that never change', () => {
    const present = Object.fromEntries(namesOf(problems).map((slug) => [slug, problems[slug].status]));
    expect(present).toEqual(published);
  });

  it('are each answered by some operation, or wherever nothing is', () => {
    const answered = new Set<ProblemSlug>(
      operationList.flatMap(([, operation]: readonly [string, Operation]) => operation.problems),
    );
    expect(namesOf(problems).filter((slug) => !answered.has(slug) && !isGeneral(slug))).toEqual([]);
  });

  it('stand in each operation under their own status, and link to their pages', () => {
    for (const [id, operation] of operationList) {
      const address = templateOf(operation.address);
      for (const [status, slugs] of problemsByStatus(operation)) {
        for (const slug of slugs) {
          expect([id, slug, problems[slug].status]).toEqual([id, slug, status]);
          const described = responseAt(document, address, operation.method, status)?.response.description;
          expect([id, described]).toEqual([id, expect.stringContaining(`[${slug}](/problems/${slug})`)]);
        }
      }
    }
  });
});
