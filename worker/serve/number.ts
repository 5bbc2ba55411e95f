/** Numbers in queries. */
import { Refusal } from '../refusal.ts';

/** A whole number of a query. Throws the `invalid-query` refusal. */
export function wholeNumber(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Refusal('invalid-query', `${name} is ${text.slice(0, 40)}; it takes a whole number.`);
}
