/** Receipts: what the log promised to somebody who sent something, against the tree. */
import * as z from 'zod';
import { fromBase64, fromHex, toHex, utf8 } from '../../schema/bytes.ts';
import { verifies } from '../../schema/ed25519.ts';
import { type Envelope, payloadType, preAuthEncoding } from '../../schema/envelope.ts';
import { rowCommitment } from '../../schema/log/entry.ts';
import type { Verifier } from '../../schema/log/note.ts';
import { leafHash } from '../../schema/log/tree.ts';
import { checkpointNote, limits, logged, type PromiseBody, promiseBody } from '../../schema/wire.ts';
import { instant } from '../time.ts';
import { parseEntry } from './contents.ts';
import { type Head, openHead } from './heads.ts';
import type { Tally } from './tally.ts';

/** What an admission was answered with, as the agent keeps it in its outbox. Other fields may stand beside. */
const receiptFile = z.looseObject({ ...logged.shape, checkpoint: checkpointNote.optional() });

export interface Receipt {
  /** Names it for people. */
  readonly name: string;
  readonly promise: PromiseBody;
  /** The checkpoint that it came with. */
  readonly head: Head | null;
}

/** The body of a promise that the log's key signed. Throws an Error that says what is wrong. */
export async function openPromise(envelope: Envelope, key: Verifier): Promise<PromiseBody> {
  const type = payloadType('promise');
  const [signature] = envelope.signatures;
  const payload = fromBase64(envelope.payload);
  const isSigned =
    envelope.payloadType === type &&
    signature?.keyid === toHex(key.key) &&
    (await verifies(key.key, fromBase64(signature.sig), preAuthEncoding(type, payload)));
  if (!isSigned) throw new Error(`The promise is not signed by the log's key ${toHex(key.key)}.`);
  return promiseBody.parse(JSON.parse(new TextDecoder().decode(payload)));
}

/** Reads a receipt. Null where it does not hold together: then it is found. */
export async function readReceipt(
  name: string,
  text: string,
  key: Verifier,
  tally: Tally,
): Promise<Receipt | null> {
  try {
    const receipt = receiptFile.parse(JSON.parse(text));
    const promise = await openPromise(receipt.promise, key);
    const entry = parseEntry(utf8(receipt.entry));
    const faults: readonly (readonly [boolean, string])[] = [
      [promise.origin === key.name, `The promise is of the log ${promise.origin}.`],
      [promise.log_index === receipt.log_index, `The promise is of entry ${promise.log_index}.`],
      [promise.leaf_hash === toHex(await leafHash(utf8(receipt.entry))), 'The promise is of another entry.'],
      [entry !== null && entry.admitted_at === receipt.admitted_at, 'The entry is not as agreed.'],
      [
        entry?.row === (await rowCommitment(fromHex(receipt.row_salt), receipt.row)),
        'The row does not open what the entry commits to.',
      ],
      [
        promise.merge_by === instant(Date.parse(receipt.admitted_at) + limits.mergeWithinMs),
        `The promise is for ${promise.merge_by}.`,
      ],
    ];
    const fault = faults.find(([holds]) => !holds);
    if (fault !== undefined) throw new Error(fault[1]);
    const what = `the checkpoint in the receipt ${name}`;
    const head = receipt.checkpoint === undefined ? null : await openHead(what, receipt.checkpoint, key);
    return { name, promise, head };
  } catch (error) {
    const found =
      error instanceof z.ZodError || error instanceof SyntaxError
        ? 'a file that is no answer to an admission'
        : error instanceof Error
          ? error.message
          : String(error);
    tally.find('receipts', null, `a receipt that this log signed in ${name}`, found, [text]);
    return null;
  }
}

/** What the walk found at the index of a receipt. */
export interface Place {
  /** The leaf's hash in hexadecimal. */
  readonly leaf: string;
  readonly isWithdrawn: boolean;
}

/** Whether the promise was kept. Says in `lacking` where it is not due yet. */
export function judgeReceipt(
  { name, promise }: Receipt,
  newest: Head,
  place: Place | undefined,
  nowMs: number,
  tally: Tally,
  lacking: string[],
): void {
  const { log_index, leaf_hash, merge_by } = promise;
  const evidence = [JSON.stringify(promise), newest.note];
  const expected = `entry ${log_index} with the leaf ${leaf_hash}, as the receipt ${name} promises`;
  if (log_index >= newest.checkpoint.size) {
    if (nowMs <= Date.parse(merge_by)) {
      lacking.push(
        `The entry of the receipt ${name} is not under a checkpoint yet; the log promised it for ${merge_by}. Run again then.`,
      );
      return;
    }
    tally.find(
      'receipts',
      log_index,
      `${expected} by ${merge_by}`,
      `a log of ${newest.checkpoint.size} entries`,
      evidence,
    );
  } else if (place?.leaf !== leaf_hash) {
    tally.find('receipts', log_index, expected, `an entry with the leaf ${place?.leaf}`, evidence);
  } else {
    tally.count('receipts', 'ok');
    if (place.isWithdrawn)
      tally.note(
        `The contents of entry ${log_index}, of which you have the receipt ${name}, were withdrawn. If neither you nor the machine's owner did that, the receipt proves what is missing.`,
      );
  }
}
