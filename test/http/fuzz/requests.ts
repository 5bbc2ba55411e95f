/** Requests that a document leads to: valid, nearly valid, hostile; and which operation an address belongs to. */

import { spansSegments } from '../../../worker/openapi/request.ts';
import type { Contract, Described } from '../contract.ts';
import type { Body, BodyMaker } from './bodies.ts';
import { hostileText } from './hostile.ts';
import type { Known } from './mutate.ts';
import { queryOf, valueText } from './parameters.ts';
import type { Random } from './random.ts';

export interface FuzzRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body | null;
}

const otherMethods = [
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'PATCH',
  'POST',
  'GET',
  'BREW',
  'get',
  'PROPFIND',
] as const;

const accepts = [
  'application/json',
  'text/html',
  'text/html,application/xhtml+xml,*/*;q=0.8',
  '*/*',
  'text/html;q=0, application/json',
  'application/json;q=0',
  ';;;,,,q=',
  `text/html${';q=1'.repeat(500)}`,
  '',
] as const;

const contentTypes = ['application/json', 'application/json; charset=utf-8', 'Application/JSON'] as const;

/** What can stand in a header: no line ends, Latin-1. */
function headerText(random: Random): string {
  return hostileText(random)
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, 2000)
    .trim();
}

function headersOf(wild: boolean, hasBody: boolean, random: Random): Record<string, string> {
  const headers: Record<string, string> = random.chance(0.6) ? { accept: random.pick(accepts) } : {};
  if (hasBody) headers['content-type'] = random.pick(contentTypes);
  if (!wild) return headers;
  for (const name of [
    'content-type',
    'content-encoding',
    'authorization',
    'content-length',
    'if-none-match',
    'range',
    'origin',
    'x-forwarded-host',
    'cookie',
  ])
    if (random.chance(0.08)) headers[name] = headerText(random);
  return headers;
}

/** A request for an operation. */
export function requestFor(
  described: Described,
  origin: string,
  random: Random,
  known: Known,
  bodies: BodyMaker,
): FuzzRequest {
  const { method, address, operation } = described;
  const wild = random.chance(0.6);
  const parameters = operation.parameters ?? [];
  const path = address.replace(/\{(\w+)\}/g, (_, name: string) => {
    const parameter = parameters.find((p) => p.in === 'path' && p.name === name);
    return parameter === undefined ? '' : valueText(parameter, wild && random.chance(0.7), random, known);
  });
  const query = queryOf(
    parameters.filter((p) => p.in === 'query'),
    wild,
    random,
    known,
  );
  const strayed = wild && random.chance(0.04) ? random.pick(['/', '//', '/.', '%00', '.json', '/x']) : '';
  const usedMethod = wild && random.chance(0.06) ? random.pick(otherMethods) : method.toUpperCase();
  const hasBody = operation.requestBody !== undefined && !/^(get|head)$/i.test(usedMethod);
  return {
    method: usedMethod,
    url: new URL(`${path}${strayed}${query}`.replace(/^\/+/, '/'), origin).href,
    headers: headersOf(wild, hasBody, random),
    body: hasBody ? bodies(described, wild) : null,
  };
}

/** The path as a router reads it: percent-encodings undone, but for those of reserved characters. */
function pathOf(url: string): string {
  const { pathname } = new URL(url);
  return pathname.replace(/(?:%[0-9a-f]{2})+/gi, (run) => {
    try {
      return decodeURI(run);
    } catch {
      return run;
    }
  });
}

/** Whether the steps of a path are those of a template; a parameter at the end may span several. */
function isLike(steps: readonly string[], { address, operation }: Described): boolean {
  const template = address.split('/');
  const last = operation.parameters?.findLast((p) => p.in === 'path');
  const spans = last !== undefined && spansSegments(last) && template.at(-1) === `{${last.name}}`;
  if (spans ? steps.length < template.length : steps.length !== template.length) return false;
  return template.every((step, i) => {
    if (!step.startsWith('{')) return step === steps[i];
    return (spans ? steps.slice(i).join('/') : steps[i]) !== '';
  });
}

/** The operations of the address that a URL is, by method; none where no address of the document is like it. */
export function operationsAt({ operations }: Contract, url: string): readonly Described[] {
  const steps = pathOf(url).split('/');
  const fits = operations.filter((described) => isLike(steps, described));
  // An address without parameters comes before one with them.
  const fewest = Math.min(...fits.map(({ address }) => address.split('{').length));
  return fits.filter(({ address }) => address.split('{').length === fewest);
}
