/** How answers are made: JSON, text of a media type, and problem documents. */
import type { Problem } from '../../schema/problem.ts';

/** JSON of any answer shape. */
export function jsonAnswer(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(`${JSON.stringify(value)}\n`, {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  });
}

/** Text of a media type, such as a page. */
export function textAnswer(text: string, mediaType: string, headers: Record<string, string> = {}): Response {
  return new Response(text, { headers: { 'content-type': mediaType, ...headers } });
}

/** An RFC 9457 problem document. A busy store says when to come back. */
export function problemAnswer(problem: Problem, headers: Record<string, string> = {}): Response {
  const retry: Record<string, string> = problem.status === 503 ? { 'retry-after': '1' } : {};
  return new Response(`${JSON.stringify(problem)}\n`, {
    status: problem.status,
    headers: { 'content-type': 'application/problem+json; charset=utf-8', ...retry, ...headers },
  });
}
