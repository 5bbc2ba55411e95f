/** Makes races that come out the same each time: something happens between what a request has read and what it writes. */

import type { Envelope, PayloadKind } from '../../schema/envelope.ts';
import { type Answer, paths, readAnswer } from './client.ts';
import { type InProcess, origin } from './in-process.ts';

/** Posts an envelope to the application in this process. */
export async function send(survey: InProcess, kind: PayloadKind, envelope: Envelope): Promise<Answer> {
  const init = {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(envelope),
  };
  return readAnswer(await survey.fetch(new Request(origin + paths[kind], init)));
}

/** Posts an envelope, and lets something happen just before its admission writes. Throws where it never wrote. */
export async function sendWhile(
  survey: InProcess,
  kind: PayloadKind,
  envelope: Envelope,
  meanwhile: () => Promise<unknown>,
): Promise<Answer> {
  const { db } = survey.services.store;
  const batch = db.batch.bind(db);
  let happened = false;
  db.batch = async (statements) => {
    db.batch = batch;
    happened = true;
    await meanwhile();
    return batch(statements);
  };
  const answer = await send(survey, kind, envelope);
  db.batch = batch;
  if (!happened) throw new Error(`${kind} wrote nothing: ${answer.text}`);
  return answer;
}
