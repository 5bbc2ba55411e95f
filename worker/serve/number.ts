/** Numbers in queries. */
import { wholeNumber as wholeNumberText } from '../../schema/parameters.ts';
import { Refusal } from '../refusal.ts';

/** A whole number of a query. Throws the `invalid-query` refusal. */
export function wholeNumber(name: string, text: string): number {
  if (wholeNumberText.safeParse(text).success) return Number(text);
  throw new Refusal('invalid-query', `${name} is ${text.slice(0, 40)}; it takes a whole number.`);
}
