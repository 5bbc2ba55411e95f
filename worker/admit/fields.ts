/** Checks a value against a closed list of fields and says in words where it differs. */
import type * as z from 'zod';
import { Refusal } from '../refusal.ts';
import { JsonFault, parseJson } from './json.ts';

/** At most so many differences are named, so that an answer stays small whatever was sent. */
const namedIssues = 4;

function inWords({ path, message }: z.core.$ZodIssue): string {
  const where = path.map((step) => String(step).slice(0, 60)).join('.');
  return `${where || 'the top level'}: ${message.slice(0, 160)}`;
}

/** The checked value. Throws the `invalid-payload` refusal, naming each field that differs. */
export function checkFields<T>(what: string, schema: z.ZodType<T>, value: unknown): T {
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const { issues } = checked.error;
  const more = issues.length > namedIssues ? `; and ${issues.length - namedIssues} more` : '';
  const words = issues.slice(0, namedIssues).map(inWords).join('; ');
  throw new Refusal('invalid-payload', `${what}: ${words}${more}.`);
}

/** The checked value of a JSON text. Throws the `invalid-payload` refusal. */
export function parseFields<T>(what: string, schema: z.ZodType<T>, text: string): T {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (error instanceof JsonFault) throw new Refusal('invalid-payload', `${what}: ${error.message}.`);
    throw error;
  }
  return checkFields(what, schema, value);
}
