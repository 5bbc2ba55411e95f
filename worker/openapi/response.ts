/** The answers of an operation as the document describes them, wherever it does. */
import type { OpenApi, OperationObject, ResponseObject } from './types.ts';

/** The answer of one status and the steps to it in the document, or null where none is described. */
export function responseAt(
  { paths, components }: OpenApi,
  address: string,
  method: string,
  status: number | string,
): { readonly at: readonly string[]; readonly response: ResponseObject } | null {
  const operation = paths[address]?.[method as keyof (typeof paths)[string]];
  const response = operation?.responses[status];
  if (response === undefined) return null;
  if (!('$ref' in response)) return { at: ['paths', address, method, 'responses', String(status)], response };
  const name = response.$ref.slice(response.$ref.lastIndexOf('/') + 1);
  const shared = components.responses[name];
  return shared === undefined ? null : { at: ['components', 'responses', name], response: shared };
}

/** The answers that an operation describes itself, by status: those of all operations are left out. */
export function ownResponses({ responses }: OperationObject): (readonly [string, ResponseObject])[] {
  return Object.entries(responses).flatMap(([status, response]) =>
    '$ref' in response ? [] : [[status, response] as const],
  );
}
