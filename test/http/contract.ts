/**
 * Holds answers against the document that describes them, with a validator of JSON Schema that is not the one the
 * server's own checks are made with. Whatever the document does not say is a fault.
 */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { GeneralAnswer } from '../../worker/openapi/general.ts';
import { responseAt } from '../../worker/openapi/response.ts';
import type { OpenApi, OperationObject, ResponseObject } from '../../worker/openapi/types.ts';

/** An answer as it came. */
export interface Answered {
  readonly status: number;
  readonly contentType: string | null;
  readonly text: string;
}

/** What one operation may be answered. */
export interface Described {
  readonly method: string;
  /** With its parameters in braces. */
  readonly address: string;
  readonly operation: OperationObject;
}

export interface Contract {
  readonly document: OpenApi;
  readonly operations: readonly Described[];
  /** In what an answer of this operation differs from the document, or null. */
  readonly faultOf: (operation: Described, answer: Answered) => string | null;
  /** The same for what belongs to no operation, and is to be one of some general answers. */
  readonly faultOfGeneral: (names: readonly GeneralAnswer[], answer: Answered) => string | null;
  /**
   * In what the payload of a signed request differs from what an operation takes, or null: the payload itself, and the
   * profile that it may carry as a text.
   */
  readonly faultOfPayload: (operation: Described, payload: unknown) => string | null;
  /** In what a value differs from the schema at a JSON pointer of the document, or null. */
  readonly faultAt: (pointer: readonly string[], value: unknown) => string | null;
}

/** The reference to a place in the document (RFC 6901, as a URI fragment). */
function refTo(pointer: readonly string[]): string {
  const steps = pointer.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1')));
  return `openapi.json#/${steps.join('/')}`;
}

/** `text/html` of `text/html; charset=utf-8`. */
function essence(contentType: string | null): string {
  return (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

/** The contract that a document is. Throws where one of its schemas cannot be compiled. */
export function contractOf(document: OpenApi): Contract {
  // A record over an enumeration requires names that stand in no `properties`: that one rule is style.
  const ajv = new Ajv2020({ strict: true, strictRequired: false });
  addFormats.default(ajv);
  ajv.addVocabulary(Object.keys(document));
  ajv.addSchema(document, 'openapi.json', undefined, false);
  const compiled = new Map<string, ValidateFunction>();

  function faultAt(pointer: readonly string[], value: unknown): string | null {
    const $ref = refTo(pointer);
    let validate = compiled.get($ref);
    if (validate === undefined) {
      validate = ajv.compile({ $ref });
      compiled.set($ref, validate);
    }
    return validate(value) ? null : `at ${pointer.join(' ')}: ${ajv.errorsText(validate.errors)}`;
  }

  function faultUnder(at: readonly string[], response: ResponseObject | undefined, answer: Answered) {
    if (response === undefined) return 'no such answer is described';
    const mediaType = essence(answer.contentType);
    if (!Object.hasOwn(response.content, mediaType))
      return `media type ${mediaType || 'none'} is not described`;
    let value: unknown = answer.text;
    if (/[/+]json$/.test(mediaType)) {
      try {
        value = JSON.parse(answer.text);
      } catch {
        return 'the body is not JSON';
      }
    }
    return faultAt([...at, 'content', mediaType, 'schema'], value);
  }

  function faultOfPayload({ address, method }: Described, payload: unknown): string | null {
    const body = ['paths', address, method, 'requestBody', 'content', 'application/json', 'schema'];
    const fault = faultAt([...body, 'properties', 'payload', 'contentSchema'], payload);
    if (fault !== null || !(payload instanceof Object) || !('profile' in payload)) return fault;
    try {
      return faultAt(['components', 'schemas', 'Profile'], JSON.parse(String(payload.profile)));
    } catch {
      return 'the profile is not JSON';
    }
  }

  return {
    document,
    faultOfPayload,
    operations: Object.entries(document.paths).flatMap(([address, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method, address, operation })),
    ),
    faultOf: ({ method, address }, answer) => {
      const described = responseAt(document, address, method, answer.status);
      if (described === null) return `status ${answer.status} is not described`;
      return faultUnder(described.at, described.response, answer);
    },
    faultOfGeneral: (names, answer) => {
      const faults = names.map((name) =>
        faultUnder(['components', 'responses', name], document.components.responses[name], answer),
      );
      return faults.includes(null) ? null : (faults[0] ?? null);
    },
    faultAt,
  };
}
