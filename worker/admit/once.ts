/** Requests that make one entry of the log each: whoever sends one again, also at the same moment, gets the first answer. */
import type { EntryAnswer } from '../../schema/wire.ts';
import type { SignedRequest } from '../log/draft.ts';
import { entryAnswerOf } from '../log/promise.ts';
import { Refusal } from '../refusal.ts';
import type { Services } from '../services.ts';
import { entryOfRequest, type StoredEntry } from '../store/log.ts';
import type { Admission } from './admission.ts';

/**
 * Answers a request from its entry, or lets `enter` make one. What `enter` refuses because the very same request was
 * faster is no refusal. Throws a Refusal; then nothing was stored.
 */
export async function admitOnce(
  services: Services,
  { hash }: Pick<SignedRequest, 'hash'>,
  enter: () => Promise<StoredEntry>,
): Promise<Admission<EntryAnswer>> {
  const known = await entryOfRequest(services.store, hash);
  if (known !== null) return { fresh: false, answer: await entryAnswerOf(services, known) };
  try {
    return { fresh: true, answer: await entryAnswerOf(services, await enter()) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const meanwhile = await entryOfRequest(services.store, hash);
    if (meanwhile === null) throw error;
    return { fresh: false, answer: await entryAnswerOf(services, meanwhile) };
  }
}

/** What `enter` throws where nothing but the very same request can have been faster. */
export function overtaken(): never {
  throw new Refusal('store-busy', 'Another request was faster.');
}
