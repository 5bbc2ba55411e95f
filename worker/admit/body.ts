/** Reads request bodies up to a limit, whatever Content-Length claims. */
import { concat } from '../../schema/bytes.ts';
import { bodyMaxBytes } from '../../schema/wire.ts';
import { Refusal } from '../refusal.ts';

/**
 * How much of a body that is too large is read and thrown away before the answer: a client that is still sending
 * when the connection closes sees a broken connection and never the answer.
 */
const drainMaxBytes = 16 * 1024 * 1024;

/** The bytes of a body. Throws the `too-large` refusal; then at most the limit was ever held. */
export async function readBody(request: Request): Promise<Uint8Array<ArrayBuffer>> {
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
  for (;;) {
    const { done, value } = await reader.read().catch(() => {
      throw new Refusal('not-json', `The body broke off after ${byteCount} bytes.`);
    });
    if (done) break;
    byteCount += value.length;
    if (byteCount <= bodyMaxBytes) parts.push(value);
    else parts.length = 0;
    if (byteCount <= drainMaxBytes) continue;
    reader.cancel().catch(() => undefined);
    break;
  }
  if (byteCount <= bodyMaxBytes) return concat(...parts);
  throw new Refusal('too-large', `The body has more than ${bodyMaxBytes} bytes.`);
}
