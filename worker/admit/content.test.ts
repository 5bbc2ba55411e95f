import { expect, it } from 'vitest';
import { faultOfContent } from './content.ts';

it.each<[string, Record<string, string>, string | null]>([
  ['nothing said', {}, null],
  ['JSON', { 'content-type': 'application/json' }, null],
  ['JSON with a charset', { 'content-type': 'Application/JSON; charset=utf-8' }, null],
  ['a kind of JSON', { 'content-type': 'application/vnd.dsse.envelope.v1+json' }, null],
  ['as it is', { 'content-encoding': 'identity' }, null],
  ['an empty encoding', { 'content-encoding': '' }, null],
  ['gzip', { 'content-encoding': 'gzip' }, 'unsupported-encoding'],
  ['two encodings', { 'content-encoding': 'identity, br' }, 'unsupported-encoding'],
  ['an encoding of no name', { 'content-encoding': 'x'.repeat(5000) }, 'unsupported-encoding'],
  ['an encoding before a type', { 'content-encoding': 'gzip', 'content-type': 'x' }, 'unsupported-encoding'],
  ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'unsupported-media-type'],
  ['plain text', { 'content-type': 'text/plain;charset=UTF-8' }, 'unsupported-media-type'],
  ['a form of parts', { 'content-type': 'multipart/form-data; boundary=x' }, 'unsupported-media-type'],
  ['JSON of some lines', { 'content-type': 'application/jsonl' }, 'unsupported-media-type'],
  ['something with JSON in it', { 'content-type': 'text/plain; application/json' }, 'unsupported-media-type'],
  ['an empty type', { 'content-type': '' }, 'unsupported-media-type'],
])('%s', (_, headers, slug) => {
  const fault = faultOfContent(new Headers(headers));
  expect(fault?.slug ?? null).toBe(slug);
  expect(fault?.detail.length ?? 0).toBeLessThan(160);
});
