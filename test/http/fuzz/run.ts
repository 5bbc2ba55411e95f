/** Sends as many requests as are wanted, one after the other, to one survey after the other. */

import { randomOf } from './random.ts';
import type { FuzzFinding, FuzzReport } from './report.ts';
import type { FuzzRequest } from './requests.ts';
import { type Exchange, startSession, type Through } from './session.ts';

export interface FuzzOptions {
  readonly seed: number;
  readonly requestCount: number;
  readonly told?: (line: string) => void;
  /** The run ends where so much is wrong that more would tell nothing: 20 findings. */
  readonly findingsMax?: number;
  /** For tests that spoil answers to see them found. */
  readonly through?: Through;
}

/** After so many requests, most keys of a survey are revoked or withdrawn: then the next one begins. */
const surveyRequests = 2500;
const hourMs = 3600_000;

function shown({ method, url, headers, body }: FuzzRequest): string {
  const bytes = body === null ? '' : typeof body === 'string' ? body : Buffer.from(body).toString('base64');
  return `${method} ${url.slice(0, 600)} ${JSON.stringify(headers).slice(0, 300)} ${bytes.slice(0, 3000)}`;
}

function findingOf(at: number, { request, answer, fault }: Exchange): FuzzFinding[] {
  if (fault === null) return [];
  return [{ at, fault, request: shown(request), answer: `${answer.status} ${answer.text.slice(0, 600)}` }];
}

/** The type of the problem that an answer is, or null. */
function problemOf({ contentType, text }: Exchange['answer']): string | null {
  if (!contentType?.startsWith('application/problem+json') || text === '') return null;
  return /"type":"([^"]+)"/.exec(text)?.[1] ?? null;
}

/** Runs it. The same options give the same requests and answers. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { seed, requestCount, findingsMax = 20 } = options;
  const { told = () => undefined, through = (fetch) => fetch } = options;
  const random = randomOf(seed);
  const findings: FuzzFinding[] = [];
  const tally: Record<string, Record<number, number>> = {};
  const problems: Record<string, Record<string, number>> = {};
  const startedAt = performance.now();
  let session = await startSession(random, `fuzz ${seed} 0`, through);
  const { operationIds, named } = session;
  let at = 0;
  for (; at < requestCount && findings.length < findingsMax; at++) {
    if (at > 0 && at % surveyRequests === 0) {
      await session.stop();
      session = await startSession(random, `fuzz ${seed} ${at}`, through);
    }
    if (at % 500 === 499) await session.wait(random.pick([1, 1, 30, 50, 24 * 30]) * hourMs);
    else if (at % 100 === 0) await session.wait(100_000);
    const exchange = await session.exchange();
    findings.push(...findingOf(at, exchange));
    const { operationId, answer } = exchange;
    tally[operationId] ??= {};
    const byStatus = tally[operationId] as Record<number, number>;
    byStatus[answer.status] = (byStatus[answer.status] ?? 0) + 1;
    const problem = problemOf(answer);
    if (problem !== null) {
      problems[operationId] ??= {};
      const byType = problems[operationId] as Record<string, number>;
      byType[problem] = (byType[problem] ?? 0) + 1;
    }
    if (at % 5000 === 4999) told(`${at + 1} of ${requestCount} requests, ${findings.length} findings`);
  }
  const durationMs = performance.now() - startedAt;
  await session.stop();
  return { requestCount: at, durationMs, findings, tally, problems, named, operationIds };
}
