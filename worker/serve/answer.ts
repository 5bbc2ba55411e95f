/** How answers are made: JSON, text of a media type, and problem documents, each with its length. */
import { utf8 } from '../../schema/bytes.ts';
import type { Problem } from '../../schema/problem.ts';

function answer(text: string, status: number, headers: Record<string, string>): Response {
  // The text and not its bytes: Node then sends head and body in one piece.
  return new Response(text, { status, headers: { 'content-length': String(utf8(text).length), ...headers } });
}

/** JSON of any answer shape. */
export function jsonAnswer(value: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return answer(`${JSON.stringify(value)}\n`, status, {
    'content-type': 'application/json; charset=utf-8',
    ...headers,
  });
}

/** Text of a media type, such as a page. */
export function textAnswer(text: string, mediaType: string, headers: Record<string, string> = {}): Response {
  return answer(text, 200, { 'content-type': mediaType, ...headers });
}

/** An RFC 9457 problem document. A busy store says when to come back. */
export function problemAnswer(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  const retry: Record<string, string> = problem.status === 503 ? { 'retry-after': '1' } : {};
  return answer(`${JSON.stringify(problem)}\n`, problem.status, {
    'content-type': 'application/problem+json; charset=utf-8',
    ...retry,
    ...headers,
  });
}
