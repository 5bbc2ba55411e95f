/** Which operations answer a problem: for the page of its type. */
import type { ProblemSlug } from '../../schema/problem.ts';
import type { Operation } from './operation.ts';
import { type OperationId, operationList } from './operations.ts';

/** What can happen wherever something is asked for, whatever the operation. */
export const generalProblems = [
  'not-found',
  'method-not-allowed',
  'uri-too-long',
  'headers-too-large',
  'not-http',
  'internal-error',
] as const satisfies readonly ProblemSlug[];

/** Whether a problem is a matter of the server or the address, and not of one operation. */
export function isGeneral(slug: ProblemSlug): boolean {
  return (generalProblems as readonly ProblemSlug[]).includes(slug);
}

/** The operations whose rows name a problem, in the table's order. */
export function operationsAnswering(slug: ProblemSlug): (readonly [OperationId, Operation])[] {
  return operationList.filter(([, { problems }]) => problems.includes(slug));
}
