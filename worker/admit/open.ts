/**
 * Opens an envelope: from hostile bytes to a payload that is known to be signed by the machine it names. Every
 * admission begins here, and nothing of a payload is looked at before its signature has been verified.
 */
import type * as z from 'zod';
import { fromBase64, fromHex, sha256, toHex } from '../../schema/bytes.ts';
import { verifies } from '../../schema/ed25519.ts';
import {
  type Envelope,
  envelope as envelopeSchema,
  hashInput,
  type PayloadKind,
  payloadType,
  preAuthEncoding,
} from '../../schema/envelope.ts';
import type { SignedRequest } from '../log/draft.ts';
import { Refusal, refuseIf } from '../refusal.ts';
import type { Services } from '../services.ts';
import { parseFields } from './fields.ts';
import { decodeUtf8, JsonFault, parseJson, TooDeep } from './json.ts';
import { faultOfKey, faultOfSignature } from './verify.ts';

/** An opened envelope. `request.hash` names the payload; nothing is ever keyed on the signature. */
export interface Opened<T> {
  readonly body: T;
  readonly request: SignedRequest;
}

/**
 * Opens the envelope that the bytes of a body are. `signerOf` gives the key that a body says it is signed by. Throws a
 * Refusal that says what is wrong with which part, or that the key has signed too much of late.
 */
export async function openEnvelope<T>(
  { limiter }: Pick<Services, 'limiter'>,
  bytes: Uint8Array,
  kind: PayloadKind,
  schema: z.ZodType<T>,
  signerOf: (body: T) => string,
): Promise<Opened<T>> {
  const envelope = parseEnvelope(bytes);
  const type = payloadType(kind);
  if (envelope.payloadType !== type) {
    throw new Refusal(
      'wrong-payload-type',
      `payloadType is ${envelope.payloadType}; this address takes ${type}.`,
    );
  }
  const { keyid, sig } = envelope.signatures[0] ?? { keyid: '', sig: '' };
  const key = fromHex(keyid);
  const payload = base64Field('payload', envelope.payload);
  const signature = base64Field('sig', sig);
  refuseIf(faultOfKey('keyid', key));
  refuseIf(faultOfSignature('sig', signature));
  if (!(await verifies(key, signature, preAuthEncoding(type, payload)))) {
    throw new Refusal(
      'wrong-signature',
      `sig is not a signature of key ${keyid} over this payload and payloadType.`,
    );
  }
  limiter.key(keyid);
  const body = parsePayload(kind, schema, payload);
  const named = signerOf(body);
  if (named !== keyid) {
    throw new Refusal('key-mismatch', `The payload is to be signed by ${named}; key ${keyid} signed it.`);
  }
  const hash = toHex(await sha256(hashInput(kind, key, payload)));
  return { body, request: { kind, key: keyid, payload, signature, hash } };
}

function parseEnvelope(bytes: Uint8Array): Envelope {
  let value: unknown;
  try {
    value = parseJson(decodeUtf8(bytes));
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const slug = error instanceof TooDeep ? 'not-an-envelope' : 'not-json';
    throw new Refusal(slug, `The body: ${error.message}.`);
  }
  const parsed = envelopeSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') || 'The top level';
  throw new Refusal('not-an-envelope', `${where}: ${issue?.message.slice(0, 160) ?? 'not as agreed'}.`);
}

function base64Field(name: string, text: string): Uint8Array<ArrayBuffer> {
  try {
    return fromBase64(text);
  } catch {
    throw new Refusal('not-an-envelope', `${name} is not standard base64 with padding (RFC 4648 section 4).`);
  }
}

function parsePayload<T>(kind: PayloadKind, schema: z.ZodType<T>, payload: Uint8Array): T {
  let text: string;
  try {
    text = decodeUtf8(payload);
  } catch {
    throw new Refusal('invalid-payload', `${kind}: it is not UTF-8.`);
  }
  return parseFields(kind, schema, text);
}
