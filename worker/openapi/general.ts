/** What any request may be answered, whatever it asks for: described once, under a name of its own. */
import type { ProblemSlug } from '../../schema/problem.ts';

/** The answers of no operation in particular, by their names in the document. */
export const generalAnswers = {
  NoSuchAddress: 'not-found',
  NoSuchMethod: 'method-not-allowed',
  TargetTooLong: 'uri-too-long',
  TooManyRequests: 'too-many-requests',
  HeadersTooLarge: 'headers-too-large',
  NotHttp: 'not-http',
  Failed: 'internal-error',
} as const satisfies Record<string, ProblemSlug>;
export type GeneralAnswer = keyof typeof generalAnswers;

/** Those that every operation may give, too. */
export const everywhere = [
  'TargetTooLong',
  'TooManyRequests',
  'HeadersTooLarge',
  'Failed',
] as const satisfies readonly GeneralAnswer[];

/** Whether a problem is a matter of the server or the address, and not of one operation. */
export function isGeneral(slug: ProblemSlug): boolean {
  return (Object.values(generalAnswers) as readonly ProblemSlug[]).includes(slug);
}
