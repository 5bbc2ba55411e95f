/** Requests that a person makes once, each an entry of the log: shown or sent, and the receipt kept. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fromBase64 } from '../../schema/bytes.ts';
import type { Envelope } from '../../schema/envelope.ts';
import type { EntryAnswer } from '../../schema/wire.ts';
import type { OptionValues } from '../command.ts';
import { writeDurably } from '../durable.ts';
import { openPromise } from '../link/admitted.ts';
import { addresses } from '../link/api.ts';
import type { SurveyLink } from './survey-api.ts';

/** The kinds of request that a person makes. */
export type RequestKind = 'rotate' | 'revoke' | 'withdraw' | 'invite';

/** Prints the address, the bytes that are signed, and the body with their signature; nothing is sent. */
export function showRequest(url: string, kind: RequestKind, sent: Envelope, values: OptionValues): void {
  const address = `${url.replace(/\/+$/, '')}${addresses[kind]}`;
  const payload = new TextDecoder().decode(fromBase64(sent.payload));
  if (values.json) console.log(JSON.stringify({ address, payload, envelope: sent }));
  else
    console.log(
      `POST ${address}\n\nThe bytes that are signed:\n${payload}\n\nThe body:\n${JSON.stringify(sent)}`,
    );
}

/** Sends a request, and keeps what was sent beside what was answered. */
export async function sendRequest(
  { survey, memory }: SurveyLink,
  kind: RequestKind,
  sent: Envelope,
): Promise<EntryAnswer> {
  const answer = await survey[kind](sent);
  const dir = join(memory.dir, 'receipts');
  await mkdir(dir, { recursive: true });
  const receipt = JSON.stringify({ request: sent, receipt: answer });
  await writeDurably(join(dir, `${kind}-${answer.log_index}.json`), receipt);
  return answer;
}

/** Says what came of a request: `done` to people, `facts` to programs. */
export async function reportAnswer(
  { log }: SurveyLink,
  done: string,
  facts: object,
  { log_index, admitted_at, promise }: EntryAnswer,
  values: OptionValues,
): Promise<void> {
  const opened = await openPromise(promise, await log.ready());
  const merge_by = 'promise' in opened ? opened.promise.merge_by : null;
  if (values.json) console.log(JSON.stringify({ ...facts, log_index, admitted_at, merge_by }));
  else
    console.log(
      `${done}\nIt is entry ${log_index} of the log, which has promised to have it in its tree by ${merge_by}.`,
    );
}
