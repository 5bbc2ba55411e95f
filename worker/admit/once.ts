/**
 * Requests that make one entry of the log each: whoever sends one again, also at the same moment, gets the first
 * answer; and what a request is judged by cannot change before it is in the log.
 */
import type { EntryAnswer } from '../../schema/wire.ts';
import type { SignedRequest } from '../log/draft.ts';
import { entryAnswerOf } from '../log/promise.ts';
import { Refusal, refuseIf } from '../refusal.ts';
import type { Services } from '../services.ts';
import { entryOfRequest, type StoredEntry } from '../store/log.ts';
import type { Admission } from './admission.ts';
import { faultOfDate } from './date.ts';

/** Whatever a request is judged by may change while it is; then it is judged again. */
const attemptsMax = 20;

/**
 * Judges and writes until nothing came in between: `attempt` gives null where it found, as it wrote, that what it had
 * judged by was changed. Throws the `store-busy` refusal where that happens again and again.
 */
export async function judgedInTime<T>(attempt: () => Promise<T | null>): Promise<T> {
  for (let i = 0; i < attemptsMax; i++) {
    const done = await attempt();
    if (done !== null) return done;
  }
  throw new Refusal('store-busy', 'Other requests about the same keys kept coming in.');
}

/**
 * Answers a request from its entry, or lets `enter` make one. What `enter` refuses because the very same request
 * was faster is no refusal. Throws a Refusal; then nothing was stored.
 */
export function admitOnce(
  services: Services,
  { hash }: Pick<SignedRequest, 'hash'>,
  createdAt: string,
  enter: () => Promise<StoredEntry | null>,
): Promise<Admission<EntryAnswer>> {
  async function known(): Promise<Admission<EntryAnswer> | null> {
    const entry = await entryOfRequest(services.store, hash);
    return entry && { fresh: false, answer: await entryAnswerOf(services, entry) };
  }
  return judgedInTime(async () => {
    const before = await known();
    if (before !== null) return before;
    refuseIf(faultOfDate(createdAt, services.now()));
    try {
      const entry = await enter();
      return entry && { fresh: true, answer: await entryAnswerOf(services, entry) };
    } catch (error) {
      const meanwhile = error instanceof Refusal ? await known() : null;
      if (meanwhile !== null) return meanwhile;
      throw error;
    }
  });
}
