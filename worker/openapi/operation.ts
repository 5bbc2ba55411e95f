/** What a row of the table of operations holds, and short ways to write it. */
import * as z from 'zod';
import type { PayloadKind } from '../../schema/envelope.ts';
import type { ProblemSlug } from '../../schema/problem.ts';

/** The parts that the API's description is divided in. */
export const tags = {
  machines: 'What machines say: signed envelopes. The same request again is answered as the first time.',
  results: 'What the survey says.',
  keys: 'What becomes of keys: who is trusted, what is taken back. Signed as all that machines say.',
  log: 'The transparency log: checkpoints, tiles, proofs, and what the entries commit to.',
  pages: 'Pages for people, feeds for maintainers.',
  service: 'The API about itself.',
} as const;
export type Tag = keyof typeof tags;

/** Values of the parameters of one request, by name. A list travels as one value with commas. */
export type ExampleValues = Readonly<Record<string, string | readonly string[]>>;

/** What an answer of one status holds, by media type without parameters. */
export interface Answer {
  readonly description: string;
  readonly content: Readonly<Record<string, z.ZodType>>;
}

/** One operation: a method at an address. */
export interface Operation {
  readonly method: 'get' | 'post';
  /** As it stands in the routes of worker/app.ts. */
  readonly address: string;
  readonly tag: Tag;
  readonly summary: string;
  /** What the summary leaves open. */
  readonly description?: string;
  readonly path?: z.ZodObject;
  readonly query?: z.ZodObject;
  /** The signed payload that the body's envelope carries. */
  readonly takes?: { readonly kind: PayloadKind; readonly payload: z.ZodType };
  /** Where nothing was wrong. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** All that it can be refused with, but for `internal-error`, which can happen everywhere. */
  readonly problems: readonly ProblemSlug[];
  /** Requests that the tests send and the reference shows: the path's and query's values. Left out: one without any. */
  readonly examples?: readonly ExampleValues[];
}

/** Text that has no schema here: a page, a feed, a table. */
const text = z.string();

/** 200 with JSON. */
export function json(schema: z.ZodType): Operation['answers'] {
  return { 200: { description: 'The answer.', content: { 'application/json': schema } } };
}

/** 200 with text of a media type. */
export function textOf(mediaType: string, description = 'The answer.'): Operation['answers'] {
  return { 200: { description, content: { [mediaType]: text } } };
}

/** 200 with JSON or text, as the request prefers. */
export function jsonOr(mediaType: string, schema: z.ZodType, description: string): Operation['answers'] {
  return { 200: { description, content: { 'application/json': schema, [mediaType]: text } } };
}

/** 201 the first time, 200 again. */
export function admitted(schema: z.ZodType): Operation['answers'] {
  const content = { 'application/json': schema };
  return {
    200: { description: 'Known before: answered as the first time.', content },
    201: { description: 'Admitted and stored.', content },
  };
}

/** Whatever is wrong with a signed body before its meaning is looked at. */
const envelopeProblems = [
  'not-json',
  'too-large',
  'too-slow',
  'unsupported-encoding',
  'unsupported-media-type',
  'not-an-envelope',
  'wrong-payload-type',
  'unacceptable-key',
  'malleable-signature',
  'wrong-signature',
  'invalid-payload',
  'key-mismatch',
  'log-halted',
  'store-busy',
] as const satisfies readonly ProblemSlug[];

/** The problems of a signed request: those of its envelope, then its own. */
export function signed(...own: readonly ProblemSlug[]): readonly ProblemSlug[] {
  return [...envelopeProblems, ...own];
}
