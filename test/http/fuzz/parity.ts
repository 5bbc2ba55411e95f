/**
 * Whether the server takes what the document allows, and nothing else. Where a body is in one and the same form for
 * both, they must agree; what only a reader of bytes can see (a name twice, other blanks) is left to other tests.
 */
import { fromBase64 } from '../../../schema/bytes.ts';
import { type Envelope, envelope as envelopeSchema } from '../../../schema/envelope.ts';
import type { Answered, Contract, Described } from '../contract.ts';
import type { FuzzRequest } from './requests.ts';

/** The value of a JSON text that is written in one way only. */
function plainValue(text: string): { readonly value: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return JSON.stringify(value) === text ? { value } : null;
  } catch {
    return null;
  }
}

/** Code units and code points differ beyond the basic plane, and lengths with them. */
const beyondBasic = /[\ud800-\udfff]/;

function payloadOf({ body }: FuzzRequest): { readonly text: string; readonly value: unknown } | null {
  if (typeof body !== 'string') return null;
  const envelope = plainValue(body);
  if (envelope === null || !envelopeSchema.safeParse(envelope.value).success) return null;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      fromBase64((envelope.value as Envelope).payload),
    );
    const payload = plainValue(text);
    return payload === null || beyondBasic.test(text) ? null : { text, value: payload.value };
  } catch {
    return null;
  }
}

/** The fault of a body that was admitted against the document, or refused for fields that the document allows. */
function faultOfBody(
  contract: Contract,
  asked: Described,
  request: FuzzRequest,
  answer: Answered,
): string | null {
  const payload = payloadOf(request);
  if (payload === null) return null;
  const { value } = payload;
  // A profile may have a name twice, too.
  const profile = value instanceof Object && 'profile' in value ? value.profile : null;
  if (typeof profile === 'string' && plainValue(profile) === null) return null;
  const fault = contract.faultOfPayload(asked, value);
  if (answer.status < 300 && fault !== null) return `admitted, and not as described: ${fault}`;
  const refused = answer.status === 422 && answer.text.includes('/problems/invalid-payload');
  return refused && fault === null ? 'refused as invalid-payload, and the document allows it' : null;
}

/** The fault of a query that was answered against the document. */
function faultOfQuery(
  contract: Contract,
  { address, method, operation }: Described,
  url: string,
): string | null {
  const parameters = (operation.parameters ?? []).filter((p) => p.in === 'query');
  if (parameters.length === 0) return null;
  const given = [...new URL(url).searchParams];
  for (const [name, text] of given) {
    const place = (operation.parameters ?? []).findIndex((p) => p.in === 'query' && p.name === name);
    const parameter = operation.parameters?.[place];
    if (parameter === undefined) return `the query has ${name}, which is not described`;
    if (beyondBasic.test(text)) continue;
    const value = parameter.schema.type === 'array' ? text.split(',') : text;
    const fault = contract.faultAt(['paths', address, method, 'parameters', String(place), 'schema'], value);
    if (fault !== null) return `the query was answered, and is not as described: ${fault}`;
  }
  const missing = parameters.find((p) => p.required && !given.some(([name]) => name === p.name));
  return missing === undefined ? null : `the query was answered without ${missing.name}`;
}

/** In what the server's own checks differ from the document, as far as this request and its answer show. */
export function faultOfParity(
  contract: Contract,
  asked: Described,
  request: FuzzRequest,
  answer: Answered,
): string | null {
  if (asked.operation.requestBody !== undefined) return faultOfBody(contract, asked, request, answer);
  return answer.status < 300 ? faultOfQuery(contract, asked, request.url) : null;
}
