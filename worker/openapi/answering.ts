/** Which operations answer a problem: for the page of its type. */
import type { ProblemSlug } from '../../schema/problem.ts';
import type { Operation } from './operation.ts';
import { type OperationId, operationList } from './operations.ts';

/** The operations whose rows name a problem, in the table's order. */
export function operationsAnswering(slug: ProblemSlug): (readonly [OperationId, Operation])[] {
  return operationList.filter(([, { problems }]) => problems.includes(slug));
}
