/**
 * What a machine that receives dumps says of one: the finding of its verifier, signed by a key of its own, under the
 * nonce of the trial's ticket. The report on the trial carries the envelope, and its evidence repeats the finding.
 */
import * as z from 'zod';
import { fromBase64, fromHex } from './bytes.ts';
import { keyFault, signatureFault, verifies } from './ed25519.ts';
import { type Envelope, payloadType, preAuthEncoding } from './envelope.ts';
import { atCrash, dumpFinding, trigger } from './evidence.ts';
import { instant, nonce, publicKey, type ReportBody } from './wire.ts';

export const findingBody = z.strictObject({
  version: z.literal('1.0'),
  /** Whose key signs: not the machine's that crashed. */
  receiver: publicKey,
  nonce,
  dump: dumpFinding,
  /** What the log in the dump says of the trigger, and the lines of it that may be told. */
  trigger: trigger.nullable(),
  at_crash: atCrash.nullable(),
  crash_log: z.array(z.string().max(400)).max(60),
  created_at: instant,
});
export type FindingBody = z.infer<typeof findingBody>;

/** A fault in words, or the finding. */
export type OpenedFinding = { readonly body: FindingBody } | { readonly fault: string };

/** Opens what a receiving machine signed. Never throws for what it may hold. */
export async function openFinding({
  payload,
  payloadType: type,
  signatures,
}: Envelope): Promise<OpenedFinding> {
  const expected = payloadType('finding');
  if (type !== expected) return { fault: `its payloadType is ${type}, not ${expected}` };
  const { keyid = '', sig = '' } = signatures[0] ?? {};
  let bytes: Uint8Array<ArrayBuffer>;
  let signature: Uint8Array<ArrayBuffer>;
  let value: unknown;
  try {
    [bytes, signature] = [fromBase64(payload), fromBase64(sig)];
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { fault: 'it holds no signed JSON' };
  }
  const key = fromHex(keyid);
  if (keyFault(key) !== null || signatureFault(signature) !== null)
    return { fault: `the key ${keyid} or its signature has a form that is not accepted` };
  if (!(await verifies(key, signature, preAuthEncoding(type, bytes))))
    return { fault: `it is not signed by key ${keyid}` };
  const { data, error } = findingBody.safeParse(value);
  if (error) return { fault: `${error.issues[0]?.path.join('.') ?? ''}: ${error.issues[0]?.message}` };
  return data.receiver === keyid
    ? { body: data }
    : { fault: `it names receiver ${data.receiver}, and key ${keyid} signed it` };
}

/** What is wrong with the receiver's word that a report carries, or null: also where it carries none. */
export async function receiverFault(report: ReportBody): Promise<string | null> {
  if (report.version !== '1.2') return null;
  const { after_reboot: found, dump } = report.evidence;
  if (!found || found.receiver === null) return null;
  if (found.dump_state !== 'elsewhere') return 'there is a receiver, but the dump is not elsewhere';
  const opened = await openFinding(found.receiver);
  if ('fault' in opened) return opened.fault;
  const { body } = opened;
  if (body.receiver === report.machine) return 'a machine cannot vouch for its own dump';
  if (body.nonce !== report.nonce) return `it is of trial ${body.nonce}, not of ${report.nonce}`;
  return JSON.stringify(body.dump) === JSON.stringify(dump && dumpFinding.parse(dump))
    ? null
    : 'evidence.dump is not what the receiver found';
}
