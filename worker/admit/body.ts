/** Reads request bodies up to a limit and within a time, whatever Content-Length claims. */
import { concat } from '../../schema/bytes.ts';
import type { RequestQuotas } from '../quotas.ts';
import { Refusal, refuseIf } from '../refusal.ts';
import { faultOfContent } from './content.ts';

/**
 * How much of a body that is too large is read and thrown away before the answer: a client that is still sending
 * when the connection closes sees a broken connection and never the answer.
 */
const drainMaxBytes = 16 * 1024 * 1024;

/**
 * The bytes of a body. Throws the refusals `unsupported-encoding`, `unsupported-media-type`, `too-large`,
 * `too-slow`, and `not-json` for a body that breaks off; at most the limit was ever held.
 */
export async function readBody(
  request: Request,
  { bodyMaxBytes, bodyWithinMs }: Pick<RequestQuotas, 'bodyMaxBytes' | 'bodyWithinMs'>,
): Promise<Uint8Array<ArrayBuffer>> {
  refuseIf(faultOfContent(request.headers));
  const claimed = request.headers.get('content-length');
  if (claimed !== null && Number(claimed) > bodyMaxBytes) {
    throw new Refusal(
      'too-large',
      `Content-Length is ${claimed.slice(0, 20)}; ${bodyMaxBytes} bytes are allowed.`,
    );
  }
  if (request.body === null) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let byteCount = 0;
  const reader = (request.body as ReadableStream<Uint8Array>).getReader();
  const deadline = startDeadline(bodyWithinMs);
  try {
    for (;;) {
      const read = reader.read().catch(() => {
        throw new Refusal('not-json', `The body broke off after ${byteCount} bytes.`);
      });
      const chunk = await Promise.race([read, deadline.passed]);
      if (chunk === 'too late') {
        throw new Refusal('too-slow', `After ${bodyWithinMs} ms, ${byteCount} bytes of the body had come.`);
      }
      if (chunk.done) break;
      byteCount += chunk.value.length;
      if (byteCount <= bodyMaxBytes) parts.push(chunk.value);
      else parts.length = 0;
      if (byteCount > drainMaxBytes) break;
    }
  } finally {
    deadline.stop();
    reader.cancel().catch(() => undefined);
  }
  if (byteCount <= bodyMaxBytes) return concat(...parts);
  throw new Refusal('too-large', `The body has more than ${bodyMaxBytes} bytes.`);
}

function startDeadline(afterMs: number): { readonly passed: Promise<'too late'>; readonly stop: () => void } {
  const { promise, resolve } = Promise.withResolvers<'too late'>();
  const timer = setTimeout(() => resolve('too late'), afterMs);
  return { passed: promise, stop: () => clearTimeout(timer) };
}
