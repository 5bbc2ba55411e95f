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

/**
 * Runs something, and lets another thing happen just before it writes to the store for the first time. Gives also how
 * often it tried to write. Throws where it never did.
 */
export async function whileWriting<T>(
  survey: InProcess,
  act: () => Promise<T>,
  meanwhile: () => Promise<unknown>,
): Promise<{ readonly result: T; readonly attempts: number }> {
  const { db } = survey.services.store;
  const batch = db.batch.bind(db);
  let attempts = 0;
  const counted: typeof batch = async (statements) => {
    attempts += 1;
    if (attempts === 1) {
      db.batch = batch;
      await meanwhile();
      db.batch = counted;
    }
    return batch(statements);
  };
  db.batch = counted;
  const result = await act().finally(() => {
    db.batch = batch;
  });
  if (attempts === 0) throw new Error(`nothing was written: ${JSON.stringify(result)}`);
  return { result, attempts };
}

/** Posts an envelope, with something else that happens just before its admission writes for the first time. */
export async function sendWhile(
  survey: InProcess,
  kind: PayloadKind,
  envelope: Envelope,
  meanwhile: () => Promise<unknown>,
): Promise<Answer & { readonly attempts: number }> {
  const { result, attempts } = await whileWriting(survey, () => send(survey, kind, envelope), meanwhile);
  return { ...result, attempts };
}
