/**
 * What Node refuses before the application sees a request: bytes that are no HTTP, headers that are too large or too
 * slow, a Host that is none. They get a problem document too, where the connection still takes an answer.
 */
import { type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ProblemSlug, problem } from '../../schema/problem.ts';
import { problemAnswer } from '../serve/answer.ts';
import { strictHeaders } from '../serve/headers.ts';

/** The problem behind an error of Node's HTTP parser, by its code. */
export function slugOfCode(code: unknown): ProblemSlug {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers-too-large';
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return 'too-slow';
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 'too-large';
  return 'not-http';
}

const details = {
  'headers-too-large': 'The headers did not fit.',
  'too-slow': 'Headers or body were not complete when the time was over.',
  'too-large': 'The chunks of the body carry too many extensions.',
  'not-http': 'The bytes that came could not be read as a request.',
} as const satisfies { readonly [slug in ProblemSlug]?: string };

/** The problem document of a request that never was one. */
export function problemOfBytes(code: unknown): Response {
  const slug = slugOfCode(code);
  return problemAnswer(problem(slug, details[slug as keyof typeof details]), strictHeaders);
}

async function write(socket: Duplex, answer: Response): Promise<void> {
  const body = await answer.text();
  const headers = [...answer.headers].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const statusLine = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`;
  socket.end(`${statusLine}\r\n${headers}connection: close\r\n\r\n${body}`, () => socket.destroy());
}

/** Answers what the parser refuses, unless an answer has begun; then, or where nobody listens, only closes. */
export function answerBytes(server: Server, told: (slug: ProblemSlug) => void): void {
  const begun = new WeakMap<Duplex, ServerResponse>();
  server.on('request', (request, response) => begun.set(request.socket, response));
  server.on('clientError', (error: Error & { code?: unknown }, socket) => {
    const response = begun.get(socket);
    const silent = !socket.writable || error.code === 'ECONNRESET';
    if (silent || (response?.headersSent && !response.writableFinished)) {
      socket.destroy();
      return;
    }
    told(slugOfCode(error.code));
    void write(socket, problemOfBytes(error.code));
  });
}
