/**
 * What an admission was answered with, held against what was sent: the log promises an entry, the entry commits to
 * the very envelope, and everything opens as it says. Pure: no file, no network.
 */
import { fromBase64, fromHex, sha256, toHex, utf8 } from '../../schema/bytes.ts';
import { verifies } from '../../schema/ed25519.ts';
import { type Envelope, hashInput, payloadType, preAuthEncoding } from '../../schema/envelope.ts';
import { entryText, envelopeCommitment, logEntry, rowCommitment } from '../../schema/log/entry.ts';
import type { Verifier } from '../../schema/log/note.ts';
import { leafHash } from '../../schema/log/tree.ts';
import { bytesOf } from '../../schema/log/verifier-key.ts';
import { type Logged, type PromiseBody, promiseBody } from '../../schema/wire.ts';

/** The kinds of payload that become an entry of their own. */
export type LoggedKind = 'armed' | 'report' | 'rotate' | 'revoke' | 'withdraw' | 'invite';

/**
 * A promise may give the log this long (the maximum merge delay of certificate logs, RFC 6962 section 3): one that may
 * be kept in a hundred years is none.
 */
const mergeMaxMs = 24 * 3600_000;

/** The body of a promise, if the log's key signed it; otherwise what is wrong, in words. */
export async function openPromise(
  { payload, payloadType: type, signatures }: Envelope,
  { name, key }: Pick<Verifier, 'name' | 'key'>,
): Promise<{ readonly promise: PromiseBody } | { readonly fault: string }> {
  if (type !== payloadType('promise')) return { fault: `The promise is of type ${type}.` };
  const [signature] = signatures;
  if (signature?.keyid !== toHex(key)) {
    return { fault: `The promise is signed by key ${signature?.keyid}, not by the log's, ${toHex(key)}.` };
  }
  const [bytes, sig] = [bytesOf(payload), bytesOf(signature.sig)];
  if (!bytes || !sig || !(await verifies(key, sig, preAuthEncoding(type, bytes)))) {
    return { fault: "The promise's signature is not the log's." };
  }
  const text = new TextDecoder().decode(bytes);
  const body = parsed(text, promiseBody);
  // With a name twice, or in another order, readers could disagree on what was promised.
  if (body === null || JSON.stringify(body) !== text) return { fault: 'The promise is not in its form.' };
  if (body.origin !== name) return { fault: `The promise is of the log ${body.origin}, not of ${name}.` };
  return { promise: body };
}

function parsed<T>(
  text: string,
  schema: { safeParse: (value: unknown) => { data?: T | undefined } },
): T | null {
  try {
    return schema.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** The hash and the signature of a signed request, as its entry commits to them. */
async function requestOf(kind: LoggedKind, { payload, signatures }: Envelope) {
  const { keyid = '', sig = '' } = signatures[0] ?? {};
  const hash = toHex(await sha256(hashInput(kind, fromHex(keyid), fromBase64(payload))));
  return { hash, signature: fromBase64(sig) };
}

/**
 * What is wrong with the answer to an envelope of ours, in words, or null. `answer` has its agreed form; everything in
 * it may be a lie.
 */
export async function faultOfAdmission(
  kind: LoggedKind,
  sent: Envelope,
  answer: Logged & { readonly report_id?: string },
  log: Pick<Verifier, 'name' | 'key'>,
): Promise<string | null> {
  const opened = await openPromise(answer.promise, log);
  if ('fault' in opened) return opened.fault;
  const { promise } = opened;
  const entry = parsed(answer.entry, logEntry);
  if (entry === null || entryText(entry) !== answer.entry) return 'The entry is not in its form.';
  if (promise.log_index !== answer.log_index) {
    return `The promise is for entry ${promise.log_index}, and the answer speaks of ${answer.log_index}.`;
  }
  if (promise.leaf_hash !== toHex(await leafHash(utf8(answer.entry)))) {
    return `The promise is for another entry ${promise.log_index} than the one that was sent back.`;
  }
  if (answer.report_id !== undefined && answer.report_id !== String(answer.log_index)) {
    return `The report is entry ${answer.log_index}, and the answer calls it ${answer.report_id}.`;
  }
  if (entry.kind !== kind) return `The entry is of kind ${entry.kind}; what was sent is ${kind}.`;
  if (entry.admitted_at !== answer.admitted_at) {
    return `The entry was admitted at ${entry.admitted_at}, and the answer says ${answer.admitted_at}.`;
  }
  if (Date.parse(promise.merge_by) - Date.parse(entry.admitted_at) > mergeMaxMs) {
    return `The promise is for ${promise.merge_by}: more than a day after ${entry.admitted_at}.`;
  }
  if ((await rowCommitment(fromHex(answer.row_salt), answer.row)) !== entry.row) {
    return 'The entry commits to another row than the one that was sent back.';
  }
  if (answer.envelope_salt === null || entry.envelope === null) {
    return 'The entry commits to no signed request.';
  }
  const { hash, signature } = await requestOf(kind, sent);
  if ((await envelopeCommitment(fromHex(answer.envelope_salt), hash, signature)) !== entry.envelope) {
    return 'The entry commits to another signed request than the one that was sent.';
  }
  return null;
}
