/** The one way to refuse a request: a problem of schema/problem.ts, thrown, and turned into an answer in one place. */
import { type Problem, type ProblemSlug, problem } from '../schema/problem.ts';

/** Carries a problem document to the error handler of the application. */
export class Refusal extends Error {
  readonly problem: Problem;
  readonly slug: ProblemSlug;

  /** Headers of the answer, such as Retry-After. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(slug: ProblemSlug, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(`${slug}: ${detail}`);
    this.name = 'Refusal';
    this.slug = slug;
    this.headers = headers;
    this.problem = problem(slug, detail);
  }
}

/** What a rule finds wrong, before anybody decides to throw it. */
export interface Fault {
  readonly slug: ProblemSlug;
  /** What happened to which thing. */
  readonly detail: string;
}

/** Throws the fault, where there is one. */
export function refuseIf(fault: Fault | null): void {
  if (fault !== null) throw new Refusal(fault.slug, fault.detail);
}
