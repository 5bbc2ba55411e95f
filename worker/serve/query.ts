/** Queries: the names that an address takes, each once. A name that is misspelled must not be taken for no filter. */
import type * as z from 'zod';
import { Refusal } from '../refusal.ts';

/** The checked query of a URL. Throws the `invalid-query` refusal, which names what differs. */
export function readQuery<T>(schema: z.ZodType<T>, url: string): T {
  const given = [...new URL(url).searchParams];
  const names = given.map(([name]) => name);
  const wrong = names.find((name, i) => names.indexOf(name) !== i || name === '__proto__');
  if (wrong !== undefined) {
    throw new Refusal('invalid-query', `${wrong.slice(0, 60)} is given twice, or cannot be asked for.`);
  }
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.map((step) => String(step).slice(0, 60)).join('.') || 'The query';
  throw new Refusal('invalid-query', `${where}: ${issue?.message.slice(0, 200) ?? 'not as agreed'}.`);
}
